"""Logs and figures of one process. What readers say or sign in with never gets into either."""

import asyncio
import logging
import logging.config
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from structlog.tracebacks import ExceptionDictTransformer

REGISTRY = CollectorRegistry(auto_describe=True)
"""The figures of this process; every module registers its own here."""

ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

LOOP_LAG = Histogram(
    "readrealm_loop_lag_seconds",
    "How much later than planned the event loop ran a timer.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)

PRIVATE_FIELDS = frozenset(
    {
        "authorization",
        "audio",
        "auth",
        "base64",
        "body",
        "content",
        "cookie",
        "password",
        "payload",
        "secret",
        "text",
        "token",
        "transcript",
    }
)
"""Log fields whose values are never written."""

EventDict = MutableMapping[str, Any]


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING: one line an entry on standard error, from structlog and stdlib alike.

    Args:
        level: least severity that is logged.
        style: ``console`` for people, ``json`` for machines.
    """
    renderers = _for_machines() if style == "json" else _for_people()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _enriching(),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    without_private_fields,
                    *renderers,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each of these says more at INFO than an operator wants for every request.
            "daphne": {"level": max_level(level, "WARNING")},
            "django.server": {"level": max_level(level, "WARNING")},
            "pymongo": {"level": max_level(level, "WARNING")},
            "asyncio": {"level": max_level(level, "WARNING")},
            "websockets": {"level": max_level(level, "WARNING")},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: applies `logging_config` and sends structlog through it."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_enriching(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def without_private_fields(_: Any, __: str, event: EventDict) -> EventDict:
    """A structlog processor that replaces the values of `PRIVATE_FIELDS`, at any depth."""
    for name, value in event.items():
        if name.lower() in PRIVATE_FIELDS:
            event[name] = "[not logged]"
        elif isinstance(value, dict):
            event[name] = without_private_fields(_, __, dict(value))
    return event


def max_level(*names: str) -> str:
    """The severest of levels."""
    return max(names, key=logging.getLevelNamesMapping().__getitem__)


class LoopLagMeter:
    """Measures how late the running event loop is, until it is stopped.

    Args:
        interval_s: between two measurements.
    """

    def __init__(self, *, interval_s: float = 0.25) -> None:
        self.interval_s = interval_s
        self.last_s = 0.0
        """The newest measurement."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure the running loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.interval_s, self._tick, loop.time() + self.interval_s)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self, planned: float) -> None:
        loop = asyncio.get_running_loop()
        self.last_s = max(0.0, loop.time() - planned)
        LOOP_LAG.observe(self.last_s)
        self.start()


def _for_machines() -> list[Any]:
    # Structlog's own choice shows local variables, and those of a handler are what was said.
    tracebacks = ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(tracebacks),
        structlog.processors.JSONRenderer(),
    ]


def _for_people() -> list[Any]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _enriching() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
