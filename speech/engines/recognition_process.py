"""One recognition process, seen from the server that started it."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TypeVar

from readrealm.kernel.errors import ProviderUnavailable
from speech.engines.child import end, kill
from speech.engines.recognition_wire import (
    LENGTH,
    MAX_MESSAGE_BYTES,
    Answer,
    Failed,
    Heard,
    Ready,
    Recognised,
    Request,
    pack,
    read_answer,
)

SomeAnswer = TypeVar("SomeAnswer", Ready, Heard, Recognised)

_PROJECT = Path(__file__).resolve().parents[2]
_STOP_S = 2.0


class RecognitionProcess:
    """Answers one request after the other.

    A caller that is cancelled leaves an answer behind; it is skipped before the next one.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a recognition process needs both pipes")
        self._process = process
        self._requests = process.stdin
        self._answers = process.stdout
        self._size: int | None = None
        self._unread = 0

    @classmethod
    async def start(cls, *arguments: str, deadline_s: float) -> "RecognitionProcess":
        """Start it and wait until its model is loaded.

        Args:
            arguments: engine, path of the model, language.

        Raises:
            ProviderUnavailable: the model does not load, or not in time.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "speech.engines.recognition_worker",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_PROJECT,
            env=_environment(),
        )
        made = cls(process)
        made._unread = 1
        try:
            await made._answer(Ready, deadline_s)
        except BaseException:
            # Also when the caller is cancelled: nobody else knows of it, and a child that is not
            # waited for outlives its event loop.
            made._requests.close()
            await end(process)
            raise
        return made

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._requests.is_closing()

    def tell(self, request: Request) -> None:
        """Ask without waiting for the answer."""
        self._requests.write(pack(request))
        self._unread += 1

    async def ask(self, request: Request, kind: type[SomeAnswer], deadline_s: float) -> SomeAnswer:
        """The answer to a request.

        Raises:
            ProviderUnavailable: it failed, died or took too long, and is gone.
        """
        self.tell(request)
        return await self._answer(kind, deadline_s)

    async def stop(self) -> None:
        """End it: politely first, by closing what it reads from."""
        self._requests.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    # Only a pipe that was read to its end lets go of the event loop.
                    await self._answers.read()
                    await self._process.wait()
        finally:
            await end(self._process)

    async def _answer(self, kind: type[SomeAnswer], deadline_s: float) -> SomeAnswer:
        try:
            async with asyncio.timeout(deadline_s):
                await self._requests.drain()
                answer = await self._last()
        except TimeoutError:
            self._kill()
            raise ProviderUnavailable("the recogniser did not answer in time") from None
        except (OSError, asyncio.IncompleteReadError):
            self._kill()
            raise ProviderUnavailable("the recogniser has died; try again") from None
        if not isinstance(answer, kind):
            reason = answer.reason if isinstance(answer, Failed) else "an answer out of turn"
            self._kill()
            raise ProviderUnavailable(f"the recogniser failed: {reason}")
        return answer

    async def _last(self) -> Answer:
        """The answer to the last request; those of callers who left are read and dropped."""
        while True:
            if self._size is None:
                head = await self._answers.readexactly(LENGTH.size)
                self._size = min(LENGTH.unpack(head)[0], MAX_MESSAGE_BYTES)
            body = await self._answers.readexactly(self._size)
            self._size = None
            self._unread -= 1
            if not self._unread:
                return read_answer(body)

    def _kill(self) -> None:
        self._requests.close()
        kill(self._process)


def _environment() -> dict[str, str]:
    """Nothing secret, and one thread: the processes themselves are the parallelism."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
