"""The envelope of every answer: ``{success, data, timestamp}`` or ``{success, error, code}``."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from readrealm.kernel.errors import public_face
from readrealm.kernel.wire import Contract


class Success(Contract, frozen=True, kw_only=True):
    """What was asked for is done."""

    success: Literal[True] = True
    data: Contract
    timestamp: int


class Failure(Contract, frozen=True, kw_only=True):
    """What was asked for is not done, and why; the message is safe to show."""

    success: Literal[False] = False
    error: str
    code: str
    timestamp: int
    data: dict[str, Any] | UnsetType = UNSET
    """What tells the failed request from others of the same name."""
    retry_after_ms: int | UnsetType = UNSET


Envelope = Success | Failure


def success(data: Contract, *, at_ms: int) -> Success:
    """Wrap an answer."""
    return Success(data=data, timestamp=at_ms)


def failure(error: Exception, *, at_ms: int, about: dict[str, Any] | None = None) -> Failure:
    """Wrap a refusal, or a failure whose text must not be shown."""
    code, text = public_face(error)
    details = getattr(error, "details", {})
    return Failure(
        error=text,
        code=code,
        timestamp=at_ms,
        data=about or UNSET,
        retry_after_ms=details.get("retry_after_ms", UNSET),
    )
