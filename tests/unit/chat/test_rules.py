"""What may be said in a room, by whom, and how a log is ordered."""

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from chat.events import ChatMessage
from chat.rules import (
    Place,
    Visitor,
    check_emoji,
    clean_client_msg_id,
    clean_content,
    clean_user_id,
    clean_username,
    require_author,
    window,
)
from readrealm.kernel.errors import Forbidden, InvalidInput
from readrealm.kernel.identity import Identity
from tests.unit.chat.fakes import ADA, BOB, GUEST, chat

CONTROLS = ["\x00", "a\x00b", "a\x07b", "\x1b[31m", "a\x7fb", "a\x85b", "\ud800", "a\rb"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("hi", "hi"),
        ("  hi \n", "hi"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("one\r\ntwo", "one\ntwo"),
        ("e\u0301", "é"),
        ("x" * 4_000, "x" * 4_000),
        (" " * 50 + "x" * 4_000, "x" * 4_000),
        (" " * 50_000 + "x", "x"),
        ("\u1f00\u0300\u0345" * 4_000, "\u1f82" * 4_000),
        ("\u03b1\u0313\u0300\u0345" * 4_000, "\u1f82" * 4_000),
        ("\u03b1\u0313\u0300\u0345" * 4_001, None),
        ("x\r\n" * 2_000 + "x", None),
        ("x\r\n" * 1_999 + "xx", "x\n" * 1_999 + "xx"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("", None),
        (" \n\t ", None),
        ("x" * 4_001, None),
        *[(text, None) for text in CONTROLS],
    ],
)
def test_content_is_trimmed_and_bounded(given: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(InvalidInput):
            clean_content(given)
    else:
        assert clean_content(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ada", "Ada"),
        (" Ada Lovelace ", "Ada Lovelace"),
        ("x" * 64, "x" * 64),
        ("مريم", "مريم"),
        ("🐋", "🐋"),
        ("x" * 65, None),
        ("", None),
        ("A\nda", None),
        ("A\tda", None),
        ("\u202egnp.exe", None),
        ("\u2066Ada", None),
        ("\u200b\u200d", None),
        ("\u3164", None),
        *[(text, None) for text in CONTROLS],
    ],
)
def test_a_name_is_one_visible_line_that_turns_nothing_around(given: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(InvalidInput):
            clean_username(given)
    else:
        assert clean_username(given) == kept


@pytest.mark.parametrize("wrong", ["", " ", "x" * 129, "a\nb", *CONTROLS])
def test_an_identity_is_one_line_within_its_limit(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        clean_user_id(wrong)


def test_an_identity_is_kept_without_the_space_around_it() -> None:
    assert clean_user_id(" u1 ") == "u1"
    assert clean_user_id("x" * 128) == "x" * 128


@pytest.mark.parametrize("wrong", CONTROLS)
def test_a_client_id_can_be_stored_as_it_is(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        clean_client_msg_id(wrong)
    assert clean_client_msg_id(" as it is ") == " as it is "
    assert clean_client_msg_id(None) is None


@pytest.mark.parametrize(
    "emoji",
    [
        "🐋",
        "❤",
        "❤️",
        "👍🏽",
        "👩🏽‍🚀",
        "👨‍👩‍👧‍👦",
        "🇳🇿",
        "1️⃣",
        "#⃣",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "‼️",
        "🫨",
        "™",
        "⏏️",
        "🏳️‍🌈",
    ],
)
def test_one_emoji_is_one_whatever_it_is_made_of(emoji: str) -> None:
    assert check_emoji(emoji) == emoji


@pytest.mark.parametrize(
    "text",
    [
        *["", "a", "1", "#", "ok", "é", "文", "<b>", "$gt", "\x00"],
        *["🐋🐋", "🐋a", " 🐋", "🐋\n", "🐋\u200d", "\u200d", "\ufe0f", "🇳"],
    ],
)
def test_anything_else_is_no_emoji(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_emoji(text)


# ------------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("author", "reader", "may"),
    [
        (ADA, ADA, True),
        (ADA, BOB, False),
        (ADA, GUEST, False),
        (GUEST, ADA, False),
        (GUEST, GUEST, True),
        (ADA, Identity(user_id="1", username="renamed", authenticated=True), True),
        (ADA, Identity(user_id="9", username="Mo", is_staff=True, authenticated=True), False),
    ],
)
async def test_only_the_author_may_change_a_message(
    author: Identity, reader: Identity, may: bool
) -> None:
    command = ChatMessage(book_id=1, user_id="1", username="x", content="hi")
    message = await chat().say(command, Visitor(sid="s", identity=author))

    if may:
        require_author(message, reader)
    else:
        with pytest.raises(Forbidden):
            require_author(message, reader)


def test_an_account_has_one_allowance_and_every_socket_of_a_guest_its_own() -> None:
    keys = [Visitor(sid=sid, identity=who).allowance_key for who in (ADA, GUEST) for sid in "ab"]

    assert keys == ["1", "1", "socket:a", "socket:b"]


# ------------------------------------------------------------------ order

MILLISECONDS = st.integers(0, 4_102_444_800_000)


@given(
    start=MILLISECONDS,
    clocks=st.lists(MILLISECONDS, min_size=2, max_size=20),
    entropy=st.lists(st.binary(min_size=4, max_size=4), min_size=21, max_size=21),
)
def test_time_number_and_id_rise_together_whatever_clocks_say(
    start: int, clocks: list[int], entropy: list[bytes]
) -> None:
    places = [Place(seq=0, at_ms=start)]
    for now_ms in clocks:
        places.append(places[-1].after(now_ms=now_ms))
    ids = [ObjectId(place.entry_id(some)) for place, some in zip(places, entropy, strict=False)]

    assert [place.seq for place in places] == list(range(len(places)))
    assert ids == sorted(set(ids))
    keys = [(place.at_ms, id_) for place, id_ in zip(places, ids, strict=True)]
    assert keys == sorted(keys)


def test_an_id_tells_its_second_as_every_object_id_does() -> None:
    made = ObjectId(Place(seq=5, at_ms=1_795_253_400_123).entry_id(b"abcd"))

    assert made.generation_time.isoformat() == "2026-11-21T09:30:00+00:00"
    assert str(made)[8:16] == "00000005"


@pytest.mark.parametrize(
    ("before", "after", "limit", "head", "numbers", "has_more"),
    [
        (None, None, 50, 0, [], False),
        (None, None, 3, 5, [5, 4, 3], True),
        (None, None, 5, 5, [5, 4, 3, 2, 1], False),
        (3, None, 2, 5, [2, 1], False),
        (4, None, 2, 5, [3, 2], True),
        (1, None, 2, 5, [], False),
        (0, None, 2, 5, [], False),
        (99, None, 2, 5, [5, 4], True),
        (None, 0, 2, 5, [1, 2], True),
        (None, 3, 2, 5, [4, 5], False),
        (None, 5, 2, 5, [], False),
        (None, 9, 2, 5, [], False),
    ],
)
def test_a_window_is_what_is_asked_for_and_there(
    before: int | None, after: int | None, limit: int, head: int, numbers: list[int], has_more: bool
) -> None:
    asked = window(before=before, after=after, limit=limit, head=head)
    inside = list(range(asked.after + 1, asked.up_to + 1))

    assert (inside[::-1] if asked.newest_first else inside) == numbers
    assert asked.has_more == has_more


def test_one_direction_at_a_time() -> None:
    with pytest.raises(InvalidInput):
        window(before=5, after=1, limit=10, head=9)
