"""Child processes that cannot outlive us, whatever ends us. Knows no store."""

import ctypes
import os
import resource
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when the thread that forked it ends."""

WANTED_FILES = 64_000
"""Open files that mongod asks for; a worker with many sockets needs them as well."""

_libc = ctypes.CDLL(None, use_errno=True)


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    output: int | IO[Any] | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that gets SIGTERM when we end, even when we are killed.

    Call it from a thread that lives as long as the process: the kernel watches that thread. The
    child is in a session of its own, so Ctrl-C reaches us alone and we stop it in order.

    Args:
        environment: None hands ours on.
        output: for standard output and standard error; None hands ours on.
        descriptors: open files that the child inherits under the same numbers.
    """
    return subprocess.Popen(  # noqa: S603  our own list of arguments, no shell
        [str(part) for part in command],
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=tuple(descriptors),
        start_new_session=True,
        preexec_fn=tie(os.getpid()),
    )


def tie(parent: int) -> Callable[[], None]:
    """What a child does between fork and exec: end with ``parent``, and may open many files."""

    def prepare() -> None:
        # A child inherits what its parent has blocked, and would never hear that it is to end.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        end_with_parent(parent)
        allow_many_files()

    return prepare


def end_with_parent(parent: int) -> None:
    """Have the kernel send this process SIGTERM when ``parent`` ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the line above
        os.kill(os.getpid(), signal.SIGTERM)


def exit_after_parent(*, grace_s: float) -> None:
    """Leave for good ``grace_s`` after the parent has ended, in case SIGTERM was not enough."""
    parent = os.pidfd_open(os.getppid())

    def watch() -> None:
        select.select([parent], [], [])
        time.sleep(grace_s)
        os._exit(os.EX_SOFTWARE)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def allow_many_files() -> None:
    """Raise the limit of open files as far as the system lets us, up to `WANTED_FILES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def identity(pid: int) -> str | None:
    """Names one process for ever, unlike its id, which is used again; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state == "Z" else f"{pid}:{started}"


def is_running(known: str) -> bool:
    """Whether the process of that `identity` is still there."""
    return identity(int(known.partition(":")[0])) == known


def stop(process: subprocess.Popen[bytes], *, timeout_s: float) -> None:
    """Ask a child to end; kill it when it has not ended after ``timeout_s``."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
