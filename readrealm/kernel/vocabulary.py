"""What a slice says and understands, by wire name: the declaration that documents are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from readrealm.kernel.wire import Contract


class Receivers(Enum):
    """Who hears an event."""

    CALLER = "the socket that asked"
    ROOM = "every socket in the room, the sender's included"
    OTHERS = "every socket that remains in the room"
    READER = "every socket of the reader concerned"
    SOCKET = "every socket of a worker"
    PROCESSORS = "every processing worker"
    OWNER = "the socket that owns the session"


class Senders(Enum):
    """Who may send a command."""

    ANYBODY = "every client"
    PROCESSORS = "processing workers only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request by name: what it carries, and what it is acknowledged with."""

    payload: Any
    """A `Contract`; None: it carries nothing."""
    ack: Any
    """A `Contract`, or a union of them, on success; the vocabulary's refusal may come instead."""
    causes: tuple[str, ...] = ()
    """Events that follow from it, in this order."""
    senders: Senders = Senders.ANYBODY
    example: Mapping[str, Any] | None = None
    """A payload as a client would send it; must be valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact by name: what it carries, and who hears it."""

    payload: Any
    """A `Contract`, or any type JSON has; None: it carries nothing."""
    receivers: Receivers
    summary: str = ""
    """For a payload that has no docstring of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Everything a slice says and understands."""

    key: str
    """Short and stable: tags operations, and tells apart types that have the same name."""
    title: str
    summary: str
    commands: Mapping[str, Command]
    events: Mapping[str, Event]
    refusal: type[Contract] | None = None
    """The acknowledgement of what was not carried out, where ``ack`` does not include it."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Error codes that its refusals carry, each with when."""
