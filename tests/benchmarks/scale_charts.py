"""The pictures of docs/scale.md; needs matplotlib."""

from pathlib import Path
from typing import Any

from tests.benchmarks.bench_scale import Results
from tests.benchmarks.charts import pyplot_for_svg

LINES = {1: ("#7a8b3c", "s", "1 message in flight"), 8: ("#1f5f8b", "o", "8 in flight")}


def draw(results: Results, folder: Path) -> None:
    """Write scale-sizes.svg, scale-rooms.svg and scale-idle.svg, as far as there are figures."""
    pyplot = pyplot_for_svg()
    for name, found, shape in (
        ("sizes", results.sizes, _sizes),
        ("rooms", results.rooms, _rooms),
        ("idle", results.idle, _idle),
    ):
        if found:
            figure = shape(pyplot, found)
            figure.tight_layout()
            figure.savefig(
                folder / f"scale-{name}.svg", metadata={"Date": None}, bbox_inches="tight"
            )
            pyplot.close(figure)


def _sizes(pyplot: Any, found: Any) -> Any:
    figure, (delivery, message) = pyplot.subplots(1, 2, figsize=(8.5, 3.4))
    for in_flight, (colour, mark, label) in LINES.items():
        line = [each for each in found if each.in_flight == in_flight]
        members = [each.members for each in line]
        style = {"color": colour, "marker": mark, "label": label, "markersize": 4}
        delivery.plot(members, [each.us_per_delivery for each in line], **style)
        message.plot(members, [each.us_per_message for each in line], **style)
    delivery.set_ylabel("CPU µs per delivery, both workers")
    message.set_ylabel("CPU µs per message, both workers")
    for axes in (delivery, message):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("members of the room")
        axes.legend(frameon=False, fontsize=8)
    return figure


def _rooms(pyplot: Any, found: Any) -> Any:
    figure, (cost, speed) = pyplot.subplots(1, 2, figsize=(8.5, 3.4))
    rooms = [each.rooms for each in found]
    labels = [f"{each.rooms:,} × {each.members:,}" for each in found]
    cost.plot(rooms, [each.us_per_message for each in found], "o-", color="#1f5f8b")
    cost.plot(rooms, [each.valkey_us_per_message for each in found], "s--", color="#b5651d")
    cost.legend(["both workers", "Valkey"], frameon=False, fontsize=8)
    cost.set_ylabel("CPU µs per message")
    speed.plot(rooms, [each.messages_per_s for each in found], "o-", color="#1f5f8b")
    speed.set_ylabel("messages per second")
    for axes in (cost, speed):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(rooms, labels, fontsize=7, rotation=35)
        axes.minorticks_off()
        axes.set_xlabel("rooms × members")
    return figure


def _idle(pyplot: Any, found: Any) -> Any:
    figure, panels = pyplot.subplots(1, 3, figsize=(8.5, 3.0))
    counts = [each.count for each in found]
    for axes, values, title in (
        (panels[0], [each.kib for each in found], "KiB per connection"),
        (panels[1], [each.cpu_percent for each in found], "% of a core, heartbeats"),
        (panels[2], [each.p99_ms for each in found], "p99 ms of a room beside them"),
    ):
        axes.plot(counts, values, "o-", color="#1f5f8b")
        axes.set_ylim(bottom=0)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("idle connections")
        axes.ticklabel_format(style="plain")
    return figure
