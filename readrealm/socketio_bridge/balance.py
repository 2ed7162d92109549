"""Workers of one host that share a listening socket, and how many clients each of them has.

The kernel gives a waiting connection to whichever worker asks first, and the one that asks first
tends to be the same. Each worker therefore writes its count into a file that all of them map
into memory, and one that is ahead of the others lets them ask first for a moment.
"""

import fcntl
import mmap
import os
import struct
import time
from pathlib import Path

SLOTS = 64
SLOT = struct.Struct("<qqd")
"""Process id, connections, and when that was written (monotonic seconds of this host)."""

FRESH_S = 3.0
"""A worker that wrote nothing for this long does not count: it may be stuck or dead."""

SLACK = 2
"""Connections that a worker may have above the mean before it steps back."""


class LoadBoard:
    """One worker's view of the counts of all.

    Args:
        path: a file that the workers of one listening socket share; made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_size < SLOTS * SLOT.size:
                os.ftruncate(file, SLOTS * SLOT.size)
            self._board = mmap.mmap(file, SLOTS * SLOT.size)
            self._slot = self._claim()
        finally:
            # mmap holds a duplicate of the descriptor, and the lock with it.
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)
        self.count = 0
        self.write()

    def _claim(self) -> int:
        """A slot of our own: a free one, or one whose worker is dead."""
        for slot in range(SLOTS):
            pid, _, _ = SLOT.unpack_from(self._board, slot * SLOT.size)
            if pid == 0 or not _is_alive(pid):
                SLOT.pack_into(self._board, slot * SLOT.size, os.getpid(), 0, time.monotonic())
                return slot
        raise RuntimeError(f"more than {SLOTS} workers share a listening socket")

    def change(self, by: int) -> None:
        """Connections were accepted, or ended."""
        self.count += by
        self.write()

    def write(self) -> None:
        """Show the others the count, and that this worker lives."""
        SLOT.pack_into(
            self._board, self._slot * SLOT.size, os.getpid(), self.count, time.monotonic()
        )

    def is_ahead(self) -> bool:
        """Whether this worker has clearly more connections than the others have on the mean."""
        now = time.monotonic()
        counts = [
            count
            for pid, count, written in SLOT.iter_unpack(self._board[:])
            if pid and now - written < FRESH_S
        ]
        return len(counts) > 1 and self.count > sum(counts) / len(counts) + SLACK

    def leave(self) -> None:
        """Free the slot."""
        SLOT.pack_into(self._board, self._slot * SLOT.size, 0, 0, 0.0)
        self._board.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
