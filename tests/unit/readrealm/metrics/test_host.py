import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from readrealm.metrics import host
from readrealm.metrics.host import ask_all, peers

HEADERS = {"Host": "localhost", "Authorization": "Bearer token"}


@asynccontextmanager
async def worker(path: Path, answer: bytes, heard: list[bytes]) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, str(path))
    try:
        yield
    finally:
        server.close()


def response(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_peers_are_the_other_workers_with_a_socket(tmp_path: Path) -> None:
    for name in ("w1xa.sock", "w2xb.sock", "voice-engine.sock", "w3xc.pid"):
        (tmp_path / name).touch()

    assert peers(tmp_path, besides="w1xa") == {"w2xb": tmp_path / "w2xb.sock"}


async def test_a_worker_is_asked_with_the_credential_and_tells(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with worker(tmp_path / "w1.sock", response(b"200 OK", b"figures 1\n"), heard):
        told = await ask_all(
            {"w1": tmp_path / "w1.sock"}, target="/metrics?worker=own", headers=HEADERS
        )

    assert told == {"w1": "figures 1\n"}
    assert heard[0].startswith(b"GET /metrics?worker=own HTTP/1.1\r\n")
    assert b"Authorization: Bearer token" in heard[0]


@pytest.mark.parametrize(
    "answer", [response(b"404 Not Found", b"no"), b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\n"]
)
async def test_a_worker_that_does_not_tell_is_left_out(tmp_path: Path, answer: bytes) -> None:
    async with worker(tmp_path / "w1.sock", answer, []):
        told = await ask_all({"w1": tmp_path / "w1.sock"}, target="/metrics", headers=HEADERS)

    assert told == {"w1": None}


async def test_a_socket_that_nobody_listens_on_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "w1.sock").touch()

    assert await ask_all({"w1": tmp_path / "w1.sock"}, target="/m", headers=HEADERS) == {"w1": None}


async def test_a_worker_that_hangs_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "ANSWER_S", 0.2)
    hangs: Callable[..., object] = lambda *_: asyncio.Event().wait()  # noqa: E731
    silent = await asyncio.start_unix_server(hangs, str(tmp_path / "w2.sock"))
    async with worker(tmp_path / "w1.sock", response(b"200 OK", b"figures\n"), []), silent:
        sockets = {name: tmp_path / f"{name}.sock" for name in ("w1", "w2")}
        told = await ask_all(sockets, target="/metrics", headers=HEADERS)

    assert told == {"w1": "figures\n", "w2": None}
