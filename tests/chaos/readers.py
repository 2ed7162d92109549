"""The readers of a trial: one Node process full of the page's own clients, told what to do."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.clients import node_program
from tests.support.processes import Program

SCRIPT = Path(__file__).with_name("readers.mjs")
ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class Seat:
    """One reader as the trial wants it."""

    userId: str  # noqa: N815  as the script names it
    bookId: int  # noqa: N815
    transports: list[str]
    writes: bool


def seats(*, readers: int, rooms: int) -> list[Seat]:
    """Readers spread over rooms: every second one writes, every fourth one polls."""
    return [
        Seat(
            userId=f"reader-{number}",
            bookId=1 + number % rooms,
            transports=["polling"] if (number // rooms) % 4 == 3 else ["websocket"],
            writes=(number // rooms) % 2 == 0,
        )
        for number in range(readers)
    ]


class Readers:
    """Readers who connect, join and stay, whatever happens to the server.

    Args:
        every_ms: mean pause of a writer between two messages.
    """

    def __init__(self, url: str, wanted: Sequence[Seat], *, every_ms: int) -> None:
        about = {"url": url, "readers": [asdict(one) for one in wanted], "everyMs": every_ms}
        self._program = Program([node_program(), str(SCRIPT), json.dumps(about)])
        self._next = 0

    def __enter__(self) -> "Readers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._program.end()

    def write(self) -> None:
        """Have the writers write, until `rest`."""
        self._ask("write")

    def rest(self) -> None:
        """Have them write nothing new; what they have written is sent on."""
        self._ask("rest")

    def status(self) -> list[dict[str, Any]]:
        """How each of them is: status, waiting drafts, messages shown, digest of the state."""
        found: list[dict[str, Any]] = self._ask("status")
        return found

    def finish(self, path: Path) -> list[dict[str, Any]]:
        """End them; everything that each of them tried, was told and shows."""
        self._ask("finish", str(path))
        stories: list[dict[str, Any]] = json.loads(path.read_text())
        return stories

    def _ask(self, what: str, *more: str) -> Any:
        self._program.write_line(json.dumps([what, *more]))
        heard = self._program.wait_for_line(r"^\[", timeout_s=ANSWER_S, after=self._next)
        self._next = self._program.lines.index(heard.string, self._next) + 1
        said, answer = json.loads(heard.string)
        assert said == what, self._program.output
        return answer
