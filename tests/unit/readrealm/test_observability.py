import asyncio
import json
import logging

import pytest
import structlog

from readrealm.observability import (
    LOOP_LAG,
    LoopLagMeter,
    configure,
    logging_config,
    max_level,
    without_private_fields,
)


@pytest.fixture
def logged():
    """Log with a style, and get back what was written."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def run(style, write):
        configure(logging_config(level="INFO", style=style))
        (handler,) = logging.getLogger().handlers
        record_lines = []
        handler.setStream(_Lines(record_lines))
        write()
        return record_lines

    yield run
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
    logging.captureWarnings(False)


class _Lines:
    def __init__(self, lines):
        self.lines = lines

    def write(self, text):
        self.lines += [line for line in text.splitlines() if line]

    def flush(self):
        pass


def test_a_machine_gets_one_json_object_a_line(logged):
    def write():
        structlog.get_logger("chat").info("joined", book=42)

    (line,) = logged("json", write)

    entry = json.loads(line)
    assert (entry["event"], entry["book"], entry["level"], entry["logger"]) == (
        "joined",
        42,
        "info",
        "chat",
    )
    assert entry["timestamp"].endswith("Z")


def test_the_standard_library_logs_the_same_way(logged):
    def write():
        logging.getLogger("chat").warning("late by %d ms", 7, extra={"book": 42})

    (line,) = logged("json", write)

    entry = json.loads(line)
    assert (entry["event"], entry["book"], entry["level"]) == ("late by 7 ms", 42, "warning")


def test_a_traceback_stays_on_its_line(logged):
    def write():
        try:
            raise KeyError("x")
        except KeyError:
            logging.getLogger("chat").exception("broke")

    (line,) = logged("json", write)

    assert json.loads(line)["exception"][0]["exc_type"] == "KeyError"


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_where_and_not_what_was_said(logged, style):
    def write():
        content = "Call me " + "Ishmael"
        try:
            raise KeyError(len(content))
        except KeyError:
            logging.getLogger("chat").exception("broke")

    written = "\n".join(logged(style, write))

    assert "KeyError" in written
    assert "test_observability.py" in written
    assert "Call me Ishmael" not in written


def test_people_get_words(logged):
    def write():
        structlog.get_logger("chat").info("joined", book=42)

    (line,) = logged("console", write)

    assert "joined" in line
    assert "book" in line


@pytest.mark.parametrize("style", ["json", "console"])
def test_what_readers_say_and_sign_in_with_is_never_written(logged, style):
    def write():
        structlog.get_logger("chat").info(
            "said", content="Call me Ishmael", auth={"token": "t0ken"}, nested={"Text": "white"}
        )
        logging.getLogger("chat").info("said", extra={"password": "hunter2"})

    written = "\n".join(logged(style, write))

    assert written.count("said") == 2
    for secret in ("Ishmael", "t0ken", "white", "hunter2"):
        assert secret not in written


def test_other_fields_are_left_alone():
    event = {"event": "said", "book": 42, "size": {"bytes": 7}}

    assert without_private_fields(None, "", dict(event)) == event


def test_talkative_libraries_are_quieter_than_we_are_but_not_louder_than_wanted():
    assert max_level("DEBUG", "WARNING") == "WARNING"
    assert logging_config(level="ERROR", style="json")["loggers"]["daphne"]["level"] == "ERROR"


async def test_a_blocked_loop_is_measured():
    meter = LoopLagMeter(interval_s=0.05)
    before = LOOP_LAG._sum.get()
    meter.start()

    block_the_loop_s(0.15)
    following = asyncio.Event()
    asyncio.get_running_loop().call_later(0, following.set)
    async with asyncio.timeout(5):
        await following.wait()
    meter.stop()

    assert meter.last_s >= 0.09
    assert LOOP_LAG._sum.get() - before >= 0.09


def block_the_loop_s(seconds):
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        pass
