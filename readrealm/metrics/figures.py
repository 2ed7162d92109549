"""What is counted while it happens; `docs/operations.md` says what each figure tells."""

from importlib.metadata import version
from platform import python_version

from prometheus_client import Counter, Gauge, Histogram

from readrealm.observability import REGISTRY

WAITS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""From what a reader cannot notice to the longest deadline there is."""

WRITES_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
"""Of work on the event loop, which everybody waits for."""

OK = "ok"

MESSAGES = Counter(
    "readrealm_messages",
    "Chat messages by what became of them: kept, retried, or the code of their refusal.",
    ["outcome"],
    registry=REGISTRY,
)
EVENTS = Counter(
    "readrealm_events",
    "Events of clients that were answered, by name and ok or the code of the refusal.",
    ["event", "outcome"],
    registry=REGISTRY,
)
ACK_SECONDS = Histogram(
    "readrealm_ack_seconds",
    "From the turn of an event in its client's queue to its answer.",
    ["event"],
    buckets=WAITS_S,
    registry=REGISTRY,
)
FANOUT_SECONDS = Histogram(
    "readrealm_fanout_seconds",
    "Writing one batch of room events to every member on this worker.",
    buckets=WRITES_S,
    registry=REGISTRY,
)
STORE_WAIT_SECONDS = Histogram(
    "readrealm_store_wait_seconds",
    "Until a store had taken something: mongodb a log entry, valkey a publication.",
    ["store"],
    buckets=WAITS_S,
    registry=REGISTRY,
)
BUILD = Gauge(
    "readrealm_build_info",
    "1; the versions that run are its labels.",
    ["python", "django", "channels", "socketio"],
    registry=REGISTRY,
)
BUILD.labels(
    python_version(), version("django"), version("channels"), version("python-socketio")
).set(1)


class MessageTally:
    """Counts messages as the service hands them on; `chat.services.Tally` asks for it."""

    def __init__(self) -> None:
        # Made now, so that a rate over them has a beginning.
        self._kept, self._retried = MESSAGES.labels("kept"), MESSAGES.labels("retried")

    def said(self, *, again: bool) -> None:
        """A message is kept; ``again``: it was kept before, under the same client id."""
        (self._retried if again else self._kept).inc()
