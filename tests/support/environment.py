"""The environment of a test session: set before Django reads it, gone when the session ends."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from readrealm.stores.addresses import mongod_url, valkey_url

MEMORY = Path("/dev/shm")
NEEDED_BYTES = 1 << 30
"""A small /dev/shm, as containers have, is left alone."""


def temporary_folder() -> Path:
    """A folder for this session's stores, in memory where there is room."""
    in_memory = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED_BYTES
    folder = Path(tempfile.mkdtemp(prefix="rr-", dir=MEMORY if in_memory else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def prepare(folder: Path) -> None:
    """Have every process of this session use the stores in ``folder`` and nothing else."""
    for name in ("MONGO_URL", "DATABASE_URL", "HOST", "PORT", "SECRET_KEY", "WORKER_ID", "RUN_DIR"):
        os.environ.pop(name, None)
    (folder / "static").mkdir()  # where nothing is collected; WhiteNoise looks for it
    os.environ.update(
        DJANGO_SETTINGS_MODULE="readrealm.settings",
        DATA_DIR=str(folder),
        MONGODB_URL=mongod_url(folder),
        REDIS_URL=valkey_url(folder),
        DEBUG="true",
        HTTPS="false",
        LOG_LEVEL="WARNING",
        VOICE="false",
    )
