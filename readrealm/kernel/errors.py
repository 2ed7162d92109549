"""Every refusal ReadRealm can send to a client.

* AppError -- the base; never raised itself
    * InvalidInput -- the request is wrong; sending it again cannot help
        * InvalidBase64 -- audio that is not strict Base64, or is empty
        * InvalidValue -- a known configuration key with a value outside its range
        * UnknownCategory -- no such configuration category
        * PayloadTooLarge -- more bytes than the limit of this event
        * UnsupportedMedia -- a media type or container that nothing here decodes
    * Unauthenticated -- no credential, or one that does not hold
    * Forbidden -- the reader is known, and may not do this
    * NotInRoom -- join the room first
    * NotFound -- no such thing, or it is hidden from this reader
        * SessionNotFound -- no session under this id
    * SessionExists -- the id is taken by another owner or by an ended session
    * InterviewInProgress -- this reader has a live interview on another socket
    * InvalidState -- the right request at the wrong moment
        * StreamNotActive -- audio before the stream was started
    * RateLimited -- too fast; try again after ``retry_after_ms``
    * Unavailable -- something that is needed is away; try again
        * StoreUnavailable -- MongoDB or Valkey does not answer
        * ProviderUnavailable -- a speech engine or language model does not answer

Whatever else escapes a service is a bug: it is logged with its traceback and reaches the
client as ``INTERNAL_ERROR``, without its text.
"""

from typing import Any, ClassVar

INTERNAL_ERROR = "INTERNAL_ERROR"
"""The code of every failure that is not a refusal."""


class AppError(Exception):
    """A refusal: an answer to the client, not a fault of the program.

    Attributes:
        code: stable name that clients may branch on; never reworded.
        retryable: whether the same request may succeed later, unchanged.
        http_status: used when the refusal leaves through an HTTP route.
        details: facts for the answer, such as ``retry_after_ms``; never free text.
    """

    code: ClassVar[str] = INTERNAL_ERROR
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class InvalidInput(AppError):
    code, http_status = "VALIDATION_ERROR", 400


class InvalidBase64(InvalidInput):
    code = "INVALID_BASE64"


class InvalidValue(InvalidInput):
    code = "INVALID_VALUE"


class UnknownCategory(InvalidInput):
    code = "UNKNOWN_CATEGORY"


class PayloadTooLarge(InvalidInput):
    code, http_status = "PAYLOAD_TOO_LARGE", 413


class UnsupportedMedia(InvalidInput):
    code, http_status = "UNSUPPORTED_MEDIA", 415


class Unauthenticated(AppError):
    code, http_status = "UNAUTHENTICATED", 401


class Forbidden(AppError):
    code, http_status = "FORBIDDEN", 403


class NotInRoom(AppError):
    code, http_status = "NOT_IN_ROOM", 409


class NotFound(AppError):
    code, http_status = "NOT_FOUND", 404


class SessionNotFound(NotFound):
    code = "SESSION_NOT_FOUND"


class SessionExists(AppError):
    code, http_status = "SESSION_EXISTS", 409


class InterviewInProgress(AppError):
    code, http_status = "INTERVIEW_IN_PROGRESS", 409


class InvalidState(AppError):
    code, http_status = "INVALID_STATE", 409


class StreamNotActive(InvalidState):
    code = "STREAM_NOT_ACTIVE"


class RateLimited(AppError):
    code, retryable, http_status = "RATE_LIMITED", True, 429

    def __init__(self, *, retry_after_ms: int) -> None:
        super().__init__("too many requests", retry_after_ms=retry_after_ms)


class Unavailable(AppError):
    retryable, http_status = True, 503


class StoreUnavailable(Unavailable):
    def __init__(self) -> None:
        super().__init__("the store does not answer; try again")


class ProviderUnavailable(Unavailable):
    code = "PROVIDER_UNAVAILABLE"


def public_face(error: Exception) -> tuple[str, str]:
    """The code and the message of any exception, safe to show to anybody."""
    if isinstance(error, AppError):
        return error.code, str(error)
    return INTERNAL_ERROR, "something went wrong on our side"
