"""Where private processes listen, and who may get there. Starts nothing, connects to nothing."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

LONGEST_PATH_BYTES = 100
"""The kernel takes 107 for a Unix socket; the rest is room for a server's own additions."""

LONGEST_NAME_BYTES = 24
"""Of a socket file: ``w1x0a1b2c.sock``, ``mongod.sock``."""

DATABASE = "readrealm"


class UnsafeFolder(Exception):
    """A folder for private sockets belongs to somebody else."""


def socket_folder(wanted: Path) -> Path:
    """``wanted``, or where its sockets go instead when its path is too long for a socket.

    The stand-in lies in the temporary folder and depends on the path alone, so every process
    of this user arrives at the same one.
    """
    if len(os.fsencode(wanted)) + 1 + LONGEST_NAME_BYTES <= LONGEST_PATH_BYTES:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"readrealm-{os.getuid()}-{digest}"


def private_folder(path: Path) -> Path:
    """Make ``path`` if it is missing, and make sure that only this user can enter it.

    Raises:
        UnsafeFolder: it is a link, or belongs to somebody else.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = path.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        raise UnsafeFolder(f"{path} belongs to somebody else; set DATA_DIR to a folder of yours")
    if stat.S_IMODE(state.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def mongod_folder(data_dir: Path) -> Path:
    """The files of the private mongod."""
    return data_dir / "mongo"


def mongod_socket(data_dir: Path) -> Path:
    """Where the private mongod listens."""
    return socket_folder(mongod_folder(data_dir)) / "mongod.sock"


def mongod_url(data_dir: Path) -> str:
    """How clients reach the private mongod."""
    place = quote(str(mongod_socket(data_dir)), safe="")
    return f"mongodb://{place}/{DATABASE}?directConnection=true&w=majority&journal=true"


def valkey_folder(data_dir: Path) -> Path:
    """The log of the private Valkey; it keeps no data."""
    return data_dir / "valkey"


def valkey_socket(data_dir: Path) -> Path:
    """Where the private Valkey listens."""
    return socket_folder(valkey_folder(data_dir)) / "valkey.sock"


def valkey_url(data_dir: Path) -> str:
    """How clients reach the private Valkey."""
    return f"unix://{valkey_socket(data_dir)}"
