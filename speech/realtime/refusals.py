"""Refusals in the words of the Realtime protocol."""

import re

from readrealm.kernel.errors import AppError, InvalidInput
from speech.realtime.shapes import ErrorDetail

_AT = re.compile(r"`\$\.?(?P<path>[^`]*)`$")


class ProtocolRefusal(InvalidInput):
    """A request that the protocol has a name for refusing.

    Args:
        message: for a person.
        reason: the code of the protocol, such as ``input_audio_buffer_commit_empty``.
        param: the field that is wrong, such as ``session.voice``.
    """

    def __init__(self, message: str, *, reason: str, param: str | None = None) -> None:
        super().__init__(message, reason=reason, param=param)


def error_detail(error: AppError, *, event_id: str | None) -> ErrorDetail:
    """What the ``error`` event says of a refusal."""
    if isinstance(error, InvalidInput):
        at = _AT.search(str(error))
        return ErrorDetail(
            message=str(error),
            code=error.details.get("reason", "invalid_value"),
            param=error.details.get("param") or (at["path"] if at else None),
            event_id=event_id,
        )
    return ErrorDetail(
        type="server_error", message=str(error), code=error.code.lower(), event_id=event_id
    )
