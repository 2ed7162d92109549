"""Ours come first, whatever a client says."""

import pytest

from readrealm.kernel.errors import InvalidInput
from speech.gateway.instructions import OURS, instructions


def test_the_client_comes_last() -> None:
    told = instructions(" Be brief.\n", book="Moby Dick by Herman Melville")

    assert told.startswith(OURS)
    assert "The book is Moby Dick by Herman Melville." in told
    assert told.endswith("The client's wishes:\nBe brief.")


def test_a_book_that_nobody_knows_is_not_mentioned() -> None:
    assert "The book is" not in instructions("Be brief.", book=None)


@pytest.mark.parametrize("message", ["", " \n ", "x" * 8_001, "x" * 40_000, "be\x00brief"])
def test_wishes_that_are_none_are_refused(message: str) -> None:
    with pytest.raises(InvalidInput):
        instructions(message, book=None)


def test_wishes_may_be_long() -> None:
    assert instructions(" " + "x" * 8_000, book=None).endswith("x" * 8_000)
    assert instructions(" " * 40_000 + "x", book=None).endswith("\nx")
