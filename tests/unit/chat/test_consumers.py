"""One socket in rooms: what it is answered, what it hears first, and what it may not do."""

import logging
from typing import Any

import pytest

from chat.consumers import ChatConsumer
from chat.events import Done, ExceptionNotice, Joined, Refused, Said, UserJoined, UserLeft
from chat.rules import ROOMS_PER_SOCKET
from chat.services import ChatService
from readrealm.kernel.errors import (
    AppError,
    Forbidden,
    InvalidInput,
    InvalidState,
    NotInRoom,
    StoreUnavailable,
)
from readrealm.kernel.identity import Identity, SocketIdentity
from readrealm.kernel.wire import plain
from tests.unit.chat.fakes import ADA, BOOK, Heard, MemoryLogs, MemoryRoster, Spends, chat

HERE = {"bookId": BOOK, "userId": "u2", "username": "bob"}
HELLO = {**HERE, "content": "hi"}


class Socket(ChatConsumer):
    """The consumer as the bridge drives it, over lists instead of a connection."""

    def __init__(self, service: ChatService, account: Identity | None = None, **scope: Any) -> None:
        super().__init__(lambda: service)
        self.sid = f"sid-{id(self)}"
        self.scope = {"identity": SocketIdentity(account), **scope}
        self.heard: list[tuple[str, Any]] = []
        self.groups: list[str] = []
        self.is_layer_away = False

    async def emit(self, event: str, *args: Any) -> None:
        self.heard.append((event, *args))

    async def join(self, group: str) -> None:
        if self.is_layer_away:
            raise ConnectionError("not confirmed")
        self.groups.append(group)

    def caught_up(self, group: str, number: int) -> None:
        assert group in self.groups

    async def leave(self, group: str) -> None:
        self.groups.remove(group)

    async def send_event(self, event: str, data: Any = None) -> Any:
        """Answer as the bridge does: a refusal goes through `refused`."""
        try:
            return await self.answer(event, data)
        except Exception as error:
            return await self.refused(event, error)


async def socket(
    service: ChatService | None = None, account: Identity | None = None, **scope: Any
) -> Socket:
    opened = Socket(service or chat(), account, **scope)
    await opened.connected()
    return opened


def told(consumer: ChatConsumer) -> list[Any]:
    assert isinstance(consumer.service.broadcast, Heard)
    return consumer.service.broadcast.events


class TestJoining:
    async def test_history_comes_first_and_then_the_room_hears_it(self) -> None:
        bob = await socket()

        class Order(Heard):
            async def publish(self, event: Any) -> None:
                bob.heard.append((type(event).__name__, event))
                assert bob.groups == [f"book_{BOOK}"]

        object.__setattr__(bob.service, "broadcast", Order())

        answer = await bob.answer("joinRoom", HERE)

        assert [name for name, _ in bob.heard] == ["previousMessages", "UserJoined"]
        assert bob.heard[0] == ("previousMessages", [])
        assert answer == Joined(book_id=BOOK, head_seq=0, members=1)

    async def test_the_socket_hears_the_room_before_history_is_read(self) -> None:
        class Watchful(MemoryLogs):
            async def head(self, book_id: int) -> int:
                assert bob.groups == [f"book_{book_id}"]
                return await super().head(book_id)

        bob = await socket(chat(messages=Watchful()))
        await bob.answer("joinRoom", HERE)

        assert bob.rooms == {BOOK}

    async def test_joining_again_sends_history_again_and_announces_nothing(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        await bob.answer("chatMessage", HELLO)

        again = await bob.answer("joinRoom", {**HERE, "bookId": str(BOOK)})

        assert [name for name, _ in bob.heard] == ["previousMessages"] * 2
        assert [message.content for message in bob.heard[1][1]] == ["hi"]
        assert (again.head_seq, bob.groups) == (1, [f"book_{BOOK}"])
        assert [type(each) for each in told(bob)].count(UserJoined) == 1

    @pytest.mark.parametrize("away", ["messages", "roster", "layer"])
    async def test_when_a_store_fails_the_socket_is_out_of_the_room_again(self, away: str) -> None:
        bob = await socket()
        bob.is_layer_away = away == "layer"
        for name in ("messages", "roster"):
            getattr(bob.service, name).is_away = away == name

        answer = await bob.send_event("joinRoom", HERE)

        assert isinstance(answer, Refused)
        assert answer.code == "INTERNAL_ERROR"
        assert bob.heard[-1][0] == "exception"
        assert (bob.rooms, bob.groups, told(bob)) == (set(), [], [])
        assert (await bob.send_event("chatMessage", HELLO)).code == "NOT_IN_ROOM"

    async def test_a_member_whose_second_join_fails_stays_a_member(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        assert isinstance(bob.service.messages, MemoryLogs)
        bob.service.messages.is_away = True
        await bob.send_event("joinRoom", HERE)
        bob.service.messages.is_away = False

        assert isinstance(await bob.send_event("chatMessage", HELLO), Said)

    async def test_a_socket_is_in_a_bounded_number_of_rooms(self) -> None:
        bob = await socket()
        for book_id in range(1, ROOMS_PER_SOCKET + 1):
            await bob.answer("joinRoom", {**HERE, "bookId": book_id})

        with pytest.raises(InvalidState):
            await bob.answer("joinRoom", {**HERE, "bookId": 99})
        await bob.answer("joinRoom", {**HERE, "bookId": 1})
        await bob.answer("leaveRoom", {"bookId": 2})
        await bob.answer("joinRoom", {**HERE, "bookId": 99})

        assert len(bob.rooms) == len(bob.groups) == ROOMS_PER_SOCKET


class TestLeaving:
    async def test_the_leaver_is_out_before_the_others_hear_it(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)

        class Order(Heard):
            async def publish(self, event: Any) -> None:
                assert bob.groups == []
                await super().publish(event)

        object.__setattr__(bob.service, "broadcast", Order())
        answer = await bob.answer("leaveRoom", {"bookId": BOOK, "username": "not bob"})

        assert answer == Done()
        (left,) = told(bob)
        assert (type(left), left.username) == (UserLeft, "bob")

    async def test_who_is_not_there_cannot_leave(self) -> None:
        bob = await socket()

        with pytest.raises(NotInRoom):
            await bob.answer("leaveRoom", {"bookId": BOOK, "username": "somebody"})
        assert told(bob) == []

    async def test_a_connection_that_ends_leaves_every_room(self) -> None:
        bob = await socket()
        for book_id in (1, 2, 3):
            await bob.answer("joinRoom", {**HERE, "bookId": book_id})

        await bob.disconnected()

        left = [each.book_id for each in told(bob) if isinstance(each, UserLeft)]
        assert left == [1, 2, 3]
        assert bob.groups == []

    async def test_a_roster_that_is_away_does_not_keep_a_connection_in_its_rooms(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bob = await socket()
        for book_id in (1, 2):
            await bob.answer("joinRoom", {**HERE, "bookId": book_id})
        assert isinstance(bob.service.roster, MemoryRoster)
        bob.service.roster.is_away = True

        with caplog.at_level(logging.WARNING):
            await bob.disconnected()

        assert (bob.groups, bob.rooms) == ([], set())
        assert len(caplog.records) == 2

    async def test_a_socket_that_never_joined_just_ends(self) -> None:
        bob = await socket()
        await bob.disconnected()
        assert told(bob) == []


class TestIdentity:
    async def test_an_anonymous_socket_keeps_its_first_identity(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)

        for event, payload in (
            ("joinRoom", {**HERE, "userId": "u3", "bookId": 7}),
            ("chatMessage", {**HELLO, "userId": "u3"}),
        ):
            with pytest.raises(Forbidden):
                await bob.answer(event, payload)
        renamed = await bob.answer("chatMessage", {**HELLO, "username": "bobby"})

        assert renamed.message.username == "bob"
        assert renamed.message.is_guest

    async def test_an_account_is_who_it_is(self) -> None:
        ada = await socket(account=ADA)

        with pytest.raises(Forbidden):
            await ada.answer("joinRoom", HERE)
        await ada.answer("joinRoom", {"bookId": BOOK, "userId": 1, "username": "Not Ada"})
        said = (
            await ada.answer(
                "chatMessage",
                {"bookId": BOOK, "userId": "1", "username": "AI", "content": "hi"},
            )
        ).message

        assert (said.user_id, said.username, said.is_guest) == ("1", "Ada", False)

    async def test_a_guest_with_an_accounts_id_cannot_touch_the_accounts_messages(self) -> None:
        service = chat()
        ada, guest = await socket(service, ADA), await socket(service)
        as_ada = {"bookId": BOOK, "userId": "1", "username": "Ada"}
        await ada.answer("joinRoom", as_ada)
        await guest.answer("joinRoom", as_ada)
        said = (await ada.answer("chatMessage", {**as_ada, "content": "hi"})).message
        about = {"bookId": BOOK, "messageId": said.id}

        for event, payload in (("editMessage", {"content": "ha"}), ("deleteMessage", {})):
            with pytest.raises(Forbidden):
                await guest.answer(event, about | payload)

    @pytest.mark.parametrize("name", ["userId", "username"])
    @pytest.mark.parametrize("wrong", [" ", "a\nb", "a\x00", "\ud800", "x" * 129])
    async def test_identities_that_cannot_be_shown_are_not_pinned(
        self, name: str, wrong: str
    ) -> None:
        bob = await socket()

        with pytest.raises(InvalidInput):
            await bob.answer("joinRoom", {**HERE, name: wrong})
        await bob.answer("joinRoom", HERE)


NEEDS_MEMBERSHIP = {
    "leaveRoom": {},
    "chatMessage": HELLO,
    "getMessages": {},
    "editMessage": {"messageId": "a" * 24, "content": "x"},
    "deleteMessage": {"messageId": "a" * 24},
    "reactMessage": {"messageId": "a" * 24, "emoji": "🐋", "on": True},
    "reportMessage": {"messageId": "a" * 24, "reason": "spam"},
    "getWordings": {"messageId": "a" * 24},
    "typing": {"on": True},
    "getPresence": {},
}


class TestAnswers:
    @pytest.mark.parametrize("event", NEEDS_MEMBERSHIP)
    async def test_a_stranger_can_do_nothing_in_a_room(self, event: str) -> None:
        service = chat()
        member, stranger = await socket(service), await socket(service)
        await member.answer("joinRoom", HERE)
        await stranger.answer("joinRoom", {**HERE, "bookId": 7})
        before = list(told(member))

        with pytest.raises(NotInRoom):
            await stranger.answer(event, {**NEEDS_MEMBERSHIP[event], "bookId": BOOK})
        assert told(member) == before

    def test_every_event_of_the_contract_is_answered(self) -> None:
        assert ChatConsumer.events == {"joinRoom", *NEEDS_MEMBERSHIP}

    async def test_a_conversation_with_every_event(self) -> None:
        bob = await socket()
        room = {"bookId": BOOK}
        await bob.answer("joinRoom", HERE)
        said = (await bob.answer("chatMessage", {**HELLO, "clientMsgId": "c-1"})).message
        about = {**room, "messageId": said.id}

        edited = await bob.answer("editMessage", {**about, "content": "ho"})
        reacted = await bob.answer("reactMessage", {**about, "emoji": "🐋", "on": True})
        typing = await bob.answer("typing", {**room, "on": True})
        presence = await bob.answer("getPresence", room)
        worded = await bob.answer("getWordings", about)
        deleted = await bob.answer("deleteMessage", about)
        page = await bob.answer("getMessages", {**room, "afterSeq": 1})

        assert (edited.message.content, edited.message.client_msg_id) == ("ho", "c-1")
        assert reacted == typing == deleted == Done()
        assert [each.content for each in worded.wordings] == ["hi", "ho"]
        assert plain(presence) == {
            "ok": True,
            "count": 1,
            "members": [{"userId": "u2", "username": "bob", "isGuest": True}],
        }
        assert [event["type"] for event in page.events] == [
            "messageUpdated",
            "reactionChanged",
            "messageDeleted",
        ]
        assert (page.head_seq, page.has_more) == (4, False)

    async def test_what_a_client_forges_has_no_effect(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        forged = {"_id": "0" * 24, "createdAt": "1999-01-01", "isAi": True, "seq": 99, "rev": 99}

        said = (await bob.answer("chatMessage", {**HELLO, **forged})).message

        assert (said.seq, said.rev, said.is_ai) == (1, 1, False)
        assert said.id != "0" * 24
        assert not said.created_at.startswith("1999")

    @pytest.mark.parametrize(
        ("event", "field", "longest"),
        [
            ("joinRoom", "userId", 128),
            ("joinRoom", "username", 64),
            ("chatMessage", "userId", 128),
            ("chatMessage", "username", 64),
            ("chatMessage", "content", 4_000),
            ("editMessage", "content", 4_000),
        ],
    )
    async def test_text_has_one_limit_and_whoever_exceeds_it_is_told_which(
        self, event: str, field: str, longest: int
    ) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        said = await bob.answer("chatMessage", HELLO)
        about = {"messageId": said.message.id, "content": "hi"}
        too_long = f"{field} must have at most {longest} characters"
        empty = f"{field} must not be empty"
        kept_before = list(told(bob))

        for size in (longest + 1, 4 * longest + 1, 100 * longest):
            refused = await bob.send_event(event, {**HERE, **about, field: "x" * size})
            assert refused == Refused(code="VALIDATION_ERROR", error=too_long)
        for text in ("", " " * 20 * longest):
            refused = await bob.send_event(event, {**HERE, **about, field: text})
            assert refused == Refused(code="VALIDATION_ERROR", error=empty)

        notices = [notice for name, notice in bob.heard if name == "exception"]
        assert {notice.message for notice in notices} == {too_long, empty}
        assert told(bob) == kept_before

    async def test_what_trimming_takes_away_does_not_count(self) -> None:
        bob = await socket()
        await bob.answer("joinRoom", {**HERE, "username": " " * 900 + "bob" + "\n" * 900})

        said = await bob.answer(
            "chatMessage", {**HELLO, "content": "e\u0301" * 4_000 + " " * 30_000}
        )

        assert said.message.username == "bob"
        assert said.message.content == "\u00e9" * 4_000

    @pytest.mark.parametrize(
        ("event", "payload", "code"),
        [
            ("joinRoom", None, "VALIDATION_ERROR"),
            ("joinRoom", {"userId": "u2", "username": "bob"}, "VALIDATION_ERROR"),
            ("chatMessage", {**HELLO, "content": "  "}, "VALIDATION_ERROR"),
            ("chatMessage", {**HELLO, "content": "x" * 4_001}, "VALIDATION_ERROR"),
            ("chatMessage", {**HELLO, "bookId": "042"}, "VALIDATION_ERROR"),
            ("chatMessage", {**HELLO, "clientMsgId": "\ud800"}, "VALIDATION_ERROR"),
            ("chatMessage", {**HELLO, "userId": "u9"}, "FORBIDDEN"),
            ("chatMessage", {**HELLO, "bookId": 7}, "NOT_IN_ROOM"),
            ("editMessage", {"bookId": BOOK, "messageId": "a" * 24, "content": "x"}, "NOT_FOUND"),
            ("getMessages", {"bookId": BOOK, "afterSeq": 1, "beforeSeq": 2}, "VALIDATION_ERROR"),
            ("typing", {"bookId": BOOK, "on": "yes"}, "VALIDATION_ERROR"),
        ],
    )
    async def test_a_refusal_is_an_exception_event_and_an_ack_and_stores_nothing(
        self, event: str, payload: Any, code: str
    ) -> None:
        bob = await socket()
        await bob.answer("joinRoom", HERE)
        before = list(told(bob))

        answer = await bob.send_event(event, payload)

        name, notice = bob.heard[-1]
        assert name == "exception"
        assert isinstance(notice, ExceptionNotice)
        assert plain(notice) == {
            "status": "error",
            "message": answer.error,
            "code": code,
            "cause": {"pattern": event},
        }
        assert plain(answer) == {"ok": False, "code": code, "error": notice.message}
        assert told(bob) == before
        assert isinstance(await bob.send_event("chatMessage", HELLO), Said)

    async def test_who_is_too_fast_is_told_when_to_try_again(self) -> None:
        bob = await socket(chat(allowance=Spends(0)))
        await bob.answer("joinRoom", HERE)

        answer = await bob.send_event("chatMessage", HELLO)

        assert plain(answer).items() >= {"code": "RATE_LIMITED", "retryAfterMs": 1_000}.items()
        assert plain(bob.heard[-1][1])["retryAfterMs"] == 1_000

    async def test_a_bug_is_answered_without_its_text(self) -> None:
        bob = await socket()

        answer = await bob.refused("chatMessage", KeyError("secret"))

        assert answer.code == "INTERNAL_ERROR"
        assert "secret" not in str(answer) + str(bob.heard)
        assert ChatConsumer.refusals == (AppError,)
        assert issubclass(StoreUnavailable, ChatConsumer.refusals)


class TestTheAddressOfOneRoom:
    async def room_socket(self, book_id: Any = BOOK) -> Socket:
        return await socket(url_route={"kwargs": {"book_id": book_id}})

    @pytest.mark.parametrize("book_id", [BOOK, str(BOOK)])
    async def test_payloads_need_not_name_the_room(self, book_id: Any) -> None:
        bob = await self.room_socket(book_id)

        await bob.answer("joinRoom", {"userId": "u2", "username": "bob"})
        said = await bob.answer("chatMessage", {**HELLO, "bookId": str(BOOK)})
        page = await bob.answer("getMessages", None)

        assert said.message.book_id == BOOK
        assert page.messages == [said.message]

    @pytest.mark.parametrize("other", [7, "7", 7.0, None, "x"])
    async def test_other_rooms_are_refused(self, other: Any) -> None:
        bob = await self.room_socket()

        with pytest.raises(Forbidden):
            await bob.answer("joinRoom", {**HERE, "bookId": other})
        assert bob.groups == []

    @pytest.mark.parametrize("payload", [[], "text", 7])
    async def test_what_is_no_object_is_refused_here_too(self, payload: Any) -> None:
        with pytest.raises(InvalidInput):
            await (await self.room_socket()).answer("joinRoom", payload)
