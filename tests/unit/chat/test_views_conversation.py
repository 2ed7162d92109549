"""A conversation before a script runs: days, names, answers, reactions."""

import pytest
from msgspec import UNSET

from chat.conversation import items
from chat.events import Message, Reaction

FIRST = "a" * 24


def message(seq: int, at: str, **changes: object) -> Message:
    fields: dict[str, object] = {
        "id": f"{seq:024x}",
        "book_id": 42,
        "user_id": "7",
        "username": "Ada",
        "content": "words",
        "created_at": f"2026-11-{at}.000Z",
        "updated_at": f"2026-11-{at}.000Z",
        "seq": seq,
        "rev": seq,
    }
    return Message(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "author", "is_continued"),
    [
        ("21T09:04:59", {}, True),
        ("21T09:05:00", {}, False),
        ("21T09:00:01", {"user_id": "8"}, False),
        ("21T09:00:01", {"is_guest": True}, False),
    ],
)
def test_messages_of_one_reader_within_five_minutes_stand_under_one_name(
    at: str, author: dict[str, object], is_continued: bool
) -> None:
    _, second = items([message(1, "21T09:00:00"), message(2, at, **author)], user_id=None)

    assert second.is_continued is is_continued


def test_a_day_begins_with_its_first_message_and_ends_a_group() -> None:
    shown = items([message(1, "21T23:59:00"), message(2, "22T00:01:00")], user_id=None)

    assert [item.starts_day for item in shown] == [True, True]
    assert not shown[1].is_continued


def test_own_messages_are_those_of_the_account_and_not_of_a_guest_with_its_id() -> None:
    shown = items(
        [message(1, "21T09:00:00"), message(2, "21T09:00:01", is_guest=True)], user_id="7"
    )

    assert [item.is_own for item in shown] == [True, False]


def test_an_answer_quotes_its_message_unless_that_is_gone() -> None:
    asked = message(1, "21T09:00:00", id=FIRST)
    gone = message(1, "21T09:00:00", id=FIRST, deleted_by="author", content="")
    answer = message(2, "21T09:00:01", reply_to=FIRST)

    assert items([asked, answer], user_id=None)[1].answered == asked
    assert items([gone, answer], user_id=None)[1].answered is None
    assert items([answer], user_id=None)[0].answered is None


def test_reactions_are_counted() -> None:
    given = [
        Reaction(emoji="🤔", user_id="7"),
        Reaction(emoji="👍", user_id="7"),
        Reaction(emoji="👍", user_id="7", is_guest=True),
    ]
    (one,) = items([message(1, "21T09:00:00", reactions=given)], user_id=None)
    (none,) = items([message(1, "21T09:00:00", reactions=UNSET)], user_id=None)

    assert list(one.reactions) == [("👍", 2), ("🤔", 1)]
    assert list(none.reactions) == []
