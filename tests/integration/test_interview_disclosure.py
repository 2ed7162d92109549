"""No address of the site tells anybody about the interviews of others."""

import http.client
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.conftest import StartServer
from tests.support.interviews import InterviewReader

USER_ID = 8_675_309_444
WORDS = "a quagga is an extinct zebra that was striped in front only"

GUESSES = (
    "debug", "debug/", "debug/sessions", "sessions", "api/sessions", "api/interviews", "api/debug",
    "interviews/debug/", "interviews/sessions/", "interviews/live/sessions/1.wav", "admin/debug/",
    "status", "internal", "_debug",
)  # fmt: skip
"""Where a page for developers would be."""

FILLED = {"int": "1", "str": "x", "slug": "x", "path": "x", "uuid": "0" * 32}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every address that the site answers, with something in the place of what varies."""
    for part in resolver.url_patterns:
        address = before + filled(part)
        if isinstance(part, URLResolver):
            yield from addresses(part, address)
        else:
            yield address


def filled(part: URLPattern | URLResolver) -> str:
    pattern: Any = part.pattern
    if not hasattr(pattern, "_route"):
        # An expression: each group is its first choice, or something without a slash.
        text = re.sub(r"\(\?P<\w+>([^()]*)\)", lambda group: choice(group[1]), pattern._regex)
        return text.strip("^$").replace(r"\Z", "").replace("\\", "")
    return re.sub(
        r"<(?:(\w+):)?\w+>", lambda field: FILLED.get(field[1] or "str", "x"), pattern._route
    )


def choice(expression: str) -> str:
    first = expression.split("|")[0]
    return first if first.isalnum() else "x"


def fetched(port: int, path: str) -> tuple[int, str]:
    """Status and body for a stranger, who is not led elsewhere."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("debug", ["true", "false"])
def test_no_address_tells_a_stranger_who_is_interviewed(server: StartServer, debug: str) -> None:
    running = server(
        INTERVIEW_STT="captions",
        SOCKET_AUTH="optional",
        DEBUG=debug,
        HTTPS="false",
        SECRET_KEY="k" * 20 + "0123456789" * 4,
    )
    with InterviewReader(running.url, user_id=USER_ID) as reader:
        reader.ask("start_interview")
        reader.ask("interviewer_done")
        reader.ask("client_transcript", text=WORDS, is_final=True)
        session_id = reader.expect("interview_started")["session_id"]
        question = reader.expect("agent_next_question")["question"]
        paths = [*dict.fromkeys(addresses(get_resolver())), *GUESSES]
        pages = {path: fetched(running.port, f"/{path}") for path in paths}

    secrets = (str(USER_ID), session_id, reader.sid, WORDS, question)
    told = {
        path: secret for path, (_, body) in pages.items() for secret in secrets if secret in body
    }
    assert told == {}
    assert len(paths) > 60
    assert {"healthz", "metrics", "interviews/", "interviews/x/json/"} <= set(paths)
    assert [path for path in GUESSES if pages[path][0] == 200] == []
    assert [path for path, (status, _) in pages.items() if status >= 500] == []
