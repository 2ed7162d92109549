"""What the app of the rooms hands to the bridge."""

from typing import Any, NoReturn

import pytest

import chat
from chat.apps import ChatConfig
from readrealm.kernel.errors import StoreUnavailable


class Away:
    """A service whose store is away."""

    async def missed(self, book_id: int, **_: Any) -> NoReturn:
        raise StoreUnavailable


async def test_the_bridge_is_told_in_its_own_words_that_the_log_is_away() -> None:
    rooms = ChatConfig("chat", chat)
    rooms.service = Away()  # type: ignore[assignment]

    with pytest.raises(ConnectionError):
        await rooms.entries_between("book_1", 0, None)
    assert await rooms.entries_between("workers", 0, None) == []
