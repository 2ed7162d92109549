from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from readrealm.metrics.worker import RoomFigures, WorkerCollector


@dataclass
class Bridge:
    sessions: dict[str, int] = field(default_factory=lambda: {"websocket": 5, "polling": 1})
    connections: dict[str, int] = field(default_factory=lambda: {"/": 6, "plain": 0})
    groups: int = 4
    sessions_ended: dict[str, int] = field(default_factory=lambda: {"ping timeout": 2})
    packets_out: int = 70
    deliveries_out: int = 900
    publish_failures: int = 1
    reconnects: int = 3
    gap_fills: dict[str, int] = field(default_factory=lambda: {"resubscribed": 8})
    gaps_given_up: int = 0


ROOMS = RoomFigures(rooms=3, unsettled=1, unpublished=2)


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("sessions", {"transport": "websocket"}, 5),
        ("connections", {"audience": "/"}, 6),
        ("groups", {}, 4),
        ("sessions_ended_total", {"reason": "ping timeout"}, 2),
        ("packets_out_total", {}, 70),
        ("deliveries_total", {}, 900),
        ("publish_failures_total", {}, 1),
        ("bus_reconnects_total", {}, 3),
        ("gap_fills_total", {"reason": "resubscribed"}, 8),
        ("gaps_given_up_total", {}, 0),
        ("rooms", {}, 3),
        ("rooms_unsettled", {}, 1),
        ("room_events_unpublished_total", {}, 2),
        ("draining", {}, 1),
    ],
)
def test_what_the_worker_knows_is_told(name: str, labels: dict[str, str], value: float) -> None:
    registry = CollectorRegistry()
    registry.register(WorkerCollector(bridge=Bridge, rooms=lambda: ROOMS, is_draining=lambda: True))

    assert registry.get_sample_value(f"readrealm_{name}", labels) == value


def test_figures_are_read_when_they_are_asked_for() -> None:
    bridge, registry = Bridge(), CollectorRegistry()
    registry.register(
        WorkerCollector(bridge=lambda: bridge, rooms=lambda: ROOMS, is_draining=lambda: False)
    )

    bridge.deliveries_out += 1

    assert registry.get_sample_value("readrealm_deliveries_total") == 901
