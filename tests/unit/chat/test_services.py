"""What can be done in a room, over stand-ins for the stores."""

from typing import Any

import pytest

from chat.events import (
    ChatMessage,
    DeleteMessage,
    EditMessage,
    GetMessages,
    Message,
    MessageDeleted,
    MessageUpdated,
    ReactionChanged,
    ReactMessage,
    Typing,
    UserJoined,
    UserLeft,
    UserTyping,
)
from chat.rules import MISSED_AT_ONCE, Visitor
from chat.services import ChatService
from readrealm.kernel.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    StoreUnavailable,
)
from tests.unit.chat.fakes import (
    ADA,
    BOB,
    BOOK,
    GUEST,
    NOW,
    Heard,
    MemoryLogs,
    MemoryRoster,
    Spends,
    chat,
)

ON_A_PHONE = Visitor(sid="phone", identity=ADA)
ON_A_DESK = Visitor(sid="desk", identity=ADA)
BY_BOB = Visitor(sid="bob", identity=BOB)
BY_GUEST = Visitor(sid="guest", identity=GUEST)


def saying(content: str = "Call me Ishmael.", **fields: Any) -> ChatMessage:
    given = {"book_id": BOOK, "user_id": "1", "username": "Ada", "content": content} | fields
    return ChatMessage(**given)


async def said(service: ChatService, content: str = "Call me Ishmael.") -> Message:
    return await service.say(saying(content), ON_A_PHONE)


def heard(service: ChatService) -> list[Any]:
    assert isinstance(service.broadcast, Heard)
    return service.broadcast.events


class TestComingAndGoing:
    async def test_a_welcome_is_the_newest_fifty_and_where_the_log_stands(self) -> None:
        service = chat()
        for number in range(51):
            await said(service, f"line {number}")

        welcome = await service.welcome(BOOK)

        assert [message.seq for message in welcome.messages] == list(range(51, 1, -1))
        assert welcome.head == 51

    async def test_what_is_said_during_a_welcome_is_never_in_neither(self) -> None:
        class Busy(MemoryLogs):
            async def latest(self, book_id: int, *, limit: int) -> list[Message]:
                await said(speaker)
                return await super().latest(book_id, limit=limit)

        logs = Busy()
        speaker = chat(messages=logs)

        welcome = await chat(messages=logs).welcome(BOOK)

        assert welcome.head == 0
        assert [message.seq for message in welcome.messages] == [1]

    async def test_the_room_hears_of_a_reader_once_however_many_sockets_there_are(self) -> None:
        service = chat()

        present = [
            await service.enter(BOOK, visitor) for visitor in (ON_A_PHONE, ON_A_DESK, BY_BOB)
        ]
        await service.enter(BOOK, ON_A_PHONE)
        for visitor in (ON_A_PHONE, BY_BOB, ON_A_DESK, ON_A_DESK):
            await service.leave(BOOK, visitor)

        assert present == [1, 1, 2]
        assert [(type(each), each.username, each.members) for each in heard(service)] == [
            (UserJoined, "Ada", 1),
            (UserJoined, "Bob", 2),
            (UserLeft, "Bob", 1),
            (UserLeft, "Ada", 0),
        ]
        assert {(each.timestamp, each.book_id) for each in heard(service)} == {(NOW, BOOK)}

    async def test_a_guest_with_an_accounts_id_is_somebody_else(self) -> None:
        service = chat()
        await service.enter(BOOK, ON_A_PHONE)

        await service.enter(BOOK, BY_GUEST)

        assert [each.is_guest for each in heard(service)] == [False, True]

    async def test_those_who_are_present_are_named_in_order(self) -> None:
        service = chat()
        for visitor in (BY_BOB, BY_GUEST, ON_A_PHONE, ON_A_DESK):
            await service.enter(BOOK, visitor)

        presence = await service.presence(BOOK)

        assert presence.count == 3
        assert [member.username for member in presence.members] == ["Ada", "Ada?", "Bob"]
        assert await service.present_in([BOOK, 7]) == {BOOK: 3, 7: 0}


class TestSpeaking:
    async def test_what_is_said_is_kept_and_heard(self) -> None:
        service = chat()

        message = await service.say(saying(client_msg_id="c-1"), ON_A_PHONE)

        assert heard(service) == [message] == (await service.welcome(BOOK)).messages
        assert (message.user_id, message.username, message.is_guest) == ("1", "Ada", False)

    async def test_nothing_is_heard_that_was_not_kept(self) -> None:
        logs = MemoryLogs()
        service = chat(messages=logs)
        logs.is_away = True

        with pytest.raises(StoreUnavailable):
            await said(service)

        assert heard(service) == []

    async def test_an_author_is_who_the_socket_is_and_not_what_the_payload_says(self) -> None:
        message = await chat().say(saying(user_id="7", username="Ahab"), BY_BOB)

        assert (message.user_id, message.username) == ("2", "Bob")

    async def test_a_message_sent_again_is_given_again_and_told_once(self) -> None:
        service = chat()

        first = await service.say(saying(client_msg_id="c-1"), ON_A_PHONE)
        again = await service.say(saying(client_msg_id="c-1"), ON_A_DESK)

        assert again == first
        assert heard(service) == [first]

    @pytest.mark.parametrize("content", ["  ", "x" * 4_001, "a\x00b", "\ud800"])
    async def test_text_that_may_not_be_said_costs_nothing(self, content: str) -> None:
        service = chat()

        with pytest.raises(InvalidInput):
            await said(service, content)

        assert heard(service) == []
        assert isinstance(service.allowance, Spends)
        assert service.allowance.spent == []

    async def test_an_author_who_writes_too_often_is_told_when_to_try_again(self) -> None:
        service = chat(allowance=Spends(2))
        await said(service)
        await service.say(saying(), ON_A_DESK)

        with pytest.raises(RateLimited) as refusal:
            await said(service)

        assert refusal.value.details == {"retry_after_ms": 1_000}
        assert len(heard(service)) == 2
        await service.say(saying(), BY_BOB)

    async def test_an_answer_names_the_message_and_where_it_is(self) -> None:
        service = chat()
        first = await said(service)

        answer = await service.say(saying(reply_to=first.id), BY_BOB)

        assert (answer.reply_to, answer.reply_to_seq) == (first.id, 1)

    async def test_only_a_message_of_the_room_that_is_there_can_be_answered(self) -> None:
        service = chat()
        elsewhere = await service.say(saying(book_id=84), ON_A_PHONE)
        removed = await said(service)
        await service.delete(DeleteMessage(book_id=BOOK, message_id=removed.id), ON_A_PHONE)

        for message_id in (elsewhere.id, removed.id, "0" * 24):
            with pytest.raises(NotFound):
                await service.say(saying(reply_to=message_id), BY_BOB)

    async def test_typing_is_told_and_not_kept(self) -> None:
        service = chat()

        await service.typing(Typing(book_id=BOOK, on=True), BY_BOB)

        (told,) = heard(service)
        assert told == UserTyping(book_id=BOOK, username="Bob", on=True, user_id="2")
        assert (await service.welcome(BOOK)).head == 0


class TestChanging:
    async def test_an_author_edits_and_the_room_hears_the_new_text(self) -> None:
        service = chat()
        message = await said(service)
        edit = EditMessage(book_id=BOOK, message_id=message.id, content=" Call me Ahab. ")

        edited = await service.edit(edit, ON_A_DESK)
        again = await service.edit(edit, ON_A_DESK)

        assert edited == again
        assert edited.content == "Call me Ahab."
        assert heard(service)[1:] == [MessageUpdated(book_id=BOOK, seq=2, message=edited)]

    async def test_an_author_deletes_once_and_the_room_hears_it_once(self) -> None:
        service = chat()
        message = await said(service)
        deletion = DeleteMessage(book_id=BOOK, message_id=message.id)

        await service.delete(deletion, ON_A_PHONE)
        await service.delete(deletion, ON_A_PHONE)

        assert heard(service)[1:] == [
            MessageDeleted(book_id=BOOK, seq=2, message_id=message.id, by="author")
        ]
        assert (await service.welcome(BOOK)).messages == []

    @pytest.mark.parametrize("stranger", [BY_BOB, BY_GUEST])
    async def test_nobody_else_changes_a_message(self, stranger: Visitor) -> None:
        service = chat()
        message = await said(service)
        edit = EditMessage(book_id=BOOK, message_id=message.id, content="mine now")

        with pytest.raises(Forbidden):
            await service.edit(edit, stranger)
        with pytest.raises(Forbidden):
            await service.delete(DeleteMessage(book_id=BOOK, message_id=message.id), stranger)

        assert heard(service) == [message]

    async def test_everybody_reacts_once_with_each_emoji(self) -> None:
        service = chat()
        message = await said(service)
        whale = ReactMessage(book_id=BOOK, message_id=message.id, emoji="🐋", on=True)

        for visitor in (BY_BOB, BY_BOB, BY_GUEST):
            await service.react(whale, visitor)
        await service.react(
            ReactMessage(book_id=BOOK, message_id=message.id, emoji="🐋", on=False), BY_BOB
        )

        changes = [each for each in heard(service) if isinstance(each, ReactionChanged)]
        assert [(each.user_id, each.is_guest, each.on, each.seq) for each in changes] == [
            ("2", False, True, 2),
            ("1", True, True, 3),
            ("2", False, False, 4),
        ]

    async def test_what_is_no_emoji_is_no_reaction(self) -> None:
        service = chat()
        message = await said(service)
        wrong = ReactMessage(book_id=BOOK, message_id=message.id, emoji="lol", on=True)

        with pytest.raises(InvalidInput):
            await service.react(wrong, BY_BOB)

    async def test_changes_and_typing_have_allowances_of_their_own(self) -> None:
        service = chat(allowance=Spends(1))
        message = await said(service)
        await service.typing(Typing(book_id=BOOK, on=True), ON_A_PHONE)
        deletion = DeleteMessage(book_id=BOOK, message_id=message.id)

        await service.delete(deletion, ON_A_PHONE)

        with pytest.raises(RateLimited):
            await service.delete(deletion, ON_A_PHONE)


class TestReading:
    async def test_a_page_has_messages_and_other_entries_in_the_order_of_reading(self) -> None:
        service = chat()
        first = await said(service, "first")
        await service.react(
            ReactMessage(book_id=BOOK, message_id=first.id, emoji="🐋", on=True), BY_BOB
        )
        await said(service, "second")
        await service.delete(DeleteMessage(book_id=BOOK, message_id=first.id), ON_A_PHONE)

        forwards = await service.read(GetMessages(book_id=BOOK, after_seq=0, limit=3))
        backwards = await service.read(GetMessages(book_id=BOOK))

        assert [message.seq for message in forwards.messages] == [1, 3]
        assert forwards.messages[0].deleted_by == "author", "in its present state"
        assert forwards.events == [
            {
                "type": "reactionChanged",
                "bookId": BOOK,
                "seq": 2,
                "messageId": first.id,
                "emoji": "🐋",
                "on": True,
                "userId": "2",
                "isGuest": False,
            }
        ]
        assert (forwards.head_seq, forwards.has_more) == (4, True)
        assert [message.seq for message in backwards.messages] == [3, 1]
        assert [event["type"] for event in backwards.events] == [
            "messageDeleted",
            "reactionChanged",
        ]
        assert not backwards.has_more

    async def test_a_reader_who_pages_through_the_log_sees_every_entry_once(self) -> None:
        service = chat()
        for number in range(23):
            await said(service, f"line {number}")
        seen, after = [], 0
        while True:
            page = await service.read(GetMessages(book_id=BOOK, after_seq=after, limit=5))
            seen += [message.seq for message in page.messages]
            after = seen[-1]
            if not page.has_more:
                break

        assert seen == list(range(1, 24))

    async def test_what_a_worker_missed_is_read_in_bounded_pieces(self) -> None:
        service = chat()
        for number in range(MISSED_AT_ONCE + 10):
            await said(service, str(number))

        piece = await service.missed(BOOK, after=2, up_to=None)
        rest = await service.missed(BOOK, after=2 + MISSED_AT_ONCE, up_to=None)
        some = await service.missed(BOOK, after=2, up_to=5)

        assert [event.seq for event in piece] == list(range(3, MISSED_AT_ONCE + 3))
        assert [event.seq for event in rest] == list(range(MISSED_AT_ONCE + 3, MISSED_AT_ONCE + 11))
        assert [event.seq for event in some] == [3, 4, 5]


async def test_a_roster_that_is_away_refuses_and_tells_nobody() -> None:
    roster = MemoryRoster()
    service = chat(roster=roster)
    roster.is_away = True

    for call in (service.enter(BOOK, ON_A_PHONE), service.leave(BOOK, ON_A_PHONE)):
        with pytest.raises(StoreUnavailable):
            await call
    assert heard(service) == []
