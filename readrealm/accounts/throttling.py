"""How often somebody may try to log in or sign up, counted over all workers.

Attempts are counted in Valkey for a name from one address, for a name, and for an address. The
limits refill steadily, so nobody is locked out: who is too fast waits for the next attempt. A
browser in which somebody has logged in before has a limit of its own, so that others who try
that name elsewhere do not slow its owner down. While Valkey is away everybody may try.
"""

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac

from readrealm.kernel.errors import RateLimited, StoreUnavailable
from readrealm.kernel.ratelimit import Rate
from readrealm.stores import redis
from readrealm.stores.allowance import Allowance

log = logging.getLogger(__name__)

MINUTE_MS = 60_000


def _beside(count: int, *, minutes: int) -> Rate | None:
    """A limit that holds as long as log-ins are limited at all."""
    return Rate(count=count, period_ms=minutes * MINUTE_MS) if settings.LOG_IN_RATE else None


PAIR = Allowance(settings.LOG_IN_RATE, name="login-pair")
NAME = Allowance(_beside(50, minutes=60), name="login-name")
ADDRESS = Allowance(_beside(100, minutes=10), name="login-address")
BROWSER = Allowance(_beside(10, minutes=10), name="login-browser")
SIGN_UP = Allowance(settings.SIGN_UP_RATE, name="sign-up")

BROWSER_COOKIE, BROWSER_SALT = "known_browser", "readrealm.accounts.browser"
BROWSER_COOKIE_S = 365 * 24 * 3600

Spending = tuple[Allowance, str]


def wait_for_log_in(request: HttpRequest, name: str) -> int:
    """Count an attempt to log in; 0, or how long to wait before the next one, ms."""
    browser = _known_browser(request, name)
    if browser is not None:
        return _wait([(BROWSER, _digest(f"{_fold(name)}\n{browser}"))])
    address = address_of(request)
    return _wait(
        [
            (PAIR, _digest(f"{_fold(name)}\n{address}")),
            (NAME, _digest(_fold(name))),
            (ADDRESS, _digest(address)),
        ]
    )


def wait_for_sign_up(request: HttpRequest) -> int:
    """Count a new account; 0, or how long to wait before the next one, ms."""
    return _wait([(SIGN_UP, _digest(address_of(request)))])


def remember_browser(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Have a browser known as one in which somebody of this name has logged in."""
    known = _known_browser(request, name) or get_random_string(16)
    response.set_cookie(
        BROWSER_COOKIE,
        signing.dumps([_fold(name), known], salt=BROWSER_SALT),
        max_age=BROWSER_COOKIE_S,
        path="/accounts/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def waiting_words(wait_ms: int) -> str:
    """What somebody is told who was too fast."""
    seconds = -(-wait_ms // 1000)
    if seconds < 90:
        span = f"{seconds} second{'' if seconds == 1 else 's'}"
    else:
        span = f"{-(-seconds // 60)} minutes"
    return f"Too many attempts. Please wait {span} and try again."


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: an IPv4 address, or the /64 network of an IPv6 one, for that
    is what one household or one machine has."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR") if settings.TRUST_PROXY_HEADERS else None
    text = forwarded.rpartition(",")[2].strip() if forwarded else request.META.get("REMOTE_ADDR")
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _known_browser(request: HttpRequest, name: str) -> str | None:
    try:
        known: Any = signing.loads(
            request.COOKIES.get(BROWSER_COOKIE, ""), salt=BROWSER_SALT, max_age=BROWSER_COOKIE_S
        )
        remembered, browser = known
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(browser) if remembered == _fold(name) else None


def _fold(name: str) -> str:
    return name.strip().casefold()[:200]


def _digest(text: str) -> str:
    """Keys say nothing: people type passwords where names belong."""
    return salted_hmac("readrealm.accounts.throttling", text, algorithm="sha256").hexdigest()[:32]


@async_to_sync
async def _wait(spendings: Sequence[Spending]) -> int:
    async with redis.lent():
        try:
            for allowance, key in spendings:
                await allowance.spend(key)
        except RateLimited as refusal:
            return int(refusal.details["retry_after_ms"])
        except StoreUnavailable:
            log.warning("attempts are not counted: Valkey does not answer")
    return 0
