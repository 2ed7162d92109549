"""What is read from a worker when it is asked, because it is known there already."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class BridgeFigures(Protocol):
    """The figures of `readrealm.socketio_bridge`."""

    @property
    def sessions(self) -> Mapping[str, int]: ...
    @property
    def connections(self) -> Mapping[str, int]: ...
    @property
    def groups(self) -> int: ...
    @property
    def sessions_ended(self) -> Mapping[str, int]: ...
    @property
    def packets_out(self) -> int: ...
    @property
    def deliveries_out(self) -> int: ...
    @property
    def publish_failures(self) -> int: ...
    @property
    def reconnects(self) -> int: ...
    @property
    def gap_fills(self) -> Mapping[str, int]: ...
    @property
    def gaps_given_up(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFigures:
    """Book rooms as one worker has them."""

    rooms: int
    """With readers on this worker."""
    unsettled: int
    """In which something may have been kept that nobody was told of."""
    unpublished: int
    """Room events that the channel layer did not take, since the start."""


class WorkerCollector(Collector):
    """Gives Prometheus what the bridge and the rooms of this worker know.

    Args:
        bridge: reads the bridge's figures; no I/O.
        rooms: reads those of the rooms; no I/O.
        is_draining: whether this worker is about to end.
    """

    def __init__(
        self,
        *,
        bridge: Callable[[], BridgeFigures],
        rooms: Callable[[], RoomFigures],
        is_draining: Callable[[], bool],
    ) -> None:
        self._bridge, self._rooms, self._is_draining = bridge, rooms, is_draining

    def describe(self) -> list[Metric]:
        """Nothing: a registry that asks for names would have to read the figures for them."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield _gauge("draining", "1 while the worker sends its clients away.", self._is_draining())
        yield from _of_bridge(self._bridge())
        yield from _of_rooms(self._rooms())


def _of_bridge(now: BridgeFigures) -> Iterator[Metric]:
    yield _gauges("sessions", "Engine.IO sessions, by transport.", "transport", now.sessions)
    yield _gauges("connections", "Clients, by namespace or plain.", "audience", now.connections)
    yield _gauge("groups", "Channel-layer groups with members on this worker.", now.groups)
    yield _counters("sessions_ended", "Sessions that ended, by why.", "reason", now.sessions_ended)
    yield _counter("packets_out", "Packets to single clients.", now.packets_out)
    yield _counter("deliveries", "Room events times members that got them.", now.deliveries_out)
    yield _counter("publish_failures", "Publications given up by the bus.", now.publish_failures)
    yield _counter("bus_reconnects", "Times the subscriber connection was lost.", now.reconnects)
    yield _counters("gap_fills", "Holes filled from the log, by why.", "reason", now.gap_fills)
    yield _counter("gaps_given_up", "Holes that the log could not fill.", now.gaps_given_up)


def _of_rooms(now: RoomFigures) -> Iterator[Metric]:
    yield _gauge("rooms", "Book rooms with readers on this worker.", now.rooms)
    yield _gauge("rooms_unsettled", "Rooms whose head is to be told again.", now.unsettled)
    yield _counter("room_events_unpublished", "Room events nobody was told.", now.unpublished)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"readrealm_{name}", meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"readrealm_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"readrealm_{name}", meaning, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family


def _counters(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"readrealm_{name}", meaning, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family
