"""What a worker's bridge counts, as plain numbers; knows no metrics library."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .layer import RoomLoopLayer
from .namespace import BridgeNamespace
from .room import PLAIN
from .server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeFigures:
    """One worker at one moment; what is counted is counted since its start."""

    sessions: Mapping[str, int]
    """Engine.IO sessions now, by transport."""
    connections: Mapping[str, int]
    """Clients now, by Socket.IO namespace; those on plain JSON WebSockets under ``plain``."""
    groups: int
    """Groups that have members here now."""
    sessions_ended: Mapping[str, int]
    """By the reason that consumers hear; clients that were cut under ``slow reader``."""
    packets_out: int
    """Packets to single clients: acknowledgements, greetings, heartbeats."""
    deliveries_out: int
    """Events of groups times the clients that they were written to, each a frame of its own."""
    publish_failures: int
    """Publications that the bus did not take."""
    reconnects: int
    """Times the bus' connection was lost or could not be made."""
    gap_fills: Mapping[str, int]
    """Holes in numbered events that were filled from the log, by `fanout.GapReason`."""
    gaps_given_up: int
    """Holes that the log could not fill."""


class BridgeMetrics:
    """Reads the figures of one worker.

    Args:
        server: the worker's Socket.IO server.
        layer: its channel layer, on the event loop that serves.
    """

    def __init__(self, server: Server, layer: RoomLoopLayer) -> None:
        self._server, self._layer = server, layer

    def read(self) -> BridgeFigures:
        """The figures of now; without I/O, from any thread."""
        engine, fanout = self._server.eio, self._layer.fanout
        return BridgeFigures(
            sessions={
                "websocket": 0,
                "polling": 0,
                **Counter(session.transport for session in list(engine.sockets.values())),
            },
            connections=self._connections(),
            groups=len(fanout.rooms),
            sessions_ended=dict(engine.ended_by),
            packets_out=engine.congestion.packets_out,
            deliveries_out=fanout.deliveries_out,
            publish_failures=self._layer.publish_failures,
            reconnects=self._layer.reconnects,
            gap_fills=dict(fanout.gap_fills),
            gaps_given_up=fanout.gaps_given_up,
        )

    def _connections(self) -> dict[str, int]:
        found = {
            name: len(namespace.connections)
            for name, namespace in self._server.namespace_handlers.items()
            if isinstance(namespace, BridgeNamespace)
        }
        members = list(self._layer.members.values())
        return found | {PLAIN: sum(member.audience == PLAIN for member in members)}

    def observe_fanout(self, observe: Callable[[float, int], None] | None) -> None:
        """Be told of every batch that is written to a group's members here; None ends it.

        Args:
            observe: called with the seconds it took and the deliveries it was, on the event
                loop; must not block.
        """
        self._layer.fanout.observe = observe
