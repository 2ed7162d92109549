"""Who may be a processing worker: a socket whose handshake says ``auth.role = "worker"``."""

import hmac
from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from readrealm.kernel.identity import SocketIdentity
from readrealm.socketio_bridge import Refused
from speech.routes.conf import WORKER_ROLE, worker_token


class Guard(Protocol):
    """A guard of the bridge."""

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None: ...

    def identity_key(self, scope: dict[str, Any]) -> str | None: ...


class WorkerGuard:
    """A guard that lets workers in by their token, and asks another one about everybody else.

    While ``SOCKET_AUTH`` is ``optional`` the role alone is enough; a token that is shown must
    hold in any case.
    """

    def __init__(self, others: Guard) -> None:
        self._others = others

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None:
        """See `speech.routes.credentials`.

        Raises:
            Refused: the token does not hold, or there is none and one is needed.
        """
        if not (isinstance(auth, Mapping) and auth.get("role") == WORKER_ROLE):
            await self._others.authenticate(scope, auth)
            return
        token = auth.get("token")
        if token is None and settings.SOCKET_AUTH == "required":
            raise Refused("a worker needs its token", code="UNAUTHENTICATED")
        if token is not None and not _holds(token):
            raise Refused("the token does not hold", code="UNAUTHENTICATED")
        scope["user"], scope["identity"] = AnonymousUser(), SocketIdentity(None)
        scope["is_processing_worker"] = True

    def identity_key(self, scope: dict[str, Any]) -> str | None:
        return self._others.identity_key(scope)


def _holds(token: Any) -> bool:
    return isinstance(token, str) and hmac.compare_digest(token.encode(), worker_token().encode())
