"""The environment as one typed value. Nothing else in ReadRealm reads a variable.

A value that is wrong is a `WrongSetting`, never a guess: its text is the one line an operator
needs. What each variable means stands in `readrealm.settings.table`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from readrealm.kernel.ratelimit import Rate
from readrealm.settings import values
from readrealm.settings.table import SETTINGS

T = TypeVar("T")
D = TypeVar("D")

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

_KNOWN = {setting.name: setting for setting in SETTINGS}


class WrongSetting(Exception):
    """A variable that cannot be used; ``str()`` says which, what is wrong and what is allowed."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}; allowed: {_KNOWN[name].allowed}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the environment says, with every default filled in.

    None stands for "not given" in URLs and secrets, and for "off" in limits and rates.
    """

    host: str
    port: int
    workers: int
    data_dir: Path
    run_dir: Path
    worker_id: str
    mongodb_url: str | None
    redis_url: str | None
    database_url: str | None
    secret_key: str | None
    debug: bool
    debug_is_auto: bool
    https: bool
    trust_proxy_headers: bool
    allowed_hosts: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    cors_origins: tuple[str, ...]
    socket_auth: str
    sockets_per_address: int | None
    sockets_per_user: int | None
    handshake_rate: Rate | None
    chat_rate: Rate | None
    log_in_rate: Rate | None
    sign_up_rate: Rate | None
    drain_s: int
    metrics_token: str | None
    log_level: str
    log_format: str


def read(*, root: Path) -> Environment:
    """The environment of this process, judged.

    Args:
        root: where relative folders start.

    Raises:
        WrongSetting: a value that cannot be used, or a missing one that has no default.
    """
    host = ask("HOST", values.host, "127.0.0.1")
    secret_key = ask("SECRET_KEY", values.secret(50), None)
    debug = ask("DEBUG", _debug, False)
    if debug is None:
        debug = secret_key is None and values.is_loopback(host)
    if secret_key is None and not debug:
        raise WrongSetting("SECRET_KEY", "not set while DEBUG is off")
    data_dir = root / ask("DATA_DIR", _folder, Path("var"))
    return Environment(
        host=host,
        port=ask("PORT", values.whole_number(0, 65_535), 8000),
        workers=ask("WORKERS", values.whole_number(1, 64), _processors()),
        data_dir=data_dir,
        run_dir=root / ask("RUN_DIR", _folder, data_dir / "run"),
        worker_id=ask("WORKER_ID", values.worker_id, "w0"),
        mongodb_url=ask("MONGODB_URL", values.mongodb_url, None),
        redis_url=ask("REDIS_URL", values.redis_url, None),
        database_url=ask("DATABASE_URL", values.database_url, None),
        secret_key=secret_key,
        debug=debug,
        debug_is_auto=ask("DEBUG", _debug, False) is None,
        https=ask("HTTPS", values.switch, not debug),
        trust_proxy_headers=ask("TRUST_PROXY_HEADERS", values.switch, False),
        allowed_hosts=ask("ALLOWED_HOSTS", _several(values.host_pattern), LOOPBACK_NAMES),
        csrf_trusted_origins=ask("CSRF_TRUSTED_ORIGINS", _several(values.origin), ()),
        cors_origins=_cors_origins(debug=debug),
        socket_auth=ask(
            "SOCKET_AUTH",
            values.one_of("required", "optional"),
            "optional" if debug else "required",
        ),
        sockets_per_address=ask("SOCKETS_PER_ADDRESS", values.limit, 256),
        sockets_per_user=ask("SOCKETS_PER_USER", values.limit, 32),
        handshake_rate=ask("HANDSHAKE_RATE", values.rate, Rate(count=600, period_ms=60_000)),
        chat_rate=ask("CHAT_RATE", values.rate, Rate(count=10, period_ms=10_000)),
        log_in_rate=ask("LOG_IN_RATE", values.rate, Rate(count=5, period_ms=300_000)),
        sign_up_rate=ask("SIGN_UP_RATE", values.rate, Rate(count=20, period_ms=3_600_000)),
        drain_s=ask("DRAIN_S", values.whole_number(0, 300), 5),
        metrics_token=ask("METRICS_TOKEN", values.secret(16), None),
        log_level=ask("LOG_LEVEL", values.one_of(*LOG_LEVELS), "INFO"),
        log_format=ask(
            "LOG_FORMAT", values.one_of("console", "json"), "console" if debug else "json"
        ),
    )


def inherited(**changes: str) -> dict[str, str]:
    """The environment for a child process: ours, with ``changes``."""
    return {**os.environ, **changes}


def ask(name: str, parse: Callable[[str], T], default: D) -> T | D:
    """The value of a variable; one that is empty counts as not set."""
    setting = _KNOWN[name]
    spellings = (os.environ.get(key, "").strip() for key in (name, *setting.also))
    text = next(filter(None, spellings), None)
    if text is None:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise WrongSetting(name, str(error)) from None


def _debug(text: str) -> bool | None:
    return None if text.lower() == "auto" else values.switch(text)


def _folder(text: str) -> Path:
    return Path(text).expanduser()


def _several(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def parse_all(text: str) -> tuple[str, ...]:
        return tuple(parse(part.strip()) for part in text.split(",") if part.strip())

    return parse_all


def _cors_origins(*, debug: bool) -> tuple[str, ...]:
    """``*`` lets every page act with its reader's cookies, so only a developer may say it."""
    if debug and os.environ.get("CORS_ORIGIN", "").strip() == "*":
        return ("*",)
    return ask("CORS_ORIGIN", _several(values.origin), ())


def _processors() -> int:
    return min(4, len(os.sched_getaffinity(0)))
