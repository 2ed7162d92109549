"""A complete Socket.IO server that runs Channels consumers.

Depends on ``channels``, ``channels_redis``, ``python-socketio``, ``msgspec``, ``websockets`` and
``h11`` only: copy the folder to use it elsewhere. ``docs/bridge.md`` says how.
"""

from .cluster import ClusterManager
from .consumer import EventConsumer
from .layer import RoomChannelLayer
from .metrics import BridgeFigures, BridgeMetrics
from .namespace import REVALIDATE, BridgeNamespace, Guard, Refused, account_group
from .server import Server

__all__ = [
    "REVALIDATE",
    "BridgeFigures",
    "BridgeMetrics",
    "BridgeNamespace",
    "ClusterManager",
    "EventConsumer",
    "Guard",
    "Refused",
    "RoomChannelLayer",
    "Server",
    "account_group",
]
