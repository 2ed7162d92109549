"""The wire as types: how an event is declared, read and written.

Every event a client may send or hear is a `Contract`. `parse` is the one line that ``Any``
crosses; behind it nothing checks types again.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

from readrealm.kernel.errors import InvalidInput

MAX_DIGITS = 19
"""Longer decimal strings exceed every integer limit of the contract."""

Coercion = Callable[[Any], Any]
"""Gives a value the documented type where that is allowed; otherwise returns it as it is."""


class Contract(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of every command a client may send and of every event it may hear.

    Names are ``snake_case`` here and ``camelCase`` on the wire. Unknown keys are dropped,
    so nothing that a client invents can reach a document.
    """

    coercions: ClassVar[Mapping[str, Coercion]] = {}
    """Wire name to `Coercion`; applied before the types are checked."""


AnyContract = TypeVar("AnyContract", bound=Contract)


def parse(command: type[AnyContract], payload: Any) -> AnyContract:
    """Read one incoming payload as ``command``; no payload at all counts as an empty one.

    Raises:
        InvalidInput: not an object, a missing or mistyped field, or one outside its limits.
    """
    fields = {} if payload is None else payload
    if not isinstance(fields, Mapping):
        raise InvalidInput("the payload must be an object")
    if command.coercions:
        fields = {
            name: command.coercions[name](value) if name in command.coercions else value
            for name, value in fields.items()
        }
    try:
        return msgspec.convert(fields, command)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from None
    except UnicodeEncodeError:
        # Where no text is expected msgspec wants to quote what is there, in UTF-8.
        raise InvalidInput("text with unpaired surrogates") from None


def encode(event: Any) -> bytes:
    """An event as JSON, encoded once for however many readers it goes to."""
    return msgspec.json.encode(event)


def plain(event: Contract) -> dict[str, Any]:
    """An event as the plain dictionary that goes on the wire."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return fields


def whole_number(value: Any) -> Any:
    """An integer for ``42``, ``42.0`` and ``"42"``; ``"042"`` and ``4.5`` stay as they are."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    canonical = isinstance(value, str) and value.isascii() and value.isdecimal()
    if canonical and len(value) <= MAX_DIGITS and (value == "0" or value[0] != "0"):
        return int(value)
    return value


def identifier(value: Any) -> Any:
    """Text for a whole number, for identities come as ``7`` and as ``"7"``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value
