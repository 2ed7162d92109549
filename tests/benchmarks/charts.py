"""The results as pictures: SVG that is the same for the same results.

Needs matplotlib, which only the benchmark uses.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.results import Results, Spread
from tests.benchmarks.scenarios import Mode, Room
from tests.benchmarks.verdicts import Verdict, verdicts

COLOURS = {
    Contestant.BRIDGE: "#1f5f8b",
    Contestant.NODE: "#7a8b3c",
    Contestant.STOCK: "#b5651d",
}
MET, MISSED = "#1f5f8b", "#b03a2e"
BAR = 0.26


def draw_all(results: Results, folder: Path, *, prefix: str) -> list[tuple[str, str]]:
    """Write every picture the results allow; file name and description of each."""
    pyplot = pyplot_for_svg()
    drawn = []
    for name, description, draw in (
        ("targets", "What was reached, as a share of Node's figure, and the targets", _targets),
        ("cpu", "CPU per delivery of each server without a database", _cpu),
        ("connections", "Memory per idle connection and connections per second", _connections),
    ):
        figure = draw(pyplot, results)
        if figure is not None:
            file = f"{prefix}-{name}.svg"
            figure.savefig(folder / file, metadata={"Date": None}, bbox_inches="tight")
            pyplot.close(figure)
            drawn.append((file, description))
    return drawn


def pyplot_for_svg() -> Any:
    """matplotlib, set up so that the same figures give the same file."""
    import matplotlib

    matplotlib.use("svg")
    # Text stays text, and ids do not change from run to run.
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "readrealm",
            "font.family": "sans-serif",
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )
    from matplotlib import pyplot

    return pyplot


def _targets(pyplot: Any, results: Results) -> Any:
    judged = verdicts(results)
    if not judged:
        return None
    figure, axes = pyplot.subplots(figsize=(8.5, 0.42 * len(judged) + 1.2))
    for place, verdict in enumerate(reversed(judged)):
        _draw_verdict(axes, place, verdict)
    labels = [f"{verdict.title}  {'≥' if verdict.at_least else '≤'}" for verdict in judged]
    axes.set_yticks(range(len(judged)), labels[::-1])
    axes.axvline(1, color="#999999", linewidth=0.8, linestyle=":")
    axes.set_xlim(left=0)
    axes.set_xlabel("this bridge ÷ Node; bar: lowest to highest round, tick: target")
    return figure


def _draw_verdict(axes: Any, place: int, verdict: Verdict) -> None:
    reached = verdict.reached
    colour = MET if verdict.is_met else MISSED
    axes.plot(
        [reached.lowest, reached.highest], [place, place], color=colour, linewidth=5, alpha=0.35
    )
    axes.plot([reached.median], [place], "o", color=colour)
    axes.plot([verdict.target] * 2, [place - 0.32, place + 0.32], color="#222222", linewidth=2)


def _cpu(pyplot: Any, results: Results) -> Any:
    modes = [mode for mode in (Mode.ONE, Mode.EIGHT, Mode.EQUAL) if _rooms(results, mode)]
    if not modes:
        return None
    widths = [len(_rooms(results, mode)) for mode in modes]
    figure, panels = pyplot.subplots(
        1,
        len(modes),
        figsize=(3 + 1.1 * sum(widths), 3.6),
        sharey=True,
        squeeze=False,
        width_ratios=widths,
    )
    for axes, mode in zip(panels[0], modes, strict=True):
        _draw_rooms(axes, results, mode)
    panels[0][0].set_ylabel("CPU µs per delivery")
    _add_legend(figure, panels[0][0])
    return figure


def _rooms(results: Results, mode: Mode) -> list[Room]:
    return list(
        dict.fromkeys(
            record.room
            for record in results.rooms
            if record.mode is mode and not record.room.has_database
        )
    )


def _draw_rooms(axes: Any, results: Results, mode: Mode) -> None:
    rooms = _rooms(results, mode)
    for number, contestant in enumerate(Contestant):
        values = [
            Spread.of(record.cpu_us for record in records).median if records else 0.0
            for records in (results.in_room(room, mode, contestant) for room in rooms)
        ]
        places = [place + (number - 1) * BAR for place in range(len(rooms))]
        bars = axes.bar(places, values, BAR, color=COLOURS[contestant], label=contestant.label)
        axes.bar_label(bars, [f"{value:.1f}" if value else "" for value in values], fontsize=7)
    axes.set_xticks(range(len(rooms)), [room.title.replace(", ", "\n") for room in rooms])
    axes.set_title(mode)


def _connections(pyplot: Any, results: Results) -> Any:
    counts = sorted({record.count for record in results.idle})
    if not counts:
        return None
    figure, (memory, speed) = pyplot.subplots(1, 2, figsize=(8.5, 3.2))
    for number, contestant in enumerate(Contestant):
        records = [results.idle_of(count, contestant) for count in counts]
        places = [place + (number - 1) * BAR for place in range(len(counts))]
        kib = [_middle([record.kib for record in found]) for found in records]
        rate = [_middle([record.per_second for record in found]) for found in records]
        for axes, values, shape in ((memory, kib, "{:.1f}"), (speed, rate, "{:,.0f}")):
            bars = axes.bar(places, values, BAR, color=COLOURS[contestant], label=contestant.label)
            labels = [shape.format(value) if value else "" for value in values]
            axes.bar_label(bars, labels, fontsize=7)
    for axes, title in ((memory, "KiB per idle connection"), (speed, "connections per second")):
        axes.set_xticks(range(len(counts)), [f"{count:,}" for count in counts])
        axes.set_title(title)
    _add_legend(figure, memory)
    return figure


def _add_legend(figure: Any, axes: Any) -> None:
    """One legend below all panels."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False
    )


def _middle(values: Sequence[float]) -> float:
    return Spread.of(values).median if values else 0.0
