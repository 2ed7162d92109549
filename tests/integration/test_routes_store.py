"""Sessions, streams, leases and figures on real stores."""

from typing import Any

import pytest
from channels.layers import get_channel_layer

from readrealm.stores import mongo, redis
from speech.routes import stream_store
from speech.routes.audio import Chunk, Kept
from speech.routes.broadcast import LayerAudience
from speech.routes.census import SOCKET_LEASES, SocketCensus, memory_of
from speech.routes.config_store import ConfigStore
from speech.routes.lease import PREFIX, Leases
from speech.routes.session_store import SessionStore
from speech.routes.sessions import GRACE_MS, IDLE_MS, Owner, State, VoiceSession
from speech.routes.stream_store import StreamStore
from speech.routes.transcript_store import TranscriptStore
from speech.routes.upkeep import SessionUpkeep
from speech.routes.work_events import Transcription
from speech.routes.work_store import LostTenure, WorkStore
from tests.support.stores import SessionStores

pytestmark = pytest.mark.usefixtures("stores")

NOW = 1_795_000_000_000
ADA = Owner(True, "7")


class Site:
    """All stores of voice sessions on this event loop."""

    def __init__(self) -> None:
        database = mongo.async_database()
        self.sessions, self.streams = SessionStore(database), StreamStore(database)
        self.texts, self.work = TranscriptStore(database), WorkStore(database)
        self.config = ConfigStore(database)

    async def session(self, key: str = "s1", **fields: Any) -> VoiceSession:
        made = VoiceSession(id=key, owner=ADA, started_at=NOW, metadata={"a": "b"}, **fields)
        assert await self.sessions.create(made, sid="w1.one")
        return made

    async def streaming(self, key: str = "s1") -> VoiceSession:
        await self.streams.open(await self.session(key), sid="w1.one", at_ms=NOW, recorded=False)
        return await self.found(key)

    async def found(self, key: str = "s1") -> VoiceSession:
        session = await self.sessions.find(key)
        assert session is not None
        return session

    async def keep(self, seq: int, *, sound: bytes = b"sound", stream: int = 1) -> Kept:
        return await self.streams.keep(
            Chunk(
                session_id="s1",
                stream=stream,
                seq=seq,
                mime_type="audio/webm",
                sound=sound,
                at_ms=NOW,
            )
        )


@pytest.fixture
async def site(stores: SessionStores) -> Site:
    return Site()


async def test_a_session_is_read_as_it_was_kept(site: Site) -> None:
    made = await site.session()

    assert await site.found() == made
    assert not await site.sessions.create(made, sid="w2.two")


async def test_a_state_changes_only_from_the_allowed_ones(site: Site) -> None:
    await site.session()
    change = site.sessions.change

    paused = await change("s1", allowed=[State.ACTIVE], to=State.PAUSED, at_ms=NOW)
    again = await change("s1", allowed=[State.ACTIVE], to=State.PAUSED, at_ms=NOW)
    ended = await change("s1", allowed=[State.PAUSED], to=State.ENDED, at_ms=NOW + 5)

    assert paused is not None
    assert again is None
    assert ended is not None
    assert (ended.state, ended.ended_at) == (State.ENDED, NOW + 5)
    assert await site.sessions.live() == 0


async def test_a_session_that_was_left_ends_after_its_grace(site: Site) -> None:
    await site.streaming()
    await site.sessions.left("s1", sid="w1.one", at_ms=NOW)
    left = await site.found()
    assert (left.streaming, left.left_stream) == (False, True)

    assert await site.sessions.end_expired(now_ms=NOW + GRACE_MS - 1) is None
    expired = await site.sessions.end_expired(now_ms=NOW + GRACE_MS + 1)

    assert expired is not None
    assert (expired[0].id, expired[1]) == ("s1", "left")
    assert await site.sessions.end_expired(now_ms=NOW + 10 * IDLE_MS) is None


async def test_a_session_that_is_attended_ends_only_when_it_was_idle_for_an_hour(
    site: Site,
) -> None:
    await site.session()
    later = NOW + IDLE_MS

    await site.sessions.seen(["s1"], at_ms=later)
    assert await site.sessions.end_expired(now_ms=later - 1) is None
    expired = await site.sessions.end_expired(now_ms=later + 1)

    assert expired is not None
    assert expired[1] == "idle"


async def test_upkeep_tells_who_is_there_that_a_session_has_ended(site: Site) -> None:
    told: list[tuple[str, str, Any]] = []

    class Audience(LayerAudience):
        async def tell_envelope(self, session_id: str, event: str, envelope: Any) -> None:
            told.append((session_id, event, envelope))

    census = SocketCensus(redis.client(), worker_id="w1")
    now = NOW
    upkeep = SessionUpkeep(
        store=site.sessions,
        audience=Audience(get_channel_layer()),
        census=census,
        clock=lambda: now,
    )
    await site.session("kept")
    await site.session("left")
    upkeep.attend("kept")
    upkeep.attend("kept")
    upkeep.leave("kept")

    now = NOW + GRACE_MS + 1
    await upkeep.keep_sessions()
    now += IDLE_MS
    await upkeep.keep_sessions()

    assert [(each[0], each[1], each[2].data.reason) for each in told] == [
        ("left", "session:ended", "left"),
        ("kept", "session:ended", "idle"),
    ]


async def test_a_lost_socket_stops_only_the_stream_it_had_begun(site: Site) -> None:
    await site.streaming()

    await site.sessions.left("s1", sid="w1.other", at_ms=NOW)

    assert (await site.found()).streaming


async def test_chunks_are_kept_once_until_the_stream_is_closed(site: Site) -> None:
    session = await site.streaming()
    assert await site.keep(1) is Kept.NEW
    assert await site.keep(1) is Kept.DUPLICATE
    assert await site.keep(4) is Kept.NEW

    await site.streams.close(session, at_ms=NOW)

    assert await site.keep(5) is Kept.CLOSED
    assert await site.keep(1) is Kept.DUPLICATE
    statistics = await site.sessions.statistics("s1")
    assert (statistics.chunks, statistics.duplicates, statistics.missing) == (2, 2, 2)


async def test_workers_that_are_too_far_behind_and_endless_streams_are_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.streaming()
    monkeypatch.setattr(stream_store, "MAX_BACKLOG_BYTES", 10)
    assert await site.keep(1, sound=bytes(11)) is Kept.NEW
    assert await site.keep(2) is Kept.FULL
    tenure = await site.work.take("s1")
    assert tenure is not None
    await site.work.done(tenure, await site.work.next_chunks(tenure, after=None), sound_ms=1)
    monkeypatch.setattr(stream_store, "MAX_STREAM_BYTES", 20)

    assert await site.keep(2, sound=bytes(9)) is Kept.NEW
    assert await site.keep(3) is Kept.TOO_LONG
    assert [chunk.seq for chunk in await site.work.next_chunks(tenure, after=None)] == [1, 2]


async def test_only_the_newest_tenure_changes_anything(site: Site) -> None:
    session = await site.streaming()
    await site.keep(1)
    old, new = await site.work.take("s1"), await site.work.take("s1")
    assert old is not None
    assert new is not None
    chunks = await site.work.next_chunks(old, after=None)

    with pytest.raises(LostTenure):
        await site.work.done(old, chunks, sound_ms=1_000)
    with pytest.raises(LostTenure):
        await site.work.is_over(old, now_ms=NOW)
    with pytest.raises(LostTenure):
        await site.work.finish(old, late=0, sound_ms=0)
    assert not await site.texts.holds("s1", 1, term=old.term)
    assert await site.texts.holds("s1", 1, term=new.term)
    await site.streams.close(session, at_ms=NOW)
    assert not await site.work.seal(old)
    assert await site.work.seal(new)


async def test_a_stream_that_was_left_can_be_resumed_until_it_is_sealed(site: Site) -> None:
    await site.streaming()
    await site.sessions.left("s1", sid="w1.one", at_ms=NOW)
    tenure = await site.work.take("s1")
    assert tenure is not None
    assert not await site.work.is_over(tenure, now_ms=NOW + GRACE_MS - 1)
    assert await site.work.is_over(tenure, now_ms=NOW + GRACE_MS)

    assert await site.streams.reopen(await site.found(), sid="w2.two", at_ms=NOW)
    assert await site.keep(1) is Kept.NEW
    assert not await site.work.is_over(tenure, now_ms=NOW + 2 * GRACE_MS)
    await site.sessions.left("s1", sid="w2.two", at_ms=NOW)
    assert await site.work.seal(tenure)

    assert not await site.streams.reopen(await site.found(), sid="w3.three", at_ms=NOW)


async def test_the_next_stream_begins_where_the_sound_of_the_last_one_ends(site: Site) -> None:
    session = await site.streaming()
    first = await site.work.take("s1")
    assert first is not None
    await site.streams.close(session, at_ms=NOW)
    await site.work.finish(first, late=0, sound_ms=12_345)
    await site.streams.open(await site.found(), sid="w1.one", at_ms=NOW, recorded=True)

    second = await site.work.take("s1")

    assert second is not None
    assert (second.number, second.offset_ms, second.recorded) == (2, 12_345, True)
    assert await site.work.waiting() == ["s1"]


async def test_a_final_text_is_new_once_and_may_get_a_speaker(site: Site) -> None:
    await site.streaming()
    text = Transcription(
        session_id="s1", seq=3, text="words", is_final=True, start_ms=10, end_ms=900
    )

    assert await site.texts.keep(1, text)
    assert not await site.texts.keep(1, text)
    named = Transcription(
        session_id="s1",
        seq=3,
        text="words",
        is_final=True,
        start_ms=10,
        end_ms=900,
        speaker="speaker_0",
    )
    assert await site.texts.keep(1, named)
    assert await site.sessions.transcript("s1") == [named]
    tenure = await site.work.take("s1")
    assert tenure is not None
    assert tenure.text_ms == 900


async def test_values_come_back_as_they_were_put(site: Site) -> None:
    value = {"$set": [None, 2**60, 0.02, "ö"], "a.b": {}}
    await site.config.put("llm", "own", value)

    assert await site.config.read() == {("llm", "own"): value}
    await site.config.remove("vad")
    assert await site.config.read() != {}
    await site.config.remove(None)
    assert await site.config.read() == {}


async def test_a_lease_has_one_holder_and_a_valkey_that_forgot_gives_it_back() -> None:
    client = redis.client()
    one, two = Leases(client, holder="one"), Leases(client, holder="two")

    assert await one.acquire("s1")
    assert not await two.acquire("s1")
    await client.flushall()
    assert await one.renew(["s1"]) == []
    assert not await two.acquire("s1")
    await two.release("s1")
    assert await client.get(PREFIX + "s1") == b"one"
    await one.release("s1")
    assert await two.acquire("s1")
    assert await one.renew(["s1", "s2"]) == ["s1"]
    assert 0 < await client.pttl(PREFIX + "s2") <= 3_000


async def test_sockets_are_counted_over_workers_and_not_those_of_dead_ones() -> None:
    client = redis.client()
    one, two = SocketCensus(client, worker_id="w1"), SocketCensus(client, worker_id="w2")
    for sid in ("a", "b"):
        one.enter(sid)
    two.enter("c")
    await two.publish()
    await Leases(client, holder="p1").renew([])

    assert await one.everywhere() == (3, 1)
    await client.zadd(SOCKET_LEASES, {"w2": 1})
    assert await one.everywhere() == (2, 1)
    one.leave("a")
    assert await one.everywhere() == (1, 1)
    await one.retire()
    assert await SocketCensus(client, worker_id="w3").everywhere() == (0, 1)


def test_memory_is_read_in_bytes() -> None:
    sizes = {"VmRSS": 20, "VmData": 30, "RssAnon": 12, "RssFile": 7, "RssShmem": 1}
    lines = [f"{name}:\t  {size} kB\n" for name, size in sizes.items()]
    status = "Name:\tpython\n" + "".join(lines)

    assert memory_of(status) == {
        "rss": 20_480,
        "heapTotal": 30_720,
        "heapUsed": 12_288,
        "external": 8_192,
    }
