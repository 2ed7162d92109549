import os
import resource
import signal
import subprocess
import sys

from readrealm.stores import processes

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    signal.pause()
"""


def test_a_process_is_known_by_more_than_its_number():
    child = subprocess.Popen(SLEEPER)
    known = processes.identity(child.pid)

    assert known is not None
    assert processes.is_running(known)
    child.kill()
    child.wait()
    assert not processes.is_running(known)
    assert processes.identity(child.pid) is None
    assert not processes.is_running(f"{os.getpid()}:0")


def test_one_that_is_dead_but_not_buried_does_not_run():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert processes.identity(child.pid) is None
    child.wait()


def test_a_child_is_asked_to_end():
    child = processes.spawn(SLEEPER)

    processes.stop(child, timeout_s=10)

    assert child.returncode == -signal.SIGTERM


def test_a_child_that_does_not_hear_is_killed():
    child = processes.spawn([sys.executable, "-c", STUBBORN], output=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()

    processes.stop(child, timeout_s=0.1)
    child.stdout.close()

    assert child.returncode == -signal.SIGKILL


def test_a_child_hears_what_we_have_blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        child = processes.spawn(SLEEPER)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    processes.stop(child, timeout_s=10)

    assert child.returncode == -signal.SIGTERM


def test_a_child_is_in_a_session_of_its_own_and_may_open_many_files():
    report = (
        "import os, resource; print(os.getsid(0), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    child = processes.spawn([sys.executable, "-c", report], output=subprocess.PIPE)
    said, _ = child.communicate(timeout=20)

    session, files = map(int, said.split())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = processes.WANTED_FILES
    assert session == child.pid
    assert files >= (most if hard == resource.RLIM_INFINITY else min(most, hard))
