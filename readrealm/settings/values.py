"""What a value in the environment may look like, one function a kind. Reads no environment."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

import dj_database_url

from readrealm.kernel.ratelimit import Rate

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}

_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ORIGIN = re.compile(
    r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d+)?"
)
_RATE = re.compile(r"([1-9]\d{0,6})/([1-9]\d{0,6})(ms|s|m|h)")
_WORKER = re.compile(r"[A-Za-z0-9]{1,32}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def host(text: str) -> str:
    """An address to listen on."""
    if not _is_address(text) and not _HOST.fullmatch(text):
        raise ValueError("not an address or a host name")
    return text


def host_pattern(text: str) -> str:
    """A host name as Django's ALLOWED_HOSTS takes it."""
    bare = text.removeprefix("[").removesuffix("]")
    if text != "*" and not _is_address(bare) and not _HOST.fullmatch(text.removeprefix(".")):
        raise ValueError("not a host name")
    return text


def origin(text: str) -> str:
    """Scheme, host and port of a page; ``https://*.example.org`` covers all below."""
    if not _ORIGIN.fullmatch(text):
        raise ValueError("not an origin")
    return text


def switch(text: str) -> bool:
    """On or off."""
    word = text.lower()
    if word not in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        raise ValueError("neither true nor false")
    return word in {"true", "1", "yes", "on"}


def rate(text: str) -> Rate | None:
    """``10/10s``: ten at once, then one a second. None is off."""
    if text.lower() == "off":
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("not a rate")
    try:
        return Rate(count=int(match[1]), period_ms=int(match[2]) * UNITS_MS[match[3]])
    except ValueError:
        raise ValueError("more than one in a millisecond") from None


def limit(text: str) -> int | None:
    """A count from 1 to a million. None is off."""
    return None if text.lower() == "off" else whole_number(1, 1_000_000)(text)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A number from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"not a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """One of ``words``."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("no such choice")
        return text

    return parse


def secret(least: int) -> Callable[[str], str]:
    """Text of at least ``least`` characters, which no message ever quotes."""

    def parse(text: str) -> str:
        if len(text) < least:
            raise ValueError(f"shorter than {least} characters")
        return text

    return parse


def worker_id(text: str) -> str:
    """The name of a worker; part of every session id, so letters and digits only."""
    if not _WORKER.fullmatch(text):
        raise ValueError("not a worker's name")
    return text


def mongodb_url(text: str) -> str:
    """A MongoDB that keeps what it acknowledges."""
    parts = _with_scheme(text, "mongodb", "mongodb+srv")
    options = {name.lower(): values[-1] for name, values in parse_qs(parts).items()}
    if options.get("w", "majority") != "majority":
        raise ValueError(f"w={options['w']} loses acknowledged messages")
    if "false" in {options.get("journal"), options.get("j")}:
        raise ValueError("an acknowledged message must be journaled")
    return text


def redis_url(text: str) -> str:
    """A Valkey or Redis."""
    _with_scheme(text, "redis", "rediss", "unix")
    return text


def database_url(text: str) -> str:
    """A relational database that Django and the installed drivers know."""
    _with_scheme(text, "postgresql", "postgres", "sqlite")
    dj_database_url.parse(text)
    return text


def _with_scheme(text: str, *schemes: str) -> str:
    """The query of a URL with one of ``schemes``. It may hold a password, so it is never quoted."""
    parts = urlsplit(text)
    if parts.scheme not in schemes or text == f"{parts.scheme}://":
        raise ValueError("not such a URL")
    return parts.query


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
