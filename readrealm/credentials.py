"""Who is behind a socket: a short-lived token, or the session cookie. The payload never decides.

A token serves front ends on another origin, which have no cookie here: `token_for` makes one
for a signed-in reader, and the client sends it as ``auth.token`` (or as a bearer token).
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib import auth
from django.core import signing
from django.http import HttpRequest

from readrealm.kernel.identity import Identity, SocketIdentity
from readrealm.socketio_bridge import Refused

TOKEN_SALT = "readrealm.socket"  # noqa: S105  names a purpose; the key is SECRET_KEY
TOKEN_LIFETIME_S = 60


def token_for(user: Any) -> str:
    """A token that opens sockets as ``user`` for the next `TOKEN_LIFETIME_S` seconds.

    It ends earlier when the password changes.
    """
    return signing.dumps([user.pk, user.get_session_auth_hash()], salt=TOKEN_SALT)


class AccountGuard:
    """Decides by token or session cookie; the guard of every socket of ReadRealm."""

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None:
        """See `identify`."""
        await identify(scope, auth)

    def identity_key(self, scope: dict[str, Any]) -> str | None:
        """The primary key of the account; None for an anonymous socket."""
        account = scope["identity"].account
        return account.user_id if account else None


async def identify(scope: dict[str, Any], handshake: Any) -> None:
    """Put ``user`` and ``identity`` into the scope of a new connection.

    Args:
        scope: of the handshake request; receives the Django user (or an anonymous one) and
            the `SocketIdentity` that all consumers of the connection share.
        handshake: the ``auth`` payload of the CONNECT packet.

    Raises:
        Refused: a token that does not hold, or none while ``SOCKET_AUTH`` is ``required``.
    """
    token = _token(scope, handshake)
    if token is not None:
        user = await _user_of_token(token)
        if user is None:
            raise Refused("the token does not hold", code="UNAUTHENTICATED")
    else:
        user = await _user_of_session(_session_key(scope))
    if user is None and settings.SOCKET_AUTH == "required":
        raise Refused("sign in first", code="UNAUTHENTICATED")
    scope["user"] = user or auth.models.AnonymousUser()
    scope["identity"] = SocketIdentity(account_of(user) if user else None)


def account_of(user: Any) -> Identity:
    """A Django user as rooms and sessions see one."""
    return Identity(
        user_id=str(user.pk),
        username=(user.get_full_name() or user.get_username())[:64],
        is_staff=user.is_staff,
        authenticated=True,
    )


def _token(scope: dict[str, Any], handshake: Any) -> str | None:
    if isinstance(handshake, Mapping) and isinstance(handshake.get("token"), str):
        token: str = handshake["token"]
        return token
    authorization = _header(scope, b"authorization")
    kind, _, value = authorization.partition(" ")
    return value.strip() if kind.lower() == "bearer" and value else None


def _session_key(scope: dict[str, Any]) -> str | None:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _user_of_token(token: str) -> Any:
    try:
        pk, session_hash = signing.loads(token, salt=TOKEN_SALT, max_age=TOKEN_LIFETIME_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = await _load_user(pk)
    return user if user and user.get_session_auth_hash() == session_hash else None


@database_sync_to_async
def _load_user(pk: Any) -> Any:
    return auth.get_user_model().objects.filter(pk=pk, is_active=True).first()


async def _user_of_session(key: str | None) -> Any:
    """The user of a session cookie; without a cookie nothing is asked."""
    return await _load_session_user(key) if key else None


@database_sync_to_async
def _load_session_user(key: str) -> Any:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = auth.get_user(request)
    return user if user.is_authenticated and user.is_active else None
