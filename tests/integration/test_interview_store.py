"""What is kept of interviews: leases and snapshots in MongoDB, results in the relational store."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import User

from readrealm.kernel.errors import InterviewInProgress
from readrealm.kernel.identity import Identity
from readrealm.kernel.wire import plain
from readrealm.reader_data import Reader
from readrealm.stores import mongo
from speech.interviews import history, live_store
from speech.interviews.catalogue import load_shipped
from speech.interviews.events import InterviewComplete
from speech.interviews.knowledge import Knowledge
from speech.interviews.live_store import LiveInterviews, LostLease, Snapshot
from speech.interviews.owners import Owner
from speech.interviews.reader_data import InterviewReaderData
from speech.interviews.results import StoredResults, forget_before, keep
from speech.models import InterviewResult, ReaderKnowledge
from tests.support.stores import SessionStores
from tests.unit.speech.interviews.rehearsal import Rehearsal

READER, GUEST = Owner(7, is_account=True), Owner(7, is_account=False)


@pytest.fixture
async def holders(stores: SessionStores) -> tuple[LiveInterviews, LiveInterviews]:
    """Two workers."""
    database = mongo.async_database()
    return LiveInterviews(database, holder="one"), LiveInterviews(database, holder="other")


Holders = tuple[LiveInterviews, LiveInterviews]


def snapshot(owner: Owner = READER, **changes: Any) -> Snapshot:
    rehearsal = Rehearsal().turn().caption("an answer")
    state = rehearsal.interview.state
    state.session_id = changes.pop("session_id", "s1")
    return replace(Snapshot(owner=owner, state=state, channel="a socket"), **changes)


def expire(stores: SessionStores) -> None:
    """As if a lease had not been renewed for its whole length."""
    stores.mongo["readrealm"][live_store.COLLECTION].update_many(
        {}, {"$set": {"lease_until": datetime(2020, 1, 1, tzinfo=UTC)}}
    )


async def test_an_interview_comes_back_as_it_was_kept(holders: Holders) -> None:
    one, _ = holders
    kept = snapshot(is_free=True, container="webm")
    await one.create(kept)

    taken = await one.take(READER)

    assert taken is not None
    assert taken.state.as_dict() == kept.state.as_dict()
    assert (taken.owner, taken.container, taken.is_free) == (READER, "webm", False)


async def test_a_reader_has_one_live_interview(holders: Holders) -> None:
    one, other = holders
    outcomes = await asyncio.gather(
        *(
            holder.create(snapshot(session_id=f"s{number}"))
            for number, holder in enumerate((one, other) * 5)
        ),
        return_exceptions=True,
    )

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InterviewInProgress) for outcome in outcomes) == 9
    await other.create(snapshot(GUEST, session_id="of a guest"))


async def test_who_is_attended_on_a_living_worker_cannot_be_taken(holders: Holders) -> None:
    one, other = holders
    await one.create(snapshot())

    assert await other.take(READER) is None
    assert await other.take_orphan() is None
    holding = await other.holding(READER)
    assert holding is not None
    assert (holding.channel, holding.session_id) == ("a socket", "s1")


async def test_of_many_who_take_one_gets_it_and_the_former_holder_learns(holders: Holders) -> None:
    one, other = holders
    kept = snapshot(is_free=True)
    await one.create(kept)

    taken = await asyncio.gather(*(other.take(READER) for _ in range(8)))

    assert sum(snapshot is not None for snapshot in taken) == 1
    with pytest.raises(LostLease):
        await one.save(kept)
    await one.remove("s1")
    assert await other.holding(READER) is not None


async def test_a_dead_worker_is_followed(holders: Holders, stores: SessionStores) -> None:
    one, other = holders
    await one.create(snapshot())
    expire(stores)

    assert await other.take_orphan() is not None
    assert await other.take_orphan() is None


async def test_saving_renews_the_lease(holders: Holders, stores: SessionStores) -> None:
    one, other = holders
    kept = snapshot()
    await one.create(kept)
    expire(stores)
    await one.save(kept)

    assert await other.take(READER) is None


async def test_releasing_ends_it(holders: Holders) -> None:
    one, other = holders
    await one.create(snapshot())
    await one.release("s1")

    assert await other.take_orphan() is not None


async def test_what_is_done_is_read_and_not_taken(holders: Holders, stores: SessionStores) -> None:
    one, other = holders
    await one.create(snapshot())
    await one.save(snapshot(is_done=True, is_live=False))
    expire(stores)

    latest = await other.latest(READER)

    assert latest is not None
    assert latest.is_done
    assert await other.take(READER) is None
    assert await other.take_orphan() is None
    await other.create(snapshot(session_id="the next one"))


async def test_a_result_is_at_hand_for_ten_minutes(holders: Holders, stores: SessionStores) -> None:
    one, _ = holders
    await one.create(snapshot())
    live = purged_in(stores)
    await one.save(snapshot(is_done=True, is_live=False))

    assert live > timedelta(hours=1)
    assert timedelta(minutes=9) < purged_in(stores) <= timedelta(minutes=10)
    indexes = stores.mongo["readrealm"][live_store.COLLECTION].index_information()
    assert [index["key"] for index in indexes.values() if index.get("expireAfterSeconds") == 0] == [
        [("purge_at", 1)]
    ]


def purged_in(stores: SessionStores) -> timedelta:
    """How long the store keeps the only interview that there is."""
    (kept,) = stores.mongo["readrealm"][live_store.COLLECTION].find()
    left: timedelta = kept["purge_at"].replace(tzinfo=UTC) - datetime.now(UTC)
    return left


async def test_erasing_a_reader_ends_what_runs(holders: Holders) -> None:
    one, _ = holders
    kept = snapshot()
    await one.create(kept)

    assert await asyncio.to_thread(live_store.forget, READER) == 1
    with pytest.raises(LostLease):
        await one.save(kept)


async def test_words_that_look_like_an_operator_are_only_words(holders: Holders) -> None:
    one, _ = holders
    kept = snapshot(channel="$$NOW", is_free=True)
    await one.create(kept)

    taken = await one.take(READER)

    assert taken is not None
    assert taken.channel == "$$NOW"


# ------------------------------------------------------------------------ results


def finished(
    text: str = "a shared lock is taken to read a row",
) -> tuple[InterviewComplete, Knowledge]:
    (stored,) = Rehearsal().answer(text).stop().stored
    return stored.result, stored.knowledge


@pytest.mark.django_db
def test_a_result_is_kept_once() -> None:
    user = User.objects.create_user("ada")
    result, knowledge = finished()
    owner = Owner(user.pk, is_account=True)

    keep(owner, result, knowledge)
    keep(owner, result, Knowledge())

    kept = InterviewResult.objects.get()
    assert (kept.user, kept.claimed_id, kept.reason) == (user, None, "stopped")
    assert kept.report["qa_pairs"][0]["answer"] == "a shared lock is taken to read a row"
    assert ReaderKnowledge.objects.get(user=user).knowledge["questions"]


@pytest.mark.django_db
def test_a_guest_leaves_nothing_at_the_account_of_that_number() -> None:
    user = User.objects.create_user("ada")

    keep(Owner(user.pk, is_account=False), *finished())

    kept = InterviewResult.objects.get()
    assert (kept.user, kept.claimed_id) == (None, user.pk)
    assert not ReaderKnowledge.objects.exists()
    assert history.past_interviews(user) == []


@pytest.mark.django_db
def test_of_an_account_that_is_gone_nothing_is_kept() -> None:
    keep(Owner(999_999, is_account=True), *finished())

    assert not InterviewResult.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_what_was_kept_is_known_again() -> None:
    user = await User.objects.acreate(username="ada")
    result, knowledge = finished()
    owner, results = Owner(user.pk, is_account=True), StoredResults()

    await results.store(owner, result, knowledge)

    assert await results.knowledge(owner) == knowledge
    assert await results.knowledge(Owner(user.pk, is_account=False)) == Knowledge()


@pytest.mark.django_db
def test_results_that_are_too_old_are_forgotten() -> None:
    keep(GUEST, *finished())

    assert forget_before(timedelta(days=36_500)) == 0
    assert forget_before(timedelta(days=1)) == 1


# ------------------------------------------------------------------------ what pages ask


@pytest.mark.django_db
def test_a_reader_sees_own_interviews_only() -> None:
    ada, bob = User.objects.create_user("ada"), User.objects.create_user("bob")
    result, knowledge = finished()
    keep(Owner(ada.pk, is_account=True), result, knowledge)

    (summary,) = history.past_interviews(ada)

    assert summary.session_id == result.session_id
    assert summary.duration_s == result.total_duration
    report = history.report(ada, result.session_id)
    assert report is not None
    assert report["metrics"]["total_words"] == 9
    assert history.past_interviews(bob) == []
    assert history.report(bob, result.session_id) is None
    assert history.delete(bob, result.session_id) is False
    assert history.delete(ada, result.session_id) is True


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_stores")
def test_a_reader_takes_everything_along_and_leaves_nothing() -> None:
    ada = User.objects.create_user("ada")
    keep(Owner(ada.pk, is_account=True), *finished())

    exported = history.export(ada)

    assert json.loads(json.dumps(exported)) == exported
    assert [set(part) & {"qa_pairs", "knowledge"} for part in exported] == [
        {"qa_pairs"},
        {"knowledge"},
    ]
    assert history.erase(ada) == 1
    assert history.export(ada) == []


@pytest.mark.django_db(transaction=True)
async def test_the_data_of_a_reader_is_handed_out_and_erased(stores: SessionStores) -> None:
    ada = await User.objects.acreate(username="ada")
    owner, results = Owner(ada.pk, is_account=True), StoredResults()
    guest = Owner(ada.pk, is_account=False)
    await results.store(owner, *finished())
    await results.store(guest, *(replaced_id(finished())))
    await LiveInterviews(mongo.async_database(), holder="one").create(snapshot(owner))
    data, reader = InterviewReaderData(), Reader(str(ada.pk))
    steps: list[tuple[str, int]] = []

    assert await data.holdings(reader) == {"results": 1, "knowledge": 1}
    exported = [record async for record in data.export(reader, "results")]
    known = [record async for record in data.export(reader, "knowledge")]
    for _ in range(2):
        await data.erase(
            reader,
            by=Identity("1", "root"),
            closes_account=True,
            progress=lambda kind, count: steps.append((kind, count)),
        )

    assert exported[0]["qa_pairs"][0]["answer"] == "a shared lock is taken to read a row"
    assert set(known[0]) == {"topics", "subtopics", "concepts", "questions"}
    assert steps[:3] == [("live", 1), ("results", 1), ("knowledge", 1)]
    assert {count for _, count in steps[3:]} == {0}
    assert await data.holdings(Reader(str(ada.pk), is_guest=True)) == {"results": 1, "knowledge": 0}
    assert await data.holdings(Reader("a book lover", is_guest=True)) == {
        "results": 0,
        "knowledge": 0,
    }


def replaced_id(
    stored: tuple[InterviewComplete, Knowledge],
) -> tuple[InterviewComplete, Knowledge]:
    result, knowledge = stored
    return msgspec.structs.replace(result, session_id="s2"), knowledge


@pytest.mark.django_db
def test_a_spreadsheet_runs_nothing_of_an_answer() -> None:
    result, _ = finished("=cmd|'/C calc'!A0 and then some more words")
    text = history.as_csv(plain(result))

    assert ",'=cmd|" in text.replace('"', "")
    assert text.count("\n") == 2


@pytest.mark.django_db
def test_the_start_form_offers_what_can_be_asked() -> None:
    load_shipped()

    options = history.start_options()

    assert {topic.name for topic in options.topics} == {"DBMS", "OOPS", "OS", "READING"}
    assert all(topic.questions >= 15 for topic in options.topics)
    assert (options.most_questions, options.duration_s) == (15, 1_800)
    assert history.topic_titles()["DBMS"] == "Databases"
