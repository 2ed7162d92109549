"""The log of a room on a real MongoDB: numbers without holes, whoever writes, and their order."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from chat.documents import Message as StoredMessage
from chat.documents import RoomEvent as StoredEvent
from chat.events import Message, MessageDeleted, MessageUpdated, ReactionChanged
from chat.log_reader import LogReader
from chat.repository import RoomLogs
from chat.rules import Change, Draft, Edit, ReactionSwitch, Removal, Restoration
from readrealm.kernel.errors import InvalidState, NotFound, StoreUnavailable
from readrealm.kernel.identity import Identity
from readrealm.stores import mongo
from readrealm.stores.addresses import DATABASE
from tests.support.stores import SessionStores

BOOK = 2701
ADA = Identity(user_id="1", username="Ada", authenticated=True)
GUEST = Identity(user_id="1", username="Ada?")
MODERATOR = Identity(user_id="9", username="Mo", is_staff=True, authenticated=True)


def draft(content: str = "Call me Ishmael.", **fields: Any) -> Draft:
    return Draft(**{"book_id": BOOK, "author": ADA, "content": content} | fields)


async def entries(database: Any, book_id: int = BOOK) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await database["messages"].find({"bookId": book_id}, sort=[("seq", 1)]).to_list()
    )
    return found


@pytest.fixture
def logs(stores: SessionStores) -> None:
    """Stores that are empty, for tests that build logs of their own."""


def new_logs(**options: Any) -> RoomLogs:
    return RoomLogs(mongo.async_database(), **options)


def log() -> LogReader:
    return LogReader(mongo.async_database())


class Commands(CommandListener):
    """Counts what is sent to MongoDB, by the name of the command."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.concerns: list[Any] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent[event.command_name] += 1
        if event.command_name in {"insert", "commitTransaction"}:
            self.concerns.append(event.command.get("writeConcern"))

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


@asynccontextmanager
async def watched_logs(url: str) -> AsyncIterator[tuple[RoomLogs, Commands]]:
    commands = Commands()
    async with AsyncMongoClient(url, event_listeners=[commands]) as client:
        yield RoomLogs(client[DATABASE]), commands


@pytest.mark.usefixtures("logs")
class TestAppending:
    async def test_numbers_have_no_holes_and_follow_time_and_id_with_eight_writers(self) -> None:
        workers = [new_logs(), new_logs()]

        async def write(writer: int) -> list[int]:
            author = replace(ADA, user_id=str(writer))
            return [
                (await workers[writer % 2].append(draft(f"{n}", author=author))).message.seq
                for n in range(25)
            ]

        numbers = await asyncio.gather(*(write(writer) for writer in range(8)))

        assert sorted(number for own in numbers for number in own) == list(range(1, 201))
        assert all(own == sorted(own) for own in numbers)
        stored = await entries(mongo.async_database())
        assert [entry["seq"] for entry in stored] == list(range(1, 201))
        assert stored == sorted(stored, key=lambda entry: (entry["createdAt"], entry["_id"]))
        assert stored == sorted(stored, key=lambda entry: entry["_id"])

    async def test_time_never_runs_backwards_in_a_room(self) -> None:
        fast, slow = new_logs(clock=lambda: 1_800_000_000_500), new_logs(clock=lambda: 1_000)

        first = (await fast.append(draft("first"))).message
        second = (await slow.append(draft("second"))).message

        assert second.created_at == first.created_at == "2027-01-15T08:00:00.500Z"
        assert second.id > first.id
        assert [message.seq for message in await log().latest(BOOK, limit=50)] == [2, 1]

    async def test_what_is_answered_equals_what_is_read_back(self) -> None:
        logs = new_logs()

        said = (await logs.append(draft(client_msg_id="c-1"))).message

        assert await log().latest(BOOK, limit=50) == [said]
        assert await log().find(BOOK, said.id) == said
        assert await log().between(BOOK, after=0, up_to=1) == [said]

    async def test_rooms_are_numbered_apart(self) -> None:
        logs = new_logs()
        await logs.append(draft())
        other = (await logs.append(draft(book_id=84))).message

        assert other.seq == 1
        assert await log().heads([BOOK, 84, 7]) == {BOOK: 1, 84: 1}
        assert [await log().head(book_id) for book_id in (BOOK, 84, 7)] == [1, 1, 0]

    async def test_what_arrives_together_is_committed_together(
        self, session_stores: SessionStores
    ) -> None:
        async with watched_logs(session_stores.mongo_url) as (logs, commands):
            kept = await asyncio.gather(*(logs.append(draft(str(n))) for n in range(100)))

        assert [each.message.seq for each in kept] == list(range(1, 101))
        assert [each.message.content for each in kept] == [str(n) for n in range(100)]
        assert commands.sent["insert"] == 1
        assert commands.concerns == [{"w": "majority", "j": True}]

    async def test_a_batch_that_meets_another_writer_goes_on_after_it(self) -> None:
        ours, theirs = new_logs(), new_logs()

        kept = await asyncio.gather(
            *(logs.append(draft(str(n))) for n in range(60) for logs in (ours, theirs))
        )

        assert sorted(each.message.seq for each in kept) == list(range(1, 121))

    async def test_a_message_that_cannot_be_kept_does_not_take_its_neighbours_with_it(self) -> None:
        logs, database = new_logs(), mongo.async_database()
        refuses = {"content": {"$ne": "never"}}
        await database.command("collMod", "messages", validator=refuses)

        try:
            kept = await asyncio.gather(
                *(logs.append(draft(content)) for content in ("a", "never", "b")),
                return_exceptions=True,
            )
        finally:
            await database.command("collMod", "messages", validator={})

        assert isinstance(kept[1], RuntimeError)
        assert "never" not in str(kept[1]), "what readers write is not logged"
        assert [each.message.content for each in (kept[0], kept[2])] == ["a", "b"]  # type: ignore[union-attr]
        assert [entry["seq"] for entry in await entries(mongo.async_database())] == [1, 2]


@pytest.mark.usefixtures("logs")
class TestSendingAgain:
    async def test_five_retries_over_two_workers_make_one_message_and_five_equal_answers(
        self,
    ) -> None:
        workers = [new_logs(), new_logs()]
        again = draft(client_msg_id="c-1")

        kept = await asyncio.gather(*(workers[n % 2].append(again) for n in range(5)))

        assert len({each.message.id for each in kept}) == 1
        assert all(each.message == kept[0].message for each in kept)
        assert [each.event for each in kept].count(None) == 4
        assert len(await entries(mongo.async_database())) == 1

    async def test_the_first_message_is_given_whatever_is_said_the_second_time(self) -> None:
        logs = new_logs()
        first = await logs.append(draft("first", client_msg_id="c-1"))
        await logs.append(draft("between"))
        second = await logs.append(draft("second", client_msg_id="c-1"))

        assert (second.message, second.event) == (first.message, None)
        assert await log().head(BOOK) == 2

    @pytest.mark.parametrize(
        "other",
        [
            {"author": GUEST},
            {"author": replace(ADA, user_id="2")},
            {"book_id": 84},
            {"client_msg_id": "c-2"},
        ],
    )
    async def test_only_the_same_author_room_and_id_is_a_repetition(
        self, other: dict[str, Any]
    ) -> None:
        logs = new_logs()
        first = await logs.append(draft(client_msg_id="c-1"))
        second = await logs.append(draft(**{"client_msg_id": "c-1"} | other))

        assert first.message.id != second.message.id
        assert second.event is not None

    async def test_repetitions_in_a_batch_leave_no_hole(self) -> None:
        logs = new_logs()
        await logs.append(draft("kept", client_msg_id="old"))
        batch = [draft("kept", client_msg_id="old"), draft("a"), draft("b", client_msg_id="new")]

        kept = await asyncio.gather(
            *(logs.append(each) for each in [*batch, draft("c"), *batch[::2]])
        )

        assert [each.message.seq for each in kept] == [1, 2, 3, 4, 1, 3]
        assert await log().head(BOOK) == 4


def edit(message: Message, content: str = "Call me Ahab.") -> Edit:
    return Edit(book_id=BOOK, message_id=message.id, actor=ADA, content=content)


def removal(message: Message, by: Any = "author") -> Removal:
    actor = ADA if by == "author" else MODERATOR
    return Removal(book_id=BOOK, message_id=message.id, actor=actor, by=by)


def restoration(message: Message) -> Restoration:
    return Restoration(book_id=BOOK, message_id=message.id, actor=MODERATOR)


def switch(message: Message, emoji: str = "🐋", *, on: bool = True, actor: Any = ADA) -> Any:
    return ReactionSwitch(book_id=BOOK, message_id=message.id, actor=actor, emoji=emoji, on=on)


@pytest.mark.usefixtures("logs")
class TestChanging:
    async def test_an_edit_changes_the_message_and_keeps_the_former_text(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message

        kept = await logs.change(edit(said))

        assert (kept.message.content, kept.message.seq, kept.message.rev) == ("Call me Ahab.", 1, 2)
        assert kept.message.edited_at == kept.message.updated_at >= said.created_at
        assert kept.event == MessageUpdated(book_id=BOOK, seq=2, message=kept.message)
        assert await log().latest(BOOK, limit=50) == [kept.message]
        (entry,) = StoredEvent.objects(message_id=ObjectId(said.id))
        assert (entry.kind, entry.previous, entry.user_id) == ("edit", "Call me Ishmael.", "1")

    async def test_a_removed_message_is_a_tombstone_and_no_history(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message
        await logs.change(switch(said))

        kept = await logs.change(removal(said))

        assert kept.event == MessageDeleted(book_id=BOOK, seq=3, message_id=said.id, by="author")
        assert await log().latest(BOOK, limit=50) == []
        tombstone = await log().find(BOOK, said.id)
        assert (tombstone.content, tombstone.deleted_by, tombstone.rev) == ("", "author", 3)
        assert not tombstone.reactions
        assert StoredMessage.objects.get(id=said.id).content == "Call me Ishmael."

    async def test_what_a_moderator_hides_can_be_restored_and_what_its_author_deletes_cannot(
        self,
    ) -> None:
        logs = new_logs()
        hidden = (await logs.append(draft("hidden"))).message
        deleted = (await logs.append(draft("deleted"))).message
        await logs.change(removal(hidden, "moderator"))
        await logs.change(removal(deleted))

        back, gone = await logs.change(restoration(hidden)), await logs.change(restoration(deleted))

        assert back.message.content == "hidden"
        assert back.event is not None
        assert (gone.event, gone.message.deleted_by) == (None, "author")
        assert [message.content for message in await log().latest(BOOK, limit=9)] == ["hidden"]

    async def test_reactions_are_kept_once_for_each_reader_and_emoji(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message

        first, again = await logs.change(switch(said)), await logs.change(switch(said))
        guest = await logs.change(switch(said, actor=GUEST))
        off = await logs.change(switch(said, on=False))

        assert isinstance(first.event, ReactionChanged)
        assert (again.event, again.message) == (None, first.message)
        assert [r.is_guest for r in guest.message.reactions or []] == [False, True]
        assert [r.is_guest for r in off.message.reactions or []] == [True]
        assert (off.message.rev, off.message.updated_at) == (4, said.updated_at)

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [(edit, NotFound), (switch, NotFound), (removal, None), (restoration, None)],
    )
    async def test_a_deleted_message_stays_as_it_is(
        self, change: Callable[[Message], Change], refusal: type[Exception] | None
    ) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message
        await logs.change(removal(said))

        if refusal:
            with pytest.raises(refusal):
                await logs.change(change(said))
        else:
            assert (await logs.change(change(said))).event is None
        assert await log().head(BOOK) == 2

    async def test_a_message_of_another_room_is_not_found(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message
        elsewhere = replace(edit(said), book_id=84)

        with pytest.raises(NotFound):
            await logs.change(elsewhere)
        with pytest.raises(NotFound):
            await log().find(84, said.id)
        assert await log().head(84) == 0

    async def test_a_message_has_at_most_so_many_reactions(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message
        for number in range(20):
            await logs.change(switch(said, chr(0x1F600 + number)))

        with pytest.raises(InvalidState):
            await logs.change(switch(said, "🐋"))
        assert len((await log().find(BOOK, said.id)).reactions or []) == 20

    async def test_changes_and_messages_of_two_workers_share_one_numbering(self) -> None:
        workers = [new_logs(), new_logs()]
        said = (await workers[0].append(draft())).message
        readers = [replace(ADA, user_id=str(n)) for n in range(12)]

        kept = await asyncio.gather(
            *(
                workers[n % 2].change(switch(said, actor=reader))
                for n, reader in enumerate(readers)
            ),
            *(workers[n % 2].append(draft(str(n))) for n in range(40)),
            workers[0].change(edit(said, "a")),
            workers[1].change(edit(said, "b")),
        )

        numbers = [each.event.seq for each in kept if each.event]  # type: ignore[union-attr]
        assert sorted(numbers) == list(range(2, 56))
        final = await log().find(BOOK, said.id)
        assert len(final.reactions or []) == 12
        changes = [e.seq for e in StoredEvent.objects(message_id=ObjectId(said.id))]
        assert final.rev == max(changes)
        assert [e["seq"] for e in await entries(mongo.async_database())] == list(range(1, 56))


@pytest.mark.usefixtures("logs")
class TestReading:
    async def test_the_newest_come_first_and_no_more_than_asked_for(self) -> None:
        logs = new_logs()
        await asyncio.gather(*(logs.append(draft(str(n))) for n in range(60)))

        latest = await log().latest(BOOK, limit=50)

        assert [message.content for message in latest] == [str(n) for n in range(59, 9, -1)]

    async def test_an_entry_tells_of_its_message_as_it_is_now(self) -> None:
        logs = new_logs()
        said = (await logs.append(draft())).message
        await logs.change(edit(said))
        await logs.change(removal(said, "moderator"))

        message, updated, deleted = await log().between(BOOK, after=0, up_to=9)

        assert isinstance(message, Message)
        assert (message.content, message.deleted_by, message.rev) == ("", "moderator", 3)
        assert isinstance(updated, MessageUpdated)
        assert updated.message == message
        assert isinstance(deleted, MessageDeleted)
        assert await log().between(BOOK, after=1, up_to=2) == [updated]

    async def test_a_room_that_was_purged_of_a_flood_is_still_read_by_index(self) -> None:
        logs = new_logs()
        await asyncio.gather(*(logs.append(draft(str(n))) for n in range(120)))
        collection = mongo.async_database()["messages"]
        await collection.update_many({"seq": {"$gt": 20}}, {"$set": {"state": "hidden"}})

        latest = await log().latest(BOOK, limit=50)
        wanted = {"bookId": BOOK, "state": "visible", "kind": "message"}
        cursor = collection.find(wanted, sort=[("createdAt", -1), ("_id", -1)], limit=50)
        plan = await cursor.explain()

        assert [message.seq for message in latest] == list(range(20, 0, -1))
        assert plan["executionStats"]["totalDocsExamined"] == 20
        assert "SORT" not in str(plan["queryPlanner"]["winningPlan"])


async def test_a_mongod_that_is_away_is_a_refusal_within_the_deadline_and_then_all_is_well(
    tmp_path: Any,
) -> None:
    private = SessionStores(tmp_path)
    with private.mongo:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(private.mongo_url)
        async with client:
            logs = RoomLogs(client[DATABASE])
            await logs.append(draft("before"))
            private.mongod.stop()
            began = asyncio.get_running_loop().time()
            with pytest.raises(StoreUnavailable):
                await logs.append(draft("lost?", client_msg_id="c-1"))
            assert asyncio.get_running_loop().time() - began < 9
            assert logs.unsettled == {BOOK}

            private.mongod.start()
            kept = await logs.append(draft("lost?", client_msg_id="c-1"))

            latest = await LogReader(client[DATABASE]).latest(BOOK, limit=9)
            assert [message.content for message in latest] == ["lost?", "before"]
            assert kept.message.seq == 2
    private.stop()
