"""Tokens of Microsoft Entra, from a server of ours that speaks OAuth."""

import contextlib
import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.realtime.entra import SCOPE, ClientCredentials, default_credential


class Entra:
    """Grants ``token 1``, ``token 2`` … unless it is told otherwise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.status = 200
        self.answer: Any = None
        self.url = ""


@pytest.fixture
def entra() -> Any:
    made = Entra()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            made.asked.append((self.path, form))
            granted = {"access_token": f"token {len(made.asked)}", "expires_in": 3_600}
            body = json.dumps(granted if made.answer is None else made.answer).encode()
            self.send_response(made.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


@contextlib.asynccontextmanager
async def credentials(entra: Entra, now: list[float]) -> AsyncIterator[ClientCredentials]:
    yield ClientCredentials(
        tenant="t", client="c", secret="s", authority=entra.url, clock_s=lambda: now[0]
    )


async def test_a_token_is_asked_for_and_used_until_shortly_before_it_expires(entra: Entra) -> None:
    now = [0.0]
    async with credentials(entra, now) as source:
        assert [await source(), await source()] == ["token 1", "token 1"]
        now[0] = 3_299
        assert await source() == "token 1"
        now[0] = 3_300
        assert await source() == "token 2"

    path, form = entra.asked[0]
    assert path == "/t/oauth2/v2.0/token"
    assert form == {
        "grant_type": ["client_credentials"],
        "client_id": ["c"],
        "client_secret": ["s"],
        "scope": [SCOPE],
    }
    assert "'s'" not in repr(source)


@pytest.mark.parametrize(
    ("status", "answer"), [(401, {"error": "invalid_client"}), (200, {}), (200, [])]
)
async def test_no_token_is_a_provider_that_is_not_there(
    entra: Entra, status: int, answer: Any
) -> None:
    entra.status, entra.answer = status, answer
    async with credentials(entra, [0.0]) as source:
        with pytest.raises(ProviderUnavailable, match="Entra gives no token"):
            await source()


async def test_a_directory_that_cannot_be_reached_is_the_same() -> None:
    source = ClientCredentials(tenant="t", client="c", secret="s", authority="http://127.0.0.1:9")

    with pytest.raises(ProviderUnavailable):
        await source()


def test_without_any_credential_it_says_what_to_set() -> None:
    with pytest.raises(ProviderUnavailable, match="AZURE_REALTIME_KEY"):
        default_credential()
