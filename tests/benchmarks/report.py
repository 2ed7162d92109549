"""The results as a page: targets first, met or not, then everything that was measured.

Pure: text from records.
"""

from collections.abc import Callable, Sequence

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.results import BUSY_SHARE, NOISY_SHARE, Results, RoomRecord, Spread
from tests.benchmarks.scenarios import MESSAGE_FRAME_BYTES, Mode, Room
from tests.benchmarks.verdicts import is_noisy, verdicts

NOISE_MARK = " ⁿ"
ABSENT = "–"


def page(results: Results, *, charts: Sequence[tuple[str, str]]) -> str:
    """The whole page in Markdown.

    Args:
        charts: file name and description of each picture that lies beside the page.
    """
    parts = [
        "# The bridge compared",
        _introduction(results),
        "## Targets",
        _targets(results),
        *[f"![{description}]({name})" for name, description in charts],
        "## Rooms",
        _rooms(results),
        "## Connections that only stay",
        _idle(results),
        "## How much of it was checked",
        _checked(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _introduction(results: Results) -> str:
    about = results.about
    lines = [
        "Written by the benchmark; do not edit. `README.md` says how it measures. Repeat it with:",
        f"```\n{about['command']}\n```",
        _table(["", ""], [[name, text] for name, text in about.items() if name != "command"]),
    ]
    if is_noisy([*results.rooms, *results.idle]):
        lines.append(
            f"Rows marked{NOISE_MARK} are **noisy**: other processes used more than "
            f"{NOISY_SHARE:.0%} of a core in at least one of their phases. CPU figures suffer "
            "less from that than rates and latencies, and ratios less than figures."
        )
    return "\n\n".join(lines)


def _targets(results: Results) -> str:
    rows = []
    for verdict in verdicts(results):
        bound = "at least" if verdict.at_least else "at most"
        rows.append(
            [
                verdict.title + (NOISE_MARK if verdict.is_noisy else ""),
                f"{bound} {verdict.target:g}",
                f"**{verdict.reached.median:.2f}** {_range(verdict.reached)}",
                f"{verdict.with_valkey.median:.2f}" if verdict.with_valkey else ABSENT,
                "met" if verdict.is_met else "**not met**",
            ]
        )
    if not rows:
        return "This run has no pair to judge."
    head = ["this bridge ÷ Node", "target", "reached", "Valkey's CPU added", ""]
    explanation = (
        "Shares are taken round by round, between phases that ran one after the other; the median "
        "of the rounds, and in brackets the lowest and the highest. Node alone in memory needs no "
        "Valkey; ours always takes the way through it, and the fourth column charges us for it."
    )
    return explanation + "\n\n" + _table(head, rows)


def _rooms(results: Results) -> str:
    head = [
        *("room", "sent", "server"),
        *("CPU µs per delivery", "user", "system", "Valkey", "mongod"),
        *("deliveries/s", "p50 ms", "p99 ms", "ack p50 µs", "ack p99 µs"),
    ]
    rows = []
    for room, mode, contestant in _in_order(results):
        records = results.in_room(room, mode, contestant)
        rows.append(
            [
                room.title + (NOISE_MARK if is_noisy(records) else ""),
                str(mode),
                contestant.label,
                *_cpu_cells(records),
                f"{_median(records, lambda record: record.deliveries_per_s):,.0f}",
                f"{_median(records, lambda record: record.phase.p50_us) / 1_000:.2f}",
                f"{_median(records, lambda record: record.phase.p99_us) / 1_000:.2f}",
                *_ack_cells(records),
            ]
        )
    explanation = (
        f"Every frame has {MESSAGE_FRAME_BYTES} bytes. Medians of the rounds; in brackets the "
        "lowest and the highest. CPU is that of the server's processes alone, Valkey's and "
        "mongod's stand beside it."
    )
    return explanation + "\n\n" + _table(head, rows) if rows else ""


def _in_order(results: Results) -> list[tuple[Room, Mode, Contestant]]:
    return list(
        dict.fromkeys(
            (record.room, mode, contestant)
            for record in results.rooms
            for mode in record.room.modes
            for contestant in Contestant
            if results.in_room(record.room, mode, contestant)
        )
    )


def _cpu_cells(records: Sequence[RoomRecord]) -> list[str]:
    spread = Spread.of(record.cpu_us for record in records)
    shares: list[Callable[[RoomRecord], float]] = [
        lambda record: record.user_s,
        lambda record: record.system_s,
        lambda record: record.valkey_cpu_s,
        lambda record: record.mongod_cpu_s,
    ]
    cells = [f"**{spread.median:.2f}** {_range(spread)}"]
    for share in shares:
        value = Spread.of(record.per_delivery_us(share(record)) for record in records).median
        cells.append(f"{value:.2f}" if value >= 0.005 else ABSENT)
    return cells


def _ack_cells(records: Sequence[RoomRecord]) -> list[str]:
    columns = (
        [record.ack_p50_us for record in records],
        [record.ack_p99_us for record in records],
    )
    known = [[value for value in column if value is not None] for column in columns]
    return [f"{Spread.of(column).median:,.0f}" if column else ABSENT for column in known]


def _idle(results: Results) -> str:
    head = ["connections", "server", "KiB each", "connections/s", "CPU µs each"]
    rows = []
    for count in sorted({record.count for record in results.idle}):
        for contestant in Contestant:
            records = results.idle_of(count, contestant)
            if not records:
                continue
            kib = Spread.of(record.kib for record in records)
            speed = Spread.of(record.per_second for record in records)
            cpu = Spread.of(record.cpu_us for record in records)
            rows.append(
                [
                    f"{count:,}" + (NOISE_MARK if is_noisy(records) else ""),
                    contestant.label,
                    f"**{kib.median:.1f}** {_range(kib, 1)}",
                    f"**{speed.median:,.0f}** {_range(speed, 0)}",
                    f"{cpu.median:.0f}",
                ]
            )
    explanation = (
        "A fresh server each time. Every client is a Socket.IO connection to `/` that is in no "
        "room. Memory is resident memory above that of the server before the first connection."
    )
    return explanation + "\n\n" + _table(head, rows) if rows else ""


def _checked(results: Results) -> str:
    deliveries = sum(record.phase.deliveries for record in results.rooms)
    wrong = [record for record in results.rooms if not record.phase.is_correct]
    lines = [
        f"{deliveries:,} deliveries were looked at one by one: each a text frame of its own of "
        f"{MESSAGE_FRAME_BYTES} bytes, each message once for each member, those of one sender in "
        f"order. Wrong: {len(wrong)} of {len(results.rooms)} phases."
    ]
    for record in wrong:
        phase = record.phase
        lines.append(
            f"* {record.room.title}, {record.mode}, {record.contestant.label}: "
            f"{phase.missing} missing, {phase.disorders} out of order, "
            f"{phase.bad_frames} not as agreed"
        )
    for contestant in Contestant:
        records = [record for record in results.rooms if record.contestant is contestant]
        if records:
            same = sum(record.phase.one_order for record in records)
            lines.append(
                f"* {contestant.label}: all members saw the messages of all senders in the same "
                f"order in {same} of {len(records)} phases."
            )
    busy = sum(record.generator_share > BUSY_SHARE for record in results.rooms)
    lines.append(
        f"* The generator used more than {BUSY_SHARE:.0%} of its core in {busy} of "
        f"{len(results.rooms)} phases; there it may have held a server back."
    )
    return "\n".join(lines) if results.rooms else ""


def _median(records: Sequence[RoomRecord], figure: Callable[[RoomRecord], float]) -> float:
    return Spread.of(figure(record) for record in records).median


def _range(spread: Spread, digits: int = 2) -> str:
    return f"({spread.lowest:,.{digits}f}…{spread.highest:,.{digits}f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
