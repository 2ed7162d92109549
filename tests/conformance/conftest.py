"""Servers under test: the target of the public suites, and a workshop with consumers."""

from collections.abc import Iterator

import pytest

from tests.support.bridge import TARGET, WORKSHOP, BridgeServer, serving

ASGI_SERVERS = ("daphne", "uvicorn")


@pytest.fixture(scope="session", params=ASGI_SERVERS)
def target(request: pytest.FixtureRequest) -> Iterator[BridgeServer]:
    """What the public suites are pointed at, on each ASGI server."""
    with serving(request.param, TARGET) as server:
        yield server


@pytest.fixture(scope="session", params=ASGI_SERVERS)
def workshop(request: pytest.FixtureRequest, redis_url: str) -> Iterator[BridgeServer]:
    """Consumers that do what they are asked, on each ASGI server."""
    with serving(request.param, WORKSHOP, environment={"REDIS_URL": redis_url}) as server:
        yield server


@pytest.fixture(params=ASGI_SERVERS)
def own_workshop(request: pytest.FixtureRequest, redis_url: str) -> Iterator[BridgeServer]:
    """A workshop for one test, to be measured or ended; its clients may take their time."""
    environment = {"REDIS_URL": redis_url, "PING_INTERVAL_S": "1", "PING_TIMEOUT_S": "10"}
    with serving(request.param, WORKSHOP, environment=environment) as server:
        yield server


@pytest.fixture(params=["/engine.io/", "/socket.io/"])
def path(request: pytest.FixtureRequest) -> str:
    """Where Engine.IO is served: under the echo, and under Socket.IO."""
    found: str = request.param
    return found
