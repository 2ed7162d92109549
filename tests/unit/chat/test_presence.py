"""What one worker knows of presence by itself."""

import pytest

from chat.events import Member, UserJoined, UserLeft
from chat.presence import (
    LEASE_MS,
    PORTION,
    RENEW_EVERY_S,
    Attendance,
    Movement,
    member_key,
    member_of,
    told,
)

ADA = Member(user_id="1", username="Ada")


@pytest.mark.parametrize("user_id", ["1", "u:1", "g:1", "g:", "ü", "a b"])
@pytest.mark.parametrize("is_guest", [False, True])
def test_a_member_is_read_back_from_its_key(user_id: str, is_guest: bool) -> None:
    member = Member(user_id=user_id, username="Ada", is_guest=is_guest)

    assert member_of(member_key(member), "Ada") == member


def test_no_guest_has_the_key_of_an_account() -> None:
    accounts = {member_key(Member(user_id=each, username="x")) for each in ("1", "g:1", "u:1")}
    guests = {
        member_key(Member(user_id=each, username="x", is_guest=True))
        for each in ("1", "g:1", "u:1")
    }

    assert len(accounts) == len(guests) == 3
    assert not accounts & guests


def test_a_lease_outlives_two_renewals_that_fail() -> None:
    assert LEASE_MS >= 3 * RENEW_EVERY_S * 1000


def test_sockets_are_known_by_room_until_they_are_removed() -> None:
    own = Attendance()
    own.add(42, "s1", ADA)
    own.add(42, "s2", ADA)
    own.add(7, "s1", ADA)

    assert sorted(own.portions()) == [(7, [("s1", ADA)]), (42, [("s1", ADA), ("s2", ADA)])]
    own.remove(42, "s1")
    own.remove(42, "s1")
    own.remove(42, "s2")
    assert own.book_ids == [7]


def test_a_socket_that_comes_back_is_not_leaving() -> None:
    own = Attendance()
    own.leaving |= {(42, "s1"), (42, "s2")}

    own.add(42, "s1", ADA)
    own.remove(42, "s2")

    assert own.leaving == set()


def test_a_crowd_is_told_in_portions_as_it_was_at_the_start() -> None:
    own = Attendance()
    for number in range(PORTION + 1):
        own.add(42, f"s{number}", ADA)

    sizes = []
    for _, sockets in own.portions():
        own.remove(42, sockets[0][0])
        sizes.append(len(sockets))

    assert sizes == [PORTION, 1]


@pytest.mark.parametrize("passage", [UserJoined, UserLeft])
def test_a_room_is_told_who_moved_when_and_how_many_are_there(
    passage: type[UserJoined] | type[UserLeft],
) -> None:
    guest = Member(user_id="7", username="Ishmael", is_guest=True)

    event = told(passage, Movement(book_id=2701, member=guest, present=3), at_ms=1_500)

    assert event == passage(
        username="Ishmael",
        timestamp="1970-01-01T00:00:01.500Z",
        user_id="7",
        is_guest=True,
        book_id=2701,
        members=3,
    )
