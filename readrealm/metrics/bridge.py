"""What the bridge of a worker knows of itself, read when it is asked."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from readrealm.socketio_bridge import BridgeNamespace, Server


class BridgeReader:
    """Reads one worker's figures; see `readrealm.metrics.worker.BridgeFigures`.

    Args:
        layer: the channel layer of the worker's event loop.
    """

    sessions_ended: Mapping[str, int] = {}
    packets_out = deliveries_out = gaps_given_up = 0

    def __init__(self, server: Server, namespace: BridgeNamespace, layer: Any) -> None:
        self._server, self._namespace, self._layer = server, namespace, layer

    def read(self) -> "BridgeReader":
        return self

    @property
    def sessions(self) -> Mapping[str, int]:
        return Counter(session.transport for session in list(self._server.eio.sockets.values()))

    @property
    def connections(self) -> Mapping[str, int]:
        return {self._namespace.namespace: len(self._namespace.connections)}

    @property
    def groups(self) -> int:
        return len(self._layer.fanout.rooms)

    @property
    def publish_failures(self) -> int:
        return sum(bus.publish_failures for bus in self._layer._shards)

    @property
    def reconnects(self) -> int:
        return sum(bus.reconnects for bus in self._layer._shards)

    @property
    def gap_fills(self) -> Mapping[str, int]:
        return {"any": self._layer.fanout.gap_fills}
