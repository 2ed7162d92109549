"""Log entries: what changes do to a message, and what the room hears of them."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import entries
from chat.entries import message_document, message_of, place_of, plan, wordings_of
from chat.events import Message, MessageDeleted
from chat.rules import (
    MOST_WORDINGS,
    Draft,
    Edit,
    Erasure,
    Place,
    ReactionSwitch,
    Removal,
    Restoration,
)
from readrealm.kernel.clock import iso_ms, utc
from readrealm.kernel.errors import InvalidState, NotFound
from readrealm.kernel.identity import Identity
from readrealm.kernel.wire import plain
from tests.unit.chat.fakes import ADA, BOB, BOOK, GUEST, MODERATOR, NOW, NOW_MS, MemoryLogs, Reader

HERE = Place(seq=7, at_ms=NOW_MS)
NOBODY = Identity(user_id="erased-1", username="Former reader", authenticated=True)
NEXT = Place(seq=8, at_ms=NOW_MS + 1_000)


def document(**fields: Any) -> entries.Document:
    given = {"book_id": BOOK, "author": ADA, "content": "Call me Ishmael."} | fields
    return message_document(Draft(**given), HERE)


def stored(**fields: Any) -> entries.Document:
    return document() | fields


def edit(content: str = "Call me Ahab.") -> Edit:
    return Edit(book_id=BOOK, message_id="0" * 24, actor=ADA, content=content)


def removal(by: Any = "author") -> Removal:
    return Removal(book_id=BOOK, message_id="0" * 24, actor=ADA, by=by)


def restoration() -> Restoration:
    return Restoration(book_id=BOOK, message_id="0" * 24, actor=MODERATOR)


def switch(emoji: str = "🐋", *, on: bool = True) -> ReactionSwitch:
    return ReactionSwitch(book_id=BOOK, message_id="0" * 24, actor=ADA, emoji=emoji, on=on)


def erasure(reader: Any = ADA) -> Erasure:
    return Erasure(
        book_id=BOOK,
        message_id="0" * 24,
        actor=NOBODY,
        reader=(reader.user_id, reader.authenticated),
    )


def test_an_erased_message_has_no_text_no_name_and_no_reactions() -> None:
    stored_one = stored(clientMsgId="c", editedAt=1, reactions=[{"emoji": "🐋"}])

    step = plan(erasure(), stored_one, NEXT)

    assert step is not None
    changed = stored_one | step.update["$set"]
    for name in step.update["$unset"]:
        changed.pop(name)
    tombstone = message_of(changed)
    assert (tombstone.content, tombstone.username) == ("", "Former reader")
    assert (tombstone.user_id, tombstone.deleted_by, tombstone.rev) == ("erased-1", "author", 8)
    assert "Ada" not in str(changed)
    assert "Ishmael" not in str(changed)


def test_what_a_moderator_hid_stays_hidden_when_it_is_erased() -> None:
    step = plan(erasure(), stored(state="hidden"), NEXT)

    assert step is not None
    assert step.update["$set"]["state"] == "hidden"


def test_a_reaction_loses_its_reader_and_still_counts() -> None:
    own = {"emoji": "🐋", "userId": "2", "authenticated": True}
    others = {"emoji": "🐋", "userId": "2", "authenticated": False}

    step = plan(erasure(BOB), stored(reactions=[own, others]), NEXT)

    assert step is not None
    assert step.update["$set"] == {
        "reactions": [{**own, "userId": "erased-1"}, others],
        "rev": 8,
    }


def test_whom_a_message_does_not_know_cannot_be_erased_from_it() -> None:
    assert plan(erasure(BOB), stored(), NEXT) is None
    assert plan(erasure(GUEST), stored(), NEXT) is None


def test_the_wordings_of_a_message_are_in_order_and_of_many_the_newest() -> None:
    edits = [
        {"previous": f"text {n}", "seq": 8 + n, "createdAt": utc(NOW_MS + n)}
        for n in range(MOST_WORDINGS + 1)
    ]

    few = wordings_of(document(), edits[:2])
    many = wordings_of(document(), edits)

    assert [each.content for each in few] == ["text 0", "text 1", "Call me Ishmael."]
    assert [each.written_at for each in few] == [NOW, NOW, iso_ms(utc(NOW_MS + 1))]
    assert [each.content for each in many][:2] == ["text 1", "text 2"]
    assert len(many) == MOST_WORDINGS + 1


@pytest.mark.parametrize("state", ["hidden", "deleted"])
def test_a_removed_message_has_no_wordings(state: str) -> None:
    with pytest.raises(NotFound):
        wordings_of(stored(state=state), [])


def test_a_message_on_the_wire_has_the_documented_keys_and_types() -> None:
    wire = plain(message_of(document()))

    assert wire == {
        "_id": wire["_id"],
        "bookId": BOOK,
        "userId": "1",
        "username": "Ada",
        "content": "Call me Ishmael.",
        "createdAt": NOW,
        "updatedAt": NOW,
        "isAi": False,
        "isGuest": False,
        "seq": 7,
        "rev": 7,
    }
    assert len(wire["_id"]) == 24


def test_optional_keys_are_there_when_they_say_something() -> None:
    kept = document(client_msg_id="c-1", reply_to="a" * 24, reply_to_seq=3, author=GUEST)
    kept["reactions"] = [{"emoji": "🐋", "userId": "2", "authenticated": True}]

    wire = plain(message_of(kept))

    assert (wire["clientMsgId"], wire["replyTo"], wire["replyToSeq"]) == ("c-1", "a" * 24, 3)
    assert wire["isGuest"] is True
    assert wire["reactions"] == [{"emoji": "🐋", "userId": "2", "isGuest": False}]


def test_a_document_has_no_field_that_a_client_could_name() -> None:
    assert set(document(client_msg_id="c", reply_to="a" * 24, reply_to_seq=1)) == {
        "_id",
        "authenticated",
        "bookId",
        "clientMsgId",
        "content",
        "createdAt",
        "isAi",
        "kind",
        "replyTo",
        "replyToSeq",
        "rev",
        "seq",
        "state",
        "updatedAt",
        "userId",
        "username",
    }


@pytest.mark.parametrize(
    ("state", "change", "result"),
    [
        ("visible", edit(), "edit"),
        ("visible", edit("Call me Ishmael."), None),
        ("visible", removal(), "deletion"),
        ("visible", removal("moderator"), "deletion"),
        ("visible", restoration(), None),
        ("visible", switch(), "reaction"),
        ("visible", switch(on=False), None),
        ("deleted", edit(), NotFound),
        ("deleted", removal(), None),
        ("deleted", removal("moderator"), None),
        ("deleted", restoration(), None),
        ("deleted", switch(), NotFound),
        ("hidden", edit(), NotFound),
        ("hidden", removal(), None),
        ("hidden", restoration(), "restoration"),
        ("hidden", switch(), NotFound),
    ],
)
def test_what_a_change_does_depends_on_the_state(state: str, change: Any, result: Any) -> None:
    message = stored(state=state)

    if isinstance(result, type):
        with pytest.raises(result):
            plan(change, message, NEXT)
    else:
        step = plan(change, message, NEXT)
        assert (step and step.entry["kind"]) == result


def test_a_change_numbers_the_state_it_makes() -> None:
    for change in (edit(), removal(), switch()):
        step = plan(change, stored(), NEXT)
        assert step is not None
        assert step.update["$set"]["rev"] == 8


def test_twenty_emoji_and_five_hundred_reactions_are_enough_for_a_message() -> None:
    def reactions(count: int, *, different: int) -> list[dict[str, Any]]:
        return [
            {"emoji": chr(0x1F600 + n % different), "userId": f"r{n}", "authenticated": True}
            for n in range(count)
        ]

    full = stored(reactions=reactions(500, different=2))
    varied = stored(reactions=reactions(20, different=20))

    for message, emoji in ((full, chr(0x1F600)), (varied, "🐋")):
        with pytest.raises(InvalidState):
            plan(switch(emoji), message, NEXT)
    assert plan(switch(chr(0x1F600)), varied, NEXT) is not None
    own = {"emoji": "🐋", "userId": "1", "authenticated": True}
    assert plan(switch(on=False), stored(reactions=[*full["reactions"], own]), NEXT) is not None


def test_what_is_removed_is_not_told_by_older_entries() -> None:
    message = stored(state="hidden", content="secret")
    entry = {"kind": "edit", "bookId": BOOK, "seq": 8, "messageId": message["_id"]}

    told = str(plain(entries.event_of(entry, message)))

    assert "secret" not in told
    assert "moderator" in told


def test_a_place_is_read_back_to_the_millisecond_with_and_without_time_zone() -> None:
    kept = document()
    naive = kept | {"createdAt": kept["createdAt"].replace(tzinfo=None)}

    assert place_of(kept) == place_of(naive) == HERE
    assert place_of(None) == Place(seq=0, at_ms=0)


# ------------------------------------------------------------------ any history, any order

ACTORS = st.sampled_from([ADA, BOB, GUEST])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "edit", "remove", "hide", "restore", "react", "erase"]), ACTORS
    ).flatmap(lambda step: st.tuples(st.just(step), st.integers(0, 5), st.integers(0, 3))),
    max_size=40,
)


async def play(logs: MemoryLogs, steps: list[Any]) -> list[Any]:
    """Carry out random steps; what the room was told, in order."""
    said: list[Message] = []
    told = []
    for (kind, actor), choice, detail in steps:
        logs.now_ms += detail
        if kind == "say" or not said:
            draft = Draft(book_id=BOOK, author=actor, content=f"text {len(told)}")
            kept = await logs.append(draft)
            said.append(kept.message)
        else:
            about = {"book_id": BOOK, "message_id": said[choice % len(said)].id, "actor": actor}
            change: Any = {
                "edit": lambda about=about: Edit(**about, content=f"text {len(told)}"),
                "remove": lambda about=about: Removal(**about, by="author"),
                "hide": lambda about=about: Removal(**about, by="moderator"),
                "restore": lambda about=about: Restoration(**about),
                "erase": lambda about=about, reader=actor: Erasure(
                    book_id=BOOK,
                    message_id=about["message_id"],
                    actor=NOBODY,
                    reader=(reader.user_id, reader.authenticated),
                ),
                "react": lambda about=about, detail=detail: ReactionSwitch(
                    **about, emoji="🐋🐳"[detail % 2], on=detail < 2
                ),
            }[kind]()
            try:
                kept = await logs.change(change)
            except NotFound:
                continue
        if kept.event is not None:
            told.append(kept.event)
    return told


@given(steps=STEPS, shuffle=st.randoms(use_true_random=False), cut=st.integers(0, 40))
async def test_every_reader_ends_in_the_same_state_whatever_the_order_of_arrival(
    steps: list[Any], shuffle: random.Random, cut: int
) -> None:
    logs = MemoryLogs()
    told = await play(logs, steps)
    head = await logs.head(BOOK)
    fresh, shuffled, late = Reader(), Reader(), Reader()

    for event in await logs.between(BOOK, after=0, up_to=head):
        fresh.hear(event)
    for event in shuffle.sample(told * 2, len(told) * 2):
        shuffled.hear(event)
    # One who heard the beginning live, missed the rest, and read it from the log.
    for event in [*told[:cut], *await logs.between(BOOK, after=min(cut, head), up_to=head)]:
        late.hear(event)

    assert [event.seq for event in told] == list(range(1, head + 1))
    assert shuffled.messages == fresh.messages == late.messages
    visible = {m.id: m for m in fresh.messages.values() if not m.deleted_by}
    assert visible == {m.id: m for m in await logs.latest(BOOK, limit=100)}


async def test_a_reader_who_read_the_present_state_ignores_what_is_in_it() -> None:
    logs = MemoryLogs()
    said = (await logs.append(Draft(book_id=BOOK, author=ADA, content="a"))).message
    removed = await logs.change(Removal(book_id=BOOK, message_id=said.id, actor=ADA, by="author"))
    reader = Reader()

    for event in await logs.between(BOOK, after=0, up_to=1):
        reader.hear(event)
    before = dict(reader.messages)
    assert isinstance(removed.event, MessageDeleted)
    reader.hear(removed.event)

    assert reader.messages == before == {said.id: removed.message}
