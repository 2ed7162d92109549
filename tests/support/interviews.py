"""A reader in an interview, with the public JavaScript client, as tests drive it."""

import base64
import json
from pathlib import Path
from typing import Any

from tests.support.clients import NodeScript
from tests.support.processes import wait_until

SCRIPT = (Path(__file__).parents[1] / "integration" / "js" / "interview.mjs").read_text()
GREETINGS = ["connectionStatus", "connection:welcome", "connected"]
PCM_BYTES_PER_S = 32_000


class InterviewReader:
    """One socket; use as a context manager.

    Attributes:
        heard: (event, payload, Unix milliseconds) of everything so far, in order.
    """

    def __init__(
        self,
        url: str,
        *,
        user_id: int = 123,
        transports: list[str] | None = None,
        token: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"transports": transports or ["websocket"]}
        if token is not None:
            options["auth"] = {"token": token}
        self.user_id = user_id
        self._script = NodeScript(SCRIPT, url, options)
        self.sid = ""

    def __enter__(self) -> "InterviewReader":
        self._script.__enter__()
        return self.open()

    def __exit__(self, *reason: Any) -> None:
        self._script.__exit__(*reason)

    @property
    def worker(self) -> str:
        """The worker this socket is on."""
        return self.sid.split(".")[0]

    @property
    def heard(self) -> list[tuple[str, Any, int]]:
        lines = list(self._script.program.lines)
        said = [json.loads(line) for line in lines if line.startswith('["event"')]
        return [(name, payload, at_ms) for _, name, payload, at_ms in said]

    def names(self, *, timers: bool = False) -> list[str]:
        """What was heard, without greetings."""
        skipped = {*GREETINGS} | (set() if timers else {"timer_update"})
        return [name for name, _, _ in self.heard if name not in skipped]

    def all(self, name: str) -> list[Any]:
        return [payload for heard, payload, _ in self.heard if heard == name]

    def open(self) -> "InterviewReader":
        """Connect (again)."""
        self._script.tell(["open"])
        (self.sid,) = self._script.expect("opened")
        return self

    def cut(self) -> None:
        """Lose the connection."""
        self._script.tell(["cut"])

    def emit(self, event: str, **payload: Any) -> None:
        self._script.tell(["emit", event, {"user_id": self.user_id, **payload}])

    def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        """Emit and wait for the acknowledgement."""
        return self.ask_raw(event, {"user_id": self.user_id, **payload})

    def ask_raw(self, event: str, payload: Any) -> dict[str, Any]:
        self._script.tell(["ask", event, payload])
        while True:
            name, ack = self._script.expect("ack", timeout_s=20)
            if name == event:
                return ack

    def expect(self, name: str, *, timeout_s: float = 15, count: int = 1) -> Any:
        """The payload of the ``count``-th ``name`` from the beginning; waits for it."""
        wait_until(
            lambda: len(self.all(name)) >= count or self._script.program.process.poll() is not None,
            timeout_s=timeout_s,
            what=f"{count} {name}; heard {self.names()[-12:]}",
        )
        return self.all(name)[count - 1]

    def speak(self, pcm: bytes, *, timeout_s: float = 60, **options: Any) -> None:
        """Send sound as a browser does, in real time; back when all is sent."""
        self.begin_to_speak(pcm, **options)
        self.finish_speaking(timeout_s=timeout_s)

    def begin_to_speak(self, pcm: bytes, **options: Any) -> None:
        """As `speak`, back at once."""
        sound = base64.b64encode(pcm).decode()
        self._script.tell(["speak", {"user_id": self.user_id, "pcm": sound, **options}])

    def finish_speaking(self, *, timeout_s: float = 60) -> None:
        """Come back when all is sent."""
        self._script.expect("spoken", timeout_s=timeout_s)

    def send_chunks(self, chunks: list[bytes], *, every_ms: int = 1_000) -> None:
        encoded = [base64.b64encode(chunk).decode() for chunk in chunks]
        self._script.tell(["chunks", self.user_id, encoded, every_ms])
        self._script.expect("spoken", timeout_s=60)
