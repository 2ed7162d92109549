"""A Twisted listening port that several workers share, so that each gets its part."""

from collections.abc import Callable
from typing import Any, cast

from twisted.internet import reactor, tcp

from .balance import LoadBoard

STEP_BACK_S = 0.005
MAX_STEPS_BACK = 10
"""How often a worker that is ahead leaves a waiting connection to the others before it takes it."""

LIFE_SIGN_S = 1.0


class FairListener:
    """Accepts one connection at a time, and lets other workers go first while it is ahead.

    Args:
        port: a listening Twisted port that this worker shares.
        board: the counts of all workers.
    """

    def __init__(self, port: Any, board: LoadBoard) -> None:
        self.port, self.board = port, board
        self.steps_back = 0
        self._accept = port.doRead
        port.doRead = self.accept
        port.transport = self.connection
        self._show_life()

    def accept(self) -> None:
        """What the reactor calls when a connection waits."""
        if self.steps_back < MAX_STEPS_BACK and self.board.is_ahead():
            self.steps_back += 1
            self.port.stopReading()
            _call_later(STEP_BACK_S, self._ask_again)
            return
        self.steps_back = 0
        self.port.numberAccepts = 1
        self._accept()

    def connection(self, *args: Any) -> tcp.Server:
        """A connection that is counted from its acceptance to its loss."""
        connection = CountedConnection(*args)
        connection.board = self.board
        self.board.change(+1)
        return connection

    def _ask_again(self) -> None:
        if not self.port.disconnecting and self.port.connected:
            self.port.startReading()

    def _show_life(self) -> None:
        self.board.write()
        _call_later(LIFE_SIGN_S, self._show_life)


class CountedConnection(tcp.Server):
    """A TCP connection that takes itself off the board."""

    board: LoadBoard | None = None

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        board, self.board = self.board, None
        if board is not None:
            board.change(-1)
        super().connectionLost(reason)


def _call_later(delay_s: float, call: Callable[[], None]) -> None:
    cast("Any", reactor).callLater(delay_s, call)
