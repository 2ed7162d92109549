"""Looking at what was said: everything once, whatever the stores do."""

from collections.abc import Sequence

import pytest

from chat.events import ChatMessage, EditMessage, Message
from chat.rules import Visitor
from chat.watching import MOST_UNSEEN, Watcher, unseen
from readrealm.kernel.errors import StoreUnavailable
from tests.unit.chat.fakes import ADA, BOOK, NOW_MS, chat

VISITOR = Visitor(sid="s", identity=ADA)


class Flagged:
    """What was flagged."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str]]] = []
        self.is_away = False

    async def flag(self, message: Message, words: Sequence[str], *, at_ms: int) -> None:
        assert at_ms == NOW_MS
        if self.is_away:
            raise StoreUnavailable
        self.kept.append((message.content, list(words)))


class List:
    """The words, and how often they were asked for."""

    def __init__(self, *words: str) -> None:
        self.words, self.asked = words, 0

    async def __call__(self) -> Sequence[str]:
        self.asked += 1
        return self.words


def saying(content: str) -> ChatMessage:
    return ChatMessage(book_id=BOOK, user_id="1", username="Ada", content=content)


async def test_messages_and_new_wordings_are_looked_at_after_they_were_told() -> None:
    spoken, flagged = unseen(), Flagged()
    service = chat(spoken=spoken)
    watcher = Watcher(spoken, words=List("whale"), flags=flagged, clock=lambda: NOW_MS)

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
    watcher = Watcher(spoken, words=words, flags=flagged, clock=lambda: NOW_MS)

    await service.say(saying("a whale"), VISITOR)
    await watcher.look()
    words.words = ("whale",)
    await service.say(saying("another whale"), VISITOR)
    await watcher.look()

    assert flagged.kept == [("another whale", ["whale"])]


async def test_in_silence_nothing_is_asked() -> None:
    words = List("whale")

    await Watcher(unseen(), words=words, flags=Flagged(), clock=lambda: NOW_MS).look()

    assert words.asked == 0


async def test_a_flag_that_could_not_be_kept_is_tried_again() -> None:
    spoken, flagged = unseen(), Flagged()
    service = chat(spoken=spoken)
    watcher = Watcher(spoken, words=List("whale"), flags=flagged, clock=lambda: NOW_MS)
    await service.say(saying("a whale"), VISITOR)

    flagged.is_away = True
    with pytest.raises(StoreUnavailable):
        await watcher.look()
    flagged.is_away = False
    await watcher.look()

    assert flagged.kept == [("a whale", ["whale"])]


def test_what_waits_is_bounded() -> None:
    assert unseen().maxlen == MOST_UNSEEN
