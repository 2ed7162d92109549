"""Which workers of a server are there: for tests that share one and kill some of its processes."""

from tests.support.processes import wait_until
from tests.support.worker import Server

READY_S = 60
"""For a worker or a store to be there again, on a busy machine and after some deaths in a row."""


def in_order(server: Server) -> Server:
    """The server, running and with every worker ready, whatever a test before has done to it."""
    if server.program is None or server.program.process.poll() is not None:
        server.close()
        server.start()
    wait_until_all_are_ready(server)
    return server


def wait_until_all_are_ready(server: Server) -> None:
    """Come back when every worker has said that it is ready, and none has said anything else
    since the first of them did."""
    ready: set[str] = set()

    def all_said_so() -> bool:
        status, answer = server.get_json("/readyz")
        if status == 200:
            ready.add(answer["worker"])
        else:
            ready.clear()
        return len(ready) == server.workers

    wait_until(all_said_so, what=f"{server.workers} workers that are ready", timeout_s=READY_S)
