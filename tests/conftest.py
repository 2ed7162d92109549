"""What every test may use: real stores, real servers, a browser, and a deadline.

The environment is set here, before Django reads it. A store starts with the first test that asks
for it and ends with the session, even when the session is killed.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import django
import pytest

from tests import ALONE, PACED
from tests.support import browser, environment

FOLDER = environment.temporary_folder()
environment.prepare(FOLDER)
django.setup()

from django.conf import settings  # noqa: E402
from django.test import override_settings  # noqa: E402

from tests.support.stores import SessionStores  # noqa: E402  reads what was just set
from tests.support.worker import Server  # noqa: E402

TESTS = Path(__file__).parent
COLLECT = "from readrealm.management.preparation import collect_static; collect_static()"
KINDS = {
    "unit": "no store, no process, no network",
    "contract": "payloads that documents promise",
    "integration": "real stores and servers",
    "conformance": "foreign clients and protocol suites",
    "browser": "a real browser",
    "architecture": "rules of the house",
    "benchmarks": "measured, not judged",
}


FAST_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
PLAIN_NAMES = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
UNCOLLECTED = {**settings.STORAGES, "staticfiles": PLAIN_NAMES}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{ALONE}: measures time; nothing may run beside it")
    config.addinivalue_line("markers", f"{PACED}: only its like may run beside it")
    for kind, meaning in KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning} (every test in tests/{kind})")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Before processes begin that run tests side by side: each makes its own environment, so
    Django must not have read ours by then, which it does where this variable is set."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with the folder it is in, and put the files in the order in which processes
    side by side hinder each other least."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in KINDS:
            item.add_marker(kind)
        if kind == "conformance":
            item.add_marker(PACED)
    paths = dict.fromkeys(item.path for item in items)
    kinds: defaultdict[str, list[Path]] = defaultdict(list)
    for path in paths:
        kinds[path.relative_to(TESTS).parts[0]].append(path)
    place = {path: at for at, path in enumerate(woven(kinds.values()))}
    emptying = {item.path for item in items if empties_tables(item)}
    items.sort(key=lambda item: (item.path in emptying, place[item.path]))


def empties_tables(item: pytest.Item) -> bool:
    """Whether a test leaves tables without what migrations put there, as pytest-django does for
    transactions in earnest: such files come last."""
    mark = item.get_closest_marker("django_db")
    return bool(mark and mark.kwargs.get("transaction")) or bool(
        {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    )


def woven(kinds: Iterable[Sequence[Path]]) -> list[Path]:
    """All of them, each kind in its order and spread evenly: a browser computes while another
    process waits for a server, and no two browsers take turns for longer than they must."""
    spread = [((at + 0.5) / len(paths), path) for paths in kinds for at, path in enumerate(paths)]
    return [path for _, path in sorted(spread, key=itemgetter(0))]


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> Iterator[None]:
    """In this process hashing a password takes no time, and static files keep their names, for
    nothing has collected them; servers that tests start have neither."""
    with override_settings(PASSWORD_HASHERS=FAST_HASHERS, STORAGES=UNCOLLECTED):
        yield


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
def prepared_folder(
    session_stores: SessionStores, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A DATA_DIR whose SQLite file has the tables, the catalogue and the question bank, to be
    copied: making them takes longer."""
    assert session_stores.mongo
    folder = tmp_path_factory.mktemp("prepared")
    Server(folder, workers=1, environment={}).manage("prepare")
    return folder


@pytest.fixture(scope="session")
def collected_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A STATIC_ROOT as production has it, to be copied: hashing and compressing takes longer."""
    folder = tmp_path_factory.mktemp("collected")
    earnest = {"DEBUG": "false", "SECRET_KEY": "c" * 60}
    Server(folder, workers=1, environment=earnest).manage("shell", "--command", COLLECT)
    return folder / "static"


StartServer = Callable[..., Server]


@contextmanager
def serving(request: pytest.FixtureRequest) -> Iterator[StartServer]:
    """Starts servers, each with a database, a Valkey, accounts and a port of its own.

    ``start(workers=2, CHAT_RATE="off")`` gives a running `Server`; all end with the block.
    """
    stores: SessionStores = request.getfixturevalue("session_stores")
    prepared: Path = request.getfixturevalue("prepared_folder")
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    started: list[Server] = []
    assert stores.mongo

    def start(*, workers: int = 1, **variables: str) -> Server:
        folder = folders.mktemp("server") / "data"
        shutil.copytree(prepared, folder)
        if variables.get("DEBUG") == "false":
            shutil.copytree(request.getfixturevalue("collected_folder"), folder / "static")
        database = f"server_{os.getpid()}_{folder.parent.name}"
        chosen = {"MONGODB_URL": stores.url_of(database), **variables}
        running = Server(folder, workers=workers, environment=chosen)
        started.append(running)
        return running.start()

    try:
        yield start
    finally:
        for running in started:
            running.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[StartServer]:
    """Start servers that end with the test: for tests that stop, starve or measure theirs."""
    with serving(request) as start:
        yield start


@pytest.fixture(scope="module")
def shared_server(request: pytest.FixtureRequest) -> Iterator[StartServer]:
    """Start servers that end with the module: the same options give the same one again.

    For tests that leave it as they found it, with books and readers of their own.
    """
    with serving(request) as start:
        running: dict[tuple[int, frozenset[tuple[str, str]]], Server] = {}

        def ask(*, workers: int = 1, **variables: str) -> Server:
            options = workers, frozenset(variables.items())
            if options not in running:
                running[options] = start(workers=workers, **variables)
            return running[options]

        yield ask


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Of Debian's browser."""
    return {
        **browser_type_launch_args,
        "executable_path": browser.program(),
        "args": browser.arguments(),
    }
