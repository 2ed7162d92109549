"""What every test may use: real stores, real servers, a browser, and a deadline.

The environment is set here, before Django reads it. A store starts with the first test that asks
for it and ends with the session, even when the session is killed.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest

from tests.support import environment

FOLDER = environment.temporary_folder()
environment.prepare(FOLDER)
django.setup()

from tests.support.stores import SessionStores  # noqa: E402  reads what was just set
from tests.support.worker import Server  # noqa: E402

TESTS = Path(__file__).parent
KINDS = {
    "unit": "no store, no process, no network",
    "contract": "payloads that documents promise",
    "integration": "real stores and servers",
    "conformance": "foreign clients and protocol suites",
    "browser": "a real browser",
    "architecture": "rules of the house",
    "benchmarks": "measured, not judged",
}


def pytest_configure(config: pytest.Config) -> None:
    for kind, meaning in KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning} (every test in tests/{kind})")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with the folder it is in."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in KINDS:
            item.add_marker(kind)


@pytest.fixture(scope="session")
def session_stores() -> Iterator[SessionStores]:
    """The private stores of this session; nothing runs before it is asked for."""
    stores = SessionStores(FOLDER)
    yield stores
    stores.stop()


@pytest.fixture(scope="session")
def mongo_url(session_stores: SessionStores) -> str:
    """A running MongoDB, the one in Django's settings, with every index of every app."""
    from readrealm.management.preparation import ensure_indexes

    assert session_stores.mongo
    ensure_indexes()
    return session_stores.mongo_url


@pytest.fixture(scope="session")
def redis_url(session_stores: SessionStores) -> str:
    """A running Valkey, the one in Django's settings."""
    assert session_stores.redis.ping()
    return session_stores.redis_url


@pytest.fixture
def clean_stores(session_stores: SessionStores, mongo_url: str, redis_url: str) -> SessionStores:
    """Both stores, empty."""
    session_stores.empty()
    return session_stores


@pytest.fixture
async def stores(clean_stores: SessionStores) -> AsyncIterator[SessionStores]:
    """Both stores, empty, for a test that uses them on its event loop."""
    from channels.layers import channel_layers

    from readrealm.stores import mongo, redis

    channel_layers.backends.clear()
    yield clean_stores
    for layer in channel_layers.backends.values():
        await layer.flush()
    channel_layers.backends.clear()
    await mongo.aclose()
    await redis.aclose()


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with a migrated SQLite file, to be copied: migrating takes longer."""
    folder = tmp_path_factory.mktemp("migrated")
    Server(folder, workers=1, environment={}).manage("migrate", "--verbosity", "0")
    return folder


StartServer = Callable[..., Server]


@pytest.fixture
def server(
    session_stores: SessionStores, migrated_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start servers: ``server(workers=2, CHAT_RATE="off")`` gives a running `Server`.

    Each has a database, a Valkey, accounts and a port of its own, and ends with the test.
    """
    started: list[Server] = []
    assert session_stores.mongo

    def start(*, workers: int = 1, **variables: str) -> Server:
        folder = tmp_path_factory.mktemp("server") / "data"
        shutil.copytree(migrated_folder, folder)
        database = f"server_{os.getpid()}_{folder.parent.name}"
        chosen = {"MONGODB_URL": session_stores.url_of(database), **variables}
        running = Server(folder, workers=workers, environment=chosen)
        started.append(running)
        return running.start()

    yield start
    for running in started:
        running.close()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's chromium in place of Playwright's own."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not on the PATH: apt-get install chromium"
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        # The sandbox of chromium refuses to run as root.
        "args": ["--no-sandbox"] if os.geteuid() == 0 else [],
    }
