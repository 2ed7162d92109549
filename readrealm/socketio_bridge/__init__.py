"""A complete Socket.IO server that runs Channels consumers.

Depends on ``channels``, ``channels_redis``, ``python-socketio`` and ``msgspec`` only: copy the
folder to
use it elsewhere. ``docs/bridge.md`` says how.
"""

from .connection import BridgeNamespace, EventConsumer, Refused
from .layer import RoomChannelLayer
from .server import Server

__all__ = ["BridgeNamespace", "EventConsumer", "Refused", "RoomChannelLayer", "Server"]
