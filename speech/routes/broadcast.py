"""Telling workers and the owners of sessions, on every worker, through the Channels layer."""

import hashlib
import logging
from typing import Any

from redis.exceptions import RedisError

from readrealm.kernel.wire import Contract, encode
from speech.routes.work_events import (
    WORKERS,
    ProcessCommand,
    ProcessingFailed,
    Transcription,
    VoiceActivity,
)

log = logging.getLogger(__name__)

EVERYBODY = "voice-everybody"
"""All sockets; joined only while COMMAND_BROADCAST is ``all``."""

NAMES: dict[type[Contract], str] = {
    Transcription: "audio:transcription",
    VoiceActivity: "audio:vad",
    ProcessingFailed: "audio:error",
}


def audience_of(session_id: str) -> str:
    """The group of the sockets that have addressed a session: an id may have letters and a length
    that a group's name may not."""
    return "voice-" + hashlib.sha256(session_id.encode()).hexdigest()[:40]


class LayerCommands:
    """`speech.routes.audio.Commands`.

    Args:
        layer: a channel layer of the bridge.
        to_all: ``configure`` goes to every socket, as the original did.
    """

    def __init__(self, layer: Any, *, to_all: bool) -> None:
        self._layer, self._to_all = layer, to_all

    async def tell(self, command: ProcessCommand) -> None:
        """Publish a command; a failure is logged, for workers look into the store as well."""
        goes_to_all = self._to_all and command.action == "configure"
        group = EVERYBODY if goes_to_all else WORKERS
        await send(self._layer, group, "command:process", command)


class LayerAudience:
    """`speech.routes.reports.Audience`."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    async def tell(self, result: Transcription | VoiceActivity | ProcessingFailed) -> None:
        """Publish a result to the sockets of its session."""
        await send(self._layer, audience_of(result.session_id), NAMES[type(result)], result)

    async def tell_envelope(self, session_id: str, event: str, envelope: Contract) -> None:
        """Publish an answer that nobody asked for."""
        await send(self._layer, audience_of(session_id), event, envelope)


async def send(layer: Any, group: str, event: str, content: Contract) -> None:
    """One event to one group. What cannot be published is logged and given up: everything that
    counts is in the store."""
    message = {"type": "socketio.emit", "events": [[event, encode(content), None]]}
    try:
        await layer.group_send(group, message)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("%s was not published: %s", event, type(error).__name__)
