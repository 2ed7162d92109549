"""Whether a trial kept what ReadRealm promises. Pure: reads what was recorded, asks nobody."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.chaos.nemesis import Fault

Story = Mapping[str, Any]
"""What one reader tried, was told and shows; `readers.mjs` has its fields."""

Entry = Mapping[str, Any]
"""One document of the log of a room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """How long after a fault every writer was heard by every reader of the room again."""

    fault: Fault
    seconds: float | None
    """None: nothing more was said after it."""


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of a trial; `is_kept` when every promise was."""

    tried: int = 0
    acknowledged: int = 0
    kept: int = 0
    """Messages in MongoDB: the acknowledged ones, and those whose acknowledgement was lost."""
    edits: int = 0
    reactions: int = 0
    deliveries: int = 0
    """Messages shown, over all readers."""
    connections: int = 0
    told_not_sent: int = 0
    """How often a reader was told "not sent", and said it again."""
    lost: list[str] = field(default_factory=list)
    """Acknowledged, and not with everybody: in MongoDB, at its place, on every reader."""
    doubled: list[str] = field(default_factory=list)
    """Kept or shown more than once."""
    reordered: list[str] = field(default_factory=list)
    """Shown in another order than that of ``seq``, or numbered with holes."""
    invented: list[str] = field(default_factory=list)
    """Shown as sent, and not kept."""
    unsent: list[str] = field(default_factory=list)
    """Tried, and neither kept nor still offered to be sent again at the end."""
    differing: list[str] = field(default_factory=list)
    """Shown in another state than MongoDB has."""
    announced_twice: int = 0
    """Messages that a client announced as new although it had announced them before."""
    healings: list[Healing] = field(default_factory=list)

    @property
    def failures(self) -> dict[str, list[str]]:
        """Promises that were broken, by name."""
        names = ("lost", "doubled", "reordered", "invented", "unsent", "differing")
        return {name: found for name in names if (found := getattr(self, name))}

    @property
    def is_kept(self) -> bool:
        return not self.failures

    def healed_in(self, name: str) -> list[float]:
        """Seconds after each fault of one kind, shortest first."""
        return sorted(
            each.seconds
            for each in self.healings
            if each.fault.name == name and each.seconds is not None
        )

    @property
    def median_healing_s(self) -> float:
        known = [each.seconds for each in self.healings if each.seconds is not None]
        return median(known) if known else 0.0


def judge(
    stories: Sequence[Story], logs: Mapping[int, Sequence[Entry]], faults: Sequence[Fault]
) -> Verdict:
    """Hold what readers were told and show against the log of each room.

    Args:
        stories: of every reader.
        logs: of every room, by ``seq``, as MongoDB has them in the end.
    """
    verdict = Verdict()
    for book_id, log in logs.items():
        there = [story for story in stories if story["bookId"] == book_id]
        messages = {str(entry["_id"]): entry for entry in log if entry["kind"] == "message"}
        verdict.kept += len(messages)
        _check_log(verdict, book_id, log)
        edits = _edits(log, messages)
        for story in there:
            _check_promises(verdict, story, messages, edits)
            _check_shown(verdict, story, messages)
    verdict.healings = [
        Healing(fault=fault, seconds=_healing_s(fault.at_ms, stories)) for fault in faults
    ]
    return verdict


def _check_log(verdict: Verdict, book_id: int, log: Sequence[Entry]) -> None:
    numbers = [entry["seq"] for entry in log]
    if numbers != list(range(1, len(log) + 1)):
        verdict.reordered.append(f"room {book_id}: its log is not numbered 1, 2, 3 ...")
    resent = Counter(
        (entry["userId"], entry["clientMsgId"]) for entry in log if "clientMsgId" in entry
    )
    verdict.doubled += [
        f"room {book_id}: {times} times {who} in the log"
        for (who, _), times in resent.items()
        if times > 1
    ]


def _check_promises(
    verdict: Verdict, story: Story, messages: Mapping[str, Entry], edits: Set[tuple[str, str]]
) -> None:
    """What was acknowledged is in the log as it was acknowledged."""
    who = story["userId"]
    own = {entry["clientMsgId"]: entry for entry in messages.values() if entry["userId"] == who}
    verdict.tried += len(story["tried"])
    verdict.edits += len(story["edited"])
    verdict.reactions += len(story["reacted"])
    verdict.connections += story["connections"]
    verdict.told_not_sent += story["retried"]
    acknowledged = {ack["clientMsgId"]: ack for ack in story["acked"]}
    verdict.acknowledged += len(acknowledged)
    for client_id, ack in acknowledged.items():
        kept = own.get(client_id)
        if kept is None or (str(kept["_id"]), kept["seq"]) != (ack["id"], ack["seq"]):
            verdict.lost.append(f"{who}: seq {ack['seq']}, {ack['id']}")
    verdict.unsent += [
        f"{who}: {one['content']}" for one in story["tried"] if one["clientMsgId"] not in own
    ]
    verdict.lost += [
        f"{who}: the edit of {one['id']}"
        for one in story["edited"]
        if (one["id"], one["content"]) not in edits
    ]
    verdict.lost += [
        f"{who}: the reaction to {one['id']}"
        for one in story["reacted"]
        if who not in {given["userId"] for given in messages[one["id"]].get("reactions", [])}
    ]


def _edits(log: Sequence[Entry], messages: Mapping[str, Entry]) -> set[tuple[str, str]]:
    """Message and text of every edit. An edit keeps the text before it; the one it gave is what
    the next edit has, or the message itself."""
    texts = {message_id: message["content"] for message_id, message in messages.items()}
    found = set()
    for entry in reversed(log):
        if entry["kind"] == "edit":
            message_id = str(entry["messageId"])
            found.add((message_id, texts[message_id]))
            texts[message_id] = entry["previous"]
    return found


def _check_shown(verdict: Verdict, story: Story, messages: Mapping[str, Entry]) -> None:
    """A reader shows every message once, in order, as it is, and no other."""
    who, shown = story["userId"], story["shown"]
    verdict.deliveries += len(shown)
    ids = [one["id"] for one in shown]
    verdict.doubled += [
        f"{who} shows {one} twice" for one, times in Counter(ids).items() if times > 1
    ]
    verdict.lost += [f"{who} does not show {one}" for one in messages.keys() - set(ids)]
    if [one["seq"] for one in shown] != sorted(one["seq"] for one in shown):
        verdict.reordered.append(f"{who} shows another order")
    # At the end, and at any time before: what was shown as said by anybody was kept.
    ever = {*ids, *(one["id"] for one in story["arrived"]), *(one["id"] for one in story["acked"])}
    verdict.invented += [f"{who} shows {one}" for one in ever - messages.keys()]
    verdict.differing += [
        f"{who} shows {one['id']} otherwise"
        for one in shown
        if one["id"] in messages and not _is_same(one, messages[one["id"]])
    ]
    arrived = [one["seq"] for one in story["arrived"]]
    verdict.announced_twice += len(arrived) - len(set(arrived))


def _is_same(shown: Mapping[str, Any], kept: Entry) -> bool:
    given = sorted([one["emoji"], f"guest {one['userId']}"] for one in kept.get("reactions", []))
    return (
        shown["seq"] == kept["seq"]
        and shown["content"] == kept["content"]
        and shown["clientMsgId"] == kept.get("clientMsgId")
        and sorted(shown["reactions"]) == given
    )


def _healing_s(at_ms: int, stories: Sequence[Story]) -> float | None:
    """From a fault until every writer had said something new that every reader had heard."""
    heard: dict[str, list[int]] = defaultdict(list)
    readers: Counter[int] = Counter(story["bookId"] for story in stories)
    for story in stories:
        first: dict[str, int] = {}
        for one in story["arrived"]:
            first.setdefault(one["id"], one["at"])
        for one, at in first.items():
            heard[one].append(at)
    times = []
    for story in stories:
        if not story["writes"]:
            continue
        ids = {ack["clientMsgId"]: ack["id"] for ack in story["acked"]}
        complete = [
            max(heard[ids[one["clientMsgId"]]])
            for one in story["tried"]
            if one["at"] > at_ms
            and len(heard[ids.get(one["clientMsgId"], "")]) == readers[story["bookId"]]
        ]
        if not complete:
            return None
        times.append(min(complete))
    return (max(times) - at_ms) / 1000
