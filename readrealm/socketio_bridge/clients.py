"""python-socketio's book of clients and rooms on this worker, without a task for each receiver."""

from typing import Any

import socketio
from socketio import packet

from .packets import EnginePacket, Packet
from .session import MESSAGE


def engine_packets(outgoing: Packet) -> list[EnginePacket]:
    """A Socket.IO packet and its attachments as Engine.IO packets."""
    encoded = outgoing.encode()
    parts = encoded if isinstance(encoded, list) else [encoded]
    return [part if isinstance(part, bytes) else MESSAGE + part for part in parts]


class LocalManager(socketio.AsyncManager):
    """Clients of this worker; an emit is encoded once and costs no task for each receiver."""

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        if callback is not None:
            await super().emit(
                event,
                data,
                namespace,
                room=to or room,
                skip_sid=skip_sid,
                callback=callback,
                **options,
            )
            return
        if namespace not in self.rooms:
            return
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        skipped = set(skip_sid) if isinstance(skip_sid, list) else {skip_sid}
        parts = engine_packets(Packet(packet.EVENT, namespace=namespace, data=[event, *args]))
        for sid, eio_sid in self.get_participants(namespace, to or room):
            if sid not in skipped:
                self.server.post(eio_sid, namespace, parts, may_wait=True)
