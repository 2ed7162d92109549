"""Voice sessions in Django's admin, and what is forgotten when, over a real MongoDB."""

import io
import wave
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from gridfs import GridFSBucket

from readrealm import reader_data
from readrealm.kernel.clock import now_ms
from readrealm.kernel.identity import Identity
from readrealm.stores.addresses import DATABASE
from speech.routes.archive import DAY_MS, Archive
from speech.routes.recording_files import BUCKET, wav_header
from tests.support.stores import SessionStores

pytestmark = pytest.mark.django_db

LIST = "/admin/speech/voicesessionrecord/"
SOUND = bytes(range(256)) * 10


@pytest.fixture
def database(clean_stores: SessionStores) -> Any:
    return clean_stores.mongo[DATABASE]


def keep(database: Any, key: str, *, ended_days_ago: float | None = 1, **fields: Any) -> None:
    """A session with a stream, a text, a waiting chunk and a recording."""
    ended_at = None if ended_days_ago is None else now_ms() - int(ended_days_ago * DAY_MS)
    database.voice_sessions.insert_one(
        {
            "_id": key,
            "isAccount": True,
            "ownerId": "7",
            "state": "active" if ended_at is None else "ended",
            "startedAt": (ended_at or now_ms()) - 65_000,
            "endedAt": ended_at,
            "endedBy": None if ended_at is None else "request",
            "metadata": '{"clientId":"<b>phone</b>"}',
            "stream": 1,
            **fields,
        }
    )
    database.voice_streams.insert_one(
        {
            "_id": f"{key}/1",
            "session": key,
            "number": 1,
            "chunks": 3,
            "duplicates": 0,
            "first": 1,
            "last": 4,
            "late": 0,
            "soundMs": 4_000,
            "finished": True,
        }
    )
    database.voice_chunks.insert_one({"stream": f"{key}/1", "seq": 1, "sound": b"x"})
    database.voice_texts.insert_one(
        {
            "stream": f"{key}/1",
            "session": key,
            "seq": 3,
            "startMs": 10,
            "endMs": 900,
            "text": f"words of {key}",
            "speaker": None,
        }
    )
    GridFSBucket(database, bucket_name=BUCKET).upload_from_stream_with_id(
        f"{key}/1",
        f"{key}-1.wav",
        wav_header() + SOUND,
        metadata={"session": key, "stream": 1},
    )


def user(client: Client, *permissions: str) -> Client:
    made = User.objects.create_user("mo", password="x", is_staff=True)
    for name in permissions:
        made.user_permissions.add(Permission.objects.get(codename=name))
    client.force_login(made)
    return client


def act(client: Client, action: str, *keys: str) -> str:
    posted = {"action": action, "_selected_action": keys}
    page: str = client.post(LIST, posted, follow=True).content.decode()
    return page


ALL = ("view_voicesessionrecord", "delete_voicesessionrecord", "listen_to_recording")


def test_sessions_are_listed_newest_first_and_found(client: Client, database: Any) -> None:
    keep(database, "older", ended_days_ago=3)
    keep(database, "newer", ended_days_ago=1)
    keep(database, "guest:1", ended_days_ago=None, isAccount=False, ownerId="w1.sid")
    user(client, *ALL)

    everything = client.get(LIST).content.decode()

    order = [everything.index(f">{key}<") for key in ("guest:1", "newer", "older")]
    assert order == sorted(order)
    assert "reader 7" in everything
    assert "1:05" in everything
    for query, expected in {
        "state=active": {"guest:1"},
        "since=7d": {"guest:1", "newer", "older"},
        "since=1d": {"guest:1"},
        "q=new": {"newer"},
        "q=user:7": {"newer", "older"},
        "q=.*": set(),
    }.items():
        page = client.get(f"{LIST}?{query}").content.decode()
        assert {key for key in ("older", "newer", "guest:1") if f">{key}<" in page} == expected


def test_a_session_shows_its_words_and_its_recordings(client: Client, database: Any) -> None:
    keep(database, "one:1")
    user(client, *ALL)

    page = client.get(f"{LIST}one_3A1/change/").content.decode()
    sound = client.get(f"{LIST}one:1/recordings/1.wav")

    assert "words of one:1" in page
    assert "&lt;b&gt;phone" in page
    assert f"{LIST}one:1/recordings/1.wav" in page
    with wave.open(io.BytesIO(sound.getvalue())) as file:
        assert file.readframes(file.getnframes()) == SOUND
    assert client.get(f"{LIST}one:1/recordings/2.wav").status_code == 404


def test_nobody_hears_or_forgets_without_the_permission(client: Client, database: Any) -> None:
    keep(database, "one")
    user(client, "view_voicesessionrecord")

    page = client.get(f"{LIST}one/change/").content.decode()

    assert "words of one" in page
    assert "You may not listen" in page
    assert client.get(f"{LIST}one/recordings/1.wav").status_code == 403
    act(client, "forget", "one")
    assert database.voice_sessions.count_documents({}) == 1
    assert client.post(f"{LIST}one/change/", {}).status_code == 403
    assert client.post(f"{LIST}one/delete/", {}).status_code == 403


def test_readers_see_nothing(client: Client, database: Any) -> None:
    keep(database, "one")
    client.force_login(User.objects.create_user("reader", password="x"))

    assert client.get(LIST).status_code == 302
    assert client.get(f"{LIST}one/recordings/1.wav").status_code == 302


def test_what_is_over_can_be_forgotten_with_everything(client: Client, database: Any) -> None:
    keep(database, "over")
    keep(database, "live", ended_days_ago=None)
    user(client, *ALL)

    page = act(client, "forget", "over", "live")

    assert "1 forgotten." in page
    assert "1 still going on" in page
    for name in ("voice_sessions", "voice_streams", "voice_chunks", "voice_texts"):
        assert database[name].count_documents({}) == 1, name
    assert [file["_id"] for file in database[f"{BUCKET}.files"].find()] == ["live/1"]
    assert {part["files_id"] for part in database[f"{BUCKET}.chunks"].find()} == {"live/1"}


def test_recordings_can_be_deleted_alone(client: Client, database: Any) -> None:
    keep(database, "one")
    user(client, *ALL)

    assert "1 recording deleted." in act(client, "delete_recordings", "one")
    assert database[f"{BUCKET}.chunks"].count_documents({}) == 0
    assert database.voice_texts.count_documents({}) == 1


def test_time_forgets_what_is_old(database: Any) -> None:
    keep(database, "old", ended_days_ago=31)
    keep(database, "young", ended_days_ago=29)
    keep(database, "live", ended_days_ago=None)
    said = io.StringIO()

    call_command("purge_voice", stdout=said)

    assert said.getvalue() == "1 voice session forgotten\n"
    assert {each["_id"] for each in database.voice_sessions.find()} == {"young", "live"}
    call_command("purge_voice", "--days", "1", stdout=said)
    assert {each["_id"] for each in database.voice_sessions.find()} == {"live"}


def test_a_reader_takes_out_and_has_erased_what_is_theirs(database: Any) -> None:
    keep(database, "mine", ended_days_ago=None)
    keep(database, "theirs", ownerId="8")
    keep(database, "guests", isAccount=False)
    kept = Archive(database)

    (exported,) = kept.export("7")
    assert exported["sessionId"] == "mine"
    assert exported["texts"] == [
        {"startMs": 10, "endMs": 900, "text": "words of mine", "speaker": None}
    ]
    assert exported["recordings"][0]["bytes"] == len(SOUND) + 44
    assert kept.erase("7") == 1
    assert {each["_id"] for each in database.voice_sessions.find()} == {"theirs", "guests"}
    assert {each["session"] for each in database.voice_texts.find()} == {"theirs", "guests"}


async def test_the_registry_of_readers_knows_voice_sessions(
    stores: SessionStores, database: Any
) -> None:
    keep(database, "mine")
    keep(database, "theirs", ownerId="8")
    (part,) = [part for part in reader_data.parts() if part.name == "voice_sessions"]
    ada, guest = reader_data.Reader("7"), reader_data.Reader("7", is_guest=True)
    erased: list[int] = []

    assert await part.holdings(ada) == {"voice sessions": 1}
    assert await part.holdings(guest) == {"voice sessions": 0}
    assert [each["sessionId"] async for each in part.export(ada, "sessions")] == ["mine"]
    assert [each async for each in part.export(guest, "sessions")] == []
    for reader in (guest, ada):
        await part.erase(
            reader,
            by=Identity("1", "staff"),
            closes_account=True,
            progress=lambda _, count: erased.append(count),
        )
    assert erased == [1]
    assert {each["_id"] for each in database.voice_sessions.find()} == {"theirs"}
