"""Who may open a socket, as whom, and for how long: cookie, token, origin, log-out."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.request import Request, build_opener

import aiohttp
import pytest
import socketio
import websockets
from django.contrib.auth.models import User

from readrealm.credentials import token_for
from tests.conftest import StartServer
from tests.support.accounts import add_account, column
from tests.support.clients import run_node
from tests.support.pages import PASSWORD, Browser
from tests.support.worker import Server

READER = {"bookId": 3, "userId": "1", "username": "somebody else"}

KEY = "k" * 60
"""Signs what a server believes."""

_numbers = count(1)


@dataclass(frozen=True)
class Member:
    """A reader with an account, who is logged in."""

    name: str
    user_id: str
    browser: Browser


def signed_in(server: Server) -> Member:
    """A new one."""
    name, browser = f"ada{next(_numbers)}", Browser(server)
    user = add_account(server, name, password=PASSWORD)
    browser.post("/accounts/login/", username=name, password=PASSWORD)
    return Member(name, str(user), browser)


@contextlib.asynccontextmanager
async def client(
    server: Server, *, transports: list[str], **options: Any
) -> AsyncIterator[socketio.AsyncClient]:
    http = {"http_session": options.pop("http_session", None)}
    connection = socketio.AsyncClient(reconnection=False, **http)
    await connection.connect(server.url, transports=transports, wait_timeout=10, **options)
    try:
        yield connection
    finally:
        await connection.disconnect()


@pytest.fixture
def open_server(shared_server: StartServer) -> Server:
    """Two workers that let guests in, and pages of other origins."""
    return shared_server(
        workers=2,
        CORS_ORIGIN="https://reader.example.org",
        CSRF_TRUSTED_ORIGINS="https://*.readers.example.org",
    )


@pytest.fixture
def strict_server(shared_server: StartServer) -> Server:
    """One that lets nobody in without an account."""
    return shared_server(SOCKET_AUTH="required", SECRET_KEY=KEY)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_session_cookie_decides_who_speaks(strict_server: Server, transport: str) -> None:
    ada = await asyncio.to_thread(signed_in, strict_server)
    reader = {**READER, "userId": ada.user_id}
    # A jar, because the Python client sends headers with its first request alone.
    jar = aiohttp.CookieJar(unsafe=True)
    jar.update_cookies({cookie.name: cookie.value or "" for cookie in ada.browser.cookies})
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as http,
        client(strict_server, transports=[transport], http_session=http) as socket,
    ):
        assert (await socket.call("joinRoom", reader, timeout=10))["ok"]
        said = await socket.call("chatMessage", {**reader, "content": "hi"}, timeout=10)
        forged = {**reader, "userId": "4711", "content": "hi"}
        refused = await socket.call("chatMessage", forged, timeout=10)

    kept = said["message"]
    assert (kept["userId"], kept["username"]) == (ada.user_id, ada.name)
    assert (refused["ok"], refused["code"]) == (False, "FORBIDDEN")


def test_without_a_credential_a_required_one_is_asked_for(strict_server: Server) -> None:
    script = """
        const socket = io(url, { transports: ["websocket"], reconnection: false });
        socket.on("connect_error", (error) => {
          say("refused", error.message, error.data);
          process.exit(0);
        });
    """

    ((_, message, data),) = run_node(script, strict_server.url)

    assert (message, data) == ("sign in first", {"code": "UNAUTHENTICATED"})


async def test_a_forged_token_opens_nothing(open_server: Server) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with client(open_server, transports=["websocket"], auth={"token": "e30:forged"}):
            pass


async def test_a_token_opens_a_socket_of_its_account(strict_server: Server, settings: Any) -> None:
    user = add_account(strict_server, f"ada{next(_numbers)}", password=PASSWORD)
    reader = {**READER, "userId": str(user)}
    # Made here, as another front end would that has the key.
    settings.SECRET_KEY = KEY
    (password,) = column(strict_server, f"select password from auth_user where id = {user}")
    token = token_for(User(pk=user, password=password))

    async with client(strict_server, transports=["websocket"], auth={"token": token}) as socket:
        assert (await socket.call("joinRoom", reader, timeout=10))["ok"]


async def test_logging_out_closes_the_sockets_of_the_reader(open_server: Server) -> None:
    ada = await asyncio.to_thread(signed_in, open_server)
    closed = asyncio.Event()
    async with client(
        open_server, transports=["websocket"], headers={"Cookie": ada.browser.header}
    ) as socket:
        socket.on("disconnect", lambda *reason: closed.set())
        reader = {**READER, "userId": ada.user_id}
        assert (await socket.call("joinRoom", reader, timeout=10))["ok"]

        await asyncio.to_thread(ada.browser.post, "/accounts/logout/", page="/")

        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_session_belongs_to_the_cookie_that_opened_it(open_server: Server) -> None:
    ada = await asyncio.to_thread(signed_in, open_server)
    opened = await asyncio.to_thread(ada.browser.get, "/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened[1:])["sid"]

    status, body = open_server.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")

    assert (status, json.loads(body)["code"]) == (400, 1)


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://127.0.0.1:{port}", True),
        ("https://reader.example.org", True),
        ("https://books.readers.example.org", True),
        ("http://127.0.0.1:1", False),
        ("https://127.0.0.1:{port}", False),
        ("http://reader.example.org", False),
        ("null", False),
        ("https://readers.example.org.evil.test", False),
    ],
)
async def test_one_rule_of_origins_for_polling_sockets_and_plain_sockets(
    open_server: Server, origin: str, is_allowed: bool
) -> None:
    origin = origin.format(port=open_server.port)
    port = open_server.port
    request = Request(
        f"{open_server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}
    )
    answers = []
    try:
        with build_opener().open(request, timeout=10) as answer:
            answers.append(answer.headers["access-control-allow-origin"] == origin)
    except OSError:
        answers.append(False)
    for path in ("/socket.io/?EIO=4&transport=websocket", "/ws/rooms/3/"):
        try:
            async with websockets.connect(f"ws://127.0.0.1:{port}{path}", origin=origin):
                answers.append(True)
        except websockets.InvalidStatus:
            answers.append(False)

    assert answers == [is_allowed] * 3


async def test_a_plain_websocket_speaks_the_same_events(open_server: Server) -> None:
    address = f"ws://127.0.0.1:{open_server.port}/ws/rooms/3/"
    async with websockets.connect(address) as socket:
        await socket.send(
            json.dumps({"event": "joinRoom", "id": 1, "data": {"userId": "u1", "username": "ada"}})
        )
        heard = [json.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(3)]
        await socket.send(
            json.dumps({"event": "joinRoom", "id": 2, "data": {**READER, "bookId": 4}})
        )
        refused = [json.loads(await asyncio.wait_for(socket.recv(), 10)) for _ in range(2)]

    assert {frame.get("event") or frame.get("ack") for frame in heard} == {
        "previousMessages",
        "userJoined",
        1,
    }
    assert refused[-1]["data"]["code"] == "FORBIDDEN"
