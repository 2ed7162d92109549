"""Looking at what was said: everything once, whatever the stores do and whoever is killed."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from chat.events import ChatMessage, EditMessage, Message
from chat.rules import Place, Visitor
from chat.watching import MOST_UNSEEN, SETTLED_MS, Stretch, Watcher, unseen
from readrealm.kernel.errors import StoreUnavailable
from tests.unit.chat.fakes import ADA, BOOK, NOW_MS, chat

VISITOR = Visitor(sid="s", identity=ADA)


class Flagged:
    """What was flagged."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str]]] = []
        self.now_ms = NOW_MS
        self.away_after: int | None = None
        """How many flags are kept before the store is away."""

    async def flag(self, message: Message, words: Sequence[str], *, at_ms: int) -> None:
        assert at_ms == self.now_ms
        if self.away_after is not None and len(self.kept) >= self.away_after:
            raise StoreUnavailable
        self.kept.append((message.content, list(words)))


class List:
    """The words, and how often they were asked for."""

    def __init__(self, *words: str) -> None:
        self.words, self.asked = words, 0

    async def __call__(self) -> Sequence[str]:
        self.asked += 1
        return self.words


class Kept:
    """What is in the store: entries by id, a stretch for each two of them, and the mark."""

    def __init__(self, *said: Message, mark: str | None = None) -> None:
        self.said, self.marked = sorted(said, key=lambda each: each.id), mark

    async def mark(self) -> str | None:
        return self.marked

    async def advance(self, mark: str) -> None:
        self.marked = max(self.marked or "", mark)

    async def stretch(self, *, after: str, before: str) -> Stretch | None:
        first = [each for each in self.said if after < each.id < before][:2]
        return Stretch(messages=first, end=first[-1].id) if first else None


def saying(content: str) -> ChatMessage:
    return ChatMessage(book_id=BOOK, user_id="1", username="Ada", content=content)


def kept(content: str, *, seq: int, ago_ms: int) -> Message:
    """A message that was kept some time ago."""
    place = Place(seq=seq, at_ms=NOW_MS - ago_ms)
    at = "2026-11-21T12:00:00.000Z"
    return Message(
        id=place.entry_id(b"room").hex(),
        book_id=BOOK,
        user_id="1",
        username="Ada",
        content=content,
        created_at=at,
        updated_at=at,
        seq=seq,
        rev=seq,
    )


def watching(
    spoken: deque[Message] | None = None, *, past: Kept | None = None, **parts: Any
) -> Watcher:
    usual: dict[str, Any] = {
        "words": List("whale"),
        "flags": Flagged(),
        "past": past or Kept(),
        "clock": lambda: NOW_MS,
    }
    return Watcher(unseen() if spoken is None else spoken, **usual | parts)


LONG_AGO = Place(seq=0, at_ms=NOW_MS - 600_000).entry_id(bytes(4)).hex()


async def test_messages_and_new_wordings_are_looked_at_after_they_were_told() -> None:
    spoken, flagged = unseen(), Flagged()
    service = chat(spoken=spoken)
    watcher = watching(spoken, flags=flagged)

    said = await service.say(saying("a whale"), VISITOR)
    await service.say(saying("calm sea"), VISITOR)
    await service.edit(
        EditMessage(book_id=BOOK, message_id=said.id, content="two W.H.A.L.E"), VISITOR
    )
    assert flagged.kept == []
    await watcher.look()

    assert flagged.kept == [("a whale", ["whale"]), ("two W.H.A.L.E", ["whale"])]
    await watcher.look()
    assert len(flagged.kept) == 2


async def test_what_was_sent_again_is_looked_at_once() -> None:
    spoken = unseen()
    service = chat(spoken=spoken)
    again = ChatMessage(
        book_id=BOOK, user_id="1", username="Ada", content="a whale", client_msg_id="x"
    )

    await service.say(again, VISITOR)
    await service.say(again, VISITOR)

    assert len(spoken) == 1


async def test_a_change_of_the_list_holds_from_the_next_look_on() -> None:
    spoken, flagged, words = unseen(), Flagged(), List()
    service = chat(spoken=spoken)
    watcher = watching(spoken, words=words, flags=flagged)

    await service.say(saying("a whale"), VISITOR)
    await watcher.look()
    words.words = ("whale",)
    await service.say(saying("another whale"), VISITOR)
    await watcher.look()

    assert flagged.kept == [("another whale", ["whale"])]


async def test_in_silence_nothing_is_asked() -> None:
    words = List("whale")

    watcher = watching(words=words, past=Kept(mark=LONG_AGO))

    await watcher.look()
    await watcher.look_again()

    assert words.asked == 0


async def test_a_flag_that_could_not_be_kept_is_tried_again() -> None:
    spoken, flagged = unseen(), Flagged()
    service = chat(spoken=spoken)
    watcher = watching(spoken, flags=flagged)
    await service.say(saying("a whale"), VISITOR)

    flagged.away_after = 0
    with pytest.raises(StoreUnavailable):
        await watcher.look()
    flagged.away_after = None
    await watcher.look()

    assert flagged.kept == [("a whale", ["whale"])]


def test_what_waits_is_bounded() -> None:
    assert unseen().maxlen == MOST_UNSEEN


class TestLookingAgain:
    async def test_what_a_killed_worker_did_not_look_at_is_found_in_the_store(self) -> None:
        flagged = Flagged()
        said = [kept(f"whale {n}", seq=n, ago_ms=20_000 + 1_000 * (9 - n)) for n in range(1, 8)]
        past = Kept(*said, kept("calm sea", seq=8, ago_ms=20_000), mark=LONG_AGO)

        await watching(past=past, flags=flagged).look_again()

        assert flagged.kept == [(f"whale {n}", ["whale"]) for n in range(1, 8)]

    async def test_each_is_looked_at_by_one_worker_once(self) -> None:
        flagged = Flagged()
        past = Kept(kept("a whale", seq=1, ago_ms=20_000), mark=LONG_AGO)

        for _ in range(3):
            await watching(past=past, flags=flagged).look_again()

        assert len(flagged.kept) == 1

    async def test_what_may_still_have_older_neighbours_on_their_way_waits(self) -> None:
        flagged, past = Flagged(), Kept(mark=LONG_AGO)
        past.said = [kept("young whale", seq=2, ago_ms=SETTLED_MS - 3_000)]
        await watching(past=past, flags=flagged).look_again()
        assert flagged.kept == []

        # Kept a little earlier, and slowly.
        past.said.insert(0, kept("late whale", seq=1, ago_ms=SETTLED_MS - 2_000))
        later = watching(past=past, flags=flagged, clock=lambda: NOW_MS + 5_000)
        flagged.now_ms += 5_000
        await later.look_again()

        assert [content for content, _ in flagged.kept] == ["late whale", "young whale"]

    async def test_it_goes_on_where_it_was_interrupted(self) -> None:
        flagged, past = Flagged(), Kept(mark=LONG_AGO)
        past.said = [kept(f"whale {n}", seq=n, ago_ms=60_000 - n) for n in range(1, 5)]
        watcher = watching(past=past, flags=flagged)

        flagged.away_after = 3
        with pytest.raises(StoreUnavailable):
            await watcher.look_again()
        flagged.away_after = None
        await watcher.look_again()

        # The stretch that was interrupted is looked at again: a wording is flagged once.
        assert [content for content, _ in flagged.kept] == [f"whale {n}" for n in (1, 2, 3, 3, 4)]

    async def test_what_is_older_than_the_first_mark_is_left_alone(self) -> None:
        flagged, past = Flagged(), Kept(kept("an old whale", seq=1, ago_ms=60_000))

        await watching(past=past, flags=flagged).look_again()
        assert past.marked is not None
        past.said.append(kept("a new whale", seq=2, ago_ms=SETTLED_MS - 2_000))
        flagged.now_ms += 10_000
        await watching(past=past, flags=flagged, clock=lambda: NOW_MS + 10_000).look_again()

        assert [content for content, _ in flagged.kept] == ["a new whale"]

    async def test_an_empty_list_has_looked_at_everything(self) -> None:
        flagged, past = Flagged(), Kept(kept("a whale", seq=1, ago_ms=60_000), mark=LONG_AGO)

        await watching(past=past, flags=flagged, words=List()).look_again()
        await watching(past=past, flags=flagged).look_again()

        assert flagged.kept == []
