"""What has to be true of the stores and the static files before a worker may serve.

Each step is safe to repeat and quick when there is nothing to do.
"""

import fcntl
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

STAMP = ".collected"
"""Under STATIC_ROOT: what was collected last."""


def prepare() -> Iterator[str]:
    """Do every step; yields a line for people after each.

    Several processes with one DATA_DIR take turns.
    """
    with _alone():
        yield (
            _counted(migrate(), "migration applied", "migrations applied") or "database up to date"
        )
        yield "indexes checked for " + (", ".join(ensure_indexes()) or "nothing")
        call_command("load_catalogue", verbosity=0, stdout=io.StringIO())
        call_command("load_questions", verbosity=0, stdout=io.StringIO())
        yield "catalogue and question bank loaded"
        if not settings.DEBUG:
            yield "static files collected" if collect_static() else "static files up to date"


def migrate() -> int:
    """Bring the relational store up to date; how many migrations that took."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()
    return len(plan)


def ensure_indexes() -> list[str]:
    """Make the MongoDB indexes of every app that has some; the labels of those apps."""
    labels = []
    for app in apps.get_app_configs():
        hook = getattr(app, "ensure_indexes", None)
        if hook is not None:
            hook()
            labels.append(app.label)
    return labels


def collect_static() -> bool:
    """Collect, hash and compress the static files; False when none has changed since."""
    stamp, digest = Path(settings.STATIC_ROOT) / STAMP, _digest_of_static_files()
    if stamp.exists() and stamp.read_text() == digest:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest)
    return True


def _digest_of_static_files() -> str:
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in finders.get_finders():
        for path, storage in finder.list(ignore_patterns=None):
            state = Path(storage.path(path)).stat()
            digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    with (settings.DATA_DIR / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _counted(count: int, one: str, many: str) -> str | None:
    return f"{count} {one if count == 1 else many}" if count else None
