"""One answer of the provider on its way to the listener's ear. Decides; waits for nothing."""

from dataclasses import dataclass

BYTES_PER_MS = 48
"""24 kHz, s16le, mono."""


def decoded_size(base64: str) -> int:
    """Bytes that padded Base64 stands for."""
    return len(base64) // 4 * 3 - base64[-2:].count("=")


@dataclass(slots=True, eq=False)
class Answer:
    """The words and the sound of one answer, and how much of it can have been heard.

    Sound comes faster than it plays. A client that reports what it has played is believed and
    taken to go on from there; otherwise it is taken to play as soon as sound arrives, without
    gaps other than those in which nothing had arrived.
    """

    response_id: str
    item_id: str = ""
    """Known from the first sound or word on."""
    text: str = ""
    is_over: bool = False
    """The provider will say no more of it."""
    is_muted: bool = False
    """It was interrupted; what still comes of it is not for the client."""
    _sent_bytes: int = 0
    _plays_until_ms: float = 0
    """When the last sound that was sent will have been played."""

    @property
    def sent_ms(self) -> int:
        return self._sent_bytes // BYTES_PER_MS

    def send(self, byte_count: int, *, now_ms: int) -> None:
        """So many more bytes are going to the client."""
        self._plays_until_ms = max(self._plays_until_ms, now_ms) + byte_count / BYTES_PER_MS
        self._sent_bytes += byte_count

    def report(self, played_ms: int, *, now_ms: int) -> None:
        """The client says how much it has played by now; more than was sent counts as all."""
        self._plays_until_ms = now_ms + self.sent_ms - min(played_ms, self.sent_ms)

    def played_ms(self, *, now_ms: int) -> int:
        """How much has been heard by now; never more than was sent."""
        waiting_ms = max(0.0, self._plays_until_ms - now_ms)
        return max(0, self.sent_ms - round(waiting_ms))

    def is_heard(self, *, now_ms: int) -> bool:
        """Whether nothing of it waits to be played."""
        return now_ms >= self._plays_until_ms

    def next_item(self, item_id: str) -> "Answer":
        """The same answer goes on with another item, to be played after this one."""
        return Answer(self.response_id, item_id, _plays_until_ms=self._plays_until_ms)
