"""Who may open a session at all: the origin of the page, the host it asked for, and how many.

One rule for polling, upgrades and plain WebSockets. Knows no user: `BridgeNamespace` decides about
people, before their CONNECT packet.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .engine import BAD_REQUEST, FORBIDDEN, Refusal

Scope = dict[str, Any]

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, as browsers compare them."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Origin | None":
        """An origin as a header or a setting writes it; None for ``null`` and for nonsense."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            return None
        if not parts.scheme or not parts.hostname:
            return None
        return cls(parts.scheme, parts.hostname.lower(), port or DEFAULT_PORTS.get(parts.scheme))

    def matches(self, pattern: "Origin") -> bool:
        """Whether it is ``pattern``, whose host may begin with ``*.`` for all below a domain."""
        if (self.scheme, self.port) != (pattern.scheme, pattern.port):
            return False
        if pattern.host.startswith("*."):
            return self.host.endswith(pattern.host[1:])
        return self.host == pattern.host


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


@dataclass(slots=True)
class _Bucket:
    """Handshakes of one address: a theoretical arrival time, in seconds."""

    arrival: float = 0.0


@dataclass(kw_only=True)
class Admission:
    """Judges every request for a session.

    Args:
        allowed_origins: origins beside the site's own; ``"*"`` alone admits every page.
        is_allowed_host: whether a Host header (with its port) names this site.
        trust_proxy: believe ``X-Forwarded-Proto``, ``-Host`` and ``-For``; only behind a proxy
            that sets them.
        handshakes: how many sessions one address may open at once, and the seconds for each
            further one; None for no limit.
        max_per_address: open sessions of one address on this worker; None for no limit.
        credential_cookie: the cookie that ties requests of a session together.
    """

    allowed_origins: Sequence[str] = ()
    is_allowed_host: Callable[[str], bool] = field(default=lambda host: True)
    trust_proxy: bool = False
    handshakes: tuple[int, float] | None = None
    max_per_address: int | None = None
    credential_cookie: str = "sessionid"

    def __post_init__(self) -> None:
        self._any_origin = "*" in self.allowed_origins
        self._patterns = [
            pattern for text in self.allowed_origins if (pattern := Origin.parse(text)) is not None
        ]
        self._arrivals: dict[str, _Bucket] = {}
        self._per_address: dict[str, int] = {}

    def __call__(self, scope: Scope) -> Refusal | None:
        """Why this request is refused, or None."""
        host = self._host(scope)
        if host is None or not self.is_allowed_host(host):
            return Refusal(BAD_REQUEST, message="unknown host")
        if not self.is_allowed_origin(scope):
            return Refusal(FORBIDDEN, status=403, message="origin not allowed")
        return None

    def is_allowed_origin(self, scope: Scope) -> bool:
        """Whether the page that asks may; no ``Origin`` header means that no page asks.

        Browsers send it with every WebSocket and with every request to another site, so what
        comes without one comes from the site itself or from a program, which has no cookies of
        a reader to abuse.
        """
        text = header(scope, b"origin")
        if text is None or self._any_origin:
            return True
        origin = Origin.parse(text)
        if origin is None:
            return False
        own = Origin.parse(f"{self.scheme(scope)}://{self._host(scope)}")
        return origin == own or any(origin.matches(pattern) for pattern in self._patterns)

    def scheme(self, scope: Scope) -> str:
        """``http`` or ``https``, as the reader's browser sees this site."""
        forwarded = header(scope, b"x-forwarded-proto") if self.trust_proxy else None
        if forwarded:
            return forwarded.partition(",")[0].strip()
        return "https" if scope.get("scheme") in {"https", "wss"} else "http"

    def address(self, scope: Scope) -> str:
        """The client's address; empty where the server does not know it."""
        forwarded = header(scope, b"x-forwarded-for") if self.trust_proxy else None
        if forwarded:
            return forwarded.rpartition(",")[2].strip()
        client = scope.get("client")
        return str(client[0]) if client else ""

    def credential(self, scope: Scope) -> bytes | None:
        """What every request of a session must share: a digest of the session cookie.

        Browsers send it with every request. Programs that authenticate by header or token do
        so in their first request alone, and have no cookie that could be abused.
        """
        cookie = _cookie(header(scope, b"cookie") or "", self.credential_cookie)
        return hashlib.blake2b(cookie.encode(), digest_size=16).digest() if cookie else None

    def open(self, scope: Scope) -> Refusal | None:
        """Count a new session; a `Refusal` when its address has too many or opens them too fast."""
        address = self.address(scope)
        if not address:
            return None
        if self._is_too_fast(address):
            return Refusal(BAD_REQUEST, status=429, message="too many handshakes")
        count = self._per_address.get(address, 0)
        if self.max_per_address is not None and count >= self.max_per_address:
            return Refusal(BAD_REQUEST, status=429, message="too many sockets")
        self._per_address[address] = count + 1
        return None

    def closed(self, scope: Scope) -> None:
        """Count a session that ended."""
        address = self.address(scope)
        count = self._per_address.get(address, 0)
        if count > 1:
            self._per_address[address] = count - 1
        else:
            self._per_address.pop(address, None)

    def _is_too_fast(self, address: str) -> bool:
        if self.handshakes is None:
            return False
        at_once, interval_s = self.handshakes
        now = time.monotonic()
        bucket = self._arrivals.setdefault(address, _Bucket())
        arrival = max(bucket.arrival, now)
        if arrival - now > interval_s * (at_once - 1):
            return True
        bucket.arrival = arrival + interval_s
        if len(self._arrivals) > MAX_ADDRESSES:
            self._arrivals = {
                known: kept for known, kept in self._arrivals.items() if kept.arrival > now
            }
        return False

    def _host(self, scope: Scope) -> str | None:
        forwarded = header(scope, b"x-forwarded-host") if self.trust_proxy else None
        return forwarded or header(scope, b"host")


MAX_ADDRESSES = 10_000
"""Addresses that are remembered before those that have nothing left to remember are dropped."""


def _cookie(cookies: str, name: str) -> str | None:
    for part in cookies.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None
