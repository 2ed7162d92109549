import signal
import subprocess
import sys

import pytest

from readrealm.management.interruption import Interrupted, Interruption


@pytest.fixture(autouse=True)
def handlers():
    """The handlers of the test runner, put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_obeyed_at_the_next_step_and_not_before(number):
    with Interruption() as interruption:
        interruption.check()
        signal.raise_signal(number)
        assert interruption.was_asked

        with pytest.raises(Interrupted):
            interruption.check()


def test_asked_again_the_process_ends_where_it_is():
    script = """
import signal
from readrealm.management.interruption import Interruption
with Interruption():
    signal.raise_signal(signal.SIGTERM)
    print("first", flush=True)
    signal.raise_signal(signal.SIGTERM)
    print("second", flush=True)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)

    assert run.stdout.split() == ["first"]
    assert run.returncode == -signal.SIGTERM


def test_the_end_is_not_interrupted():
    with Interruption() as interruption:
        interruption.ignore()

        signal.raise_signal(signal.SIGTERM)

        assert not interruption.was_asked
