"""Ctrl-C and SIGTERM while something is being started: heard at once, obeyed between two steps.

A signal handler that raises would not do: where it happens to interrupt a destructor or a hook of
the interpreter, Python reports the exception and drops it, and nobody stops.
"""

import signal
from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """Somebody asked us to stop."""


class Interruption:
    """Remembers that we were asked to stop; asked again, the process ends where it is."""

    def __init__(self) -> None:
        self.was_asked = False

    def check(self) -> None:
        """Raises Interrupted when we were asked to stop; call it between steps."""
        if self.was_asked:
            raise Interrupted

    def ignore(self) -> None:
        """Not to be interrupted any more: what follows is bounded, and ends what was started."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def __enter__(self) -> "Interruption":
        for number in SIGNALS:
            signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.was_asked = True
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
