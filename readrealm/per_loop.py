"""What a process builds once for each of its event loops: connections belong to their loop."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One thing per event loop, built when the loop first asks for it.

    Args:
        build: makes it; runs on the loop that asks, and asks no store.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._built: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def here(self) -> T:
        """The one of the running event loop."""
        loop = asyncio.get_running_loop()
        built = self._built.get(loop)
        if built is None:
            built = self._built[loop] = self._build()
        return built

    def is_built(self) -> bool:
        """Whether the running event loop has asked before."""
        return asyncio.get_running_loop() in self._built

    def forget(self) -> None:
        """Give up the one of the running event loop; the next call of `here` builds anew."""
        self._built.pop(asyncio.get_running_loop(), None)


class Here(Generic[T]):
    """Something before there is an event loop: whatever is asked of it, the one of the running
    loop is asked. Called, it gives that one itself, for those who stay on one loop.

    Args:
        here: gives the running loop's.
    """

    def __init__(self, here: Callable[[], T]) -> None:
        self._here = here

    def __call__(self) -> T:
        return self._here()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)
