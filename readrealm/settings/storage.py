"""Where this installation keeps things: the data folder, its key, and the relational store."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url

from readrealm.settings.env import WrongSetting

KEY_FILE = "secret-key"
SQLITE_FILE = "readrealm.sqlite3"
SQLITE_BUSY_TIMEOUT_S = 20


def data_folder(path: Path) -> Path:
    """``path``, made for this user only if it was missing.

    Raises:
        WrongSetting: it cannot be made, or nothing can be written there.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting("DATA_DIR", f"{path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise WrongSetting("DATA_DIR", f"{path}: nothing can be written there")
    return path.resolve()


def kept_key(data_dir: Path) -> str:
    """The key in ``data_dir``, made at the first call; one key even when several ask at once."""
    path = data_dir / KEY_FILE
    if not path.exists():
        draft = data_dir / f"{KEY_FILE}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        # A link, unlike a rename, fails when somebody else was first.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def database(url: str | None, *, data_dir: Path) -> dict[str, Any]:
    """Django's entry for the relational store; SQLite in ``data_dir`` without a URL."""
    if url is None:
        url = f"sqlite:///{data_dir / SQLITE_FILE}"
    entry: dict[str, Any] = dict(dj_database_url.parse(url))
    if entry["ENGINE"].endswith("sqlite3"):
        # Readers do not wait for a writer (WAL), and a writer takes the lock at its start: one
        # that takes it later cannot wait for it and fails at once.
        entry["OPTIONS"] = {
            "timeout": SQLITE_BUSY_TIMEOUT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        entry["TEST"] = {"NAME": str(data_dir / f"test-{SQLITE_FILE}")}
    else:
        entry["CONN_HEALTH_CHECKS"] = True
    return entry
