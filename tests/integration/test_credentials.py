"""Who may open a socket, as whom, and for how long: cookie, token, origin, log-out."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import aiohttp
import pytest
import socketio
import websockets

from tests.conftest import StartServer
from tests.support.clients import run_node
from tests.support.worker import Server

PASSWORD = "a long quiet evening"
READER = {"bookId": 3, "userId": "1", "username": "somebody else"}


class Browser:
    """Just enough of one: cookies, and forms with their CSRF token."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())

    def post(self, path: str, page: str, **fields: str) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page))
        assert token is not None
        body = urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode()
        request = Request(self.url + path, body, {"Referer": self.url + page})
        with self._opener.open(request, timeout=10) as answer:
            assert answer.status == 200

    @property
    def header(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)


def signed_in(server: Server, name: str = "ada") -> Browser:
    server.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        "from django.contrib.auth.models import User; "
        f"User.objects.filter(username={name!r}).exists() "
        f"or User.objects.create_user({name!r}, password={PASSWORD!r})",
    )
    browser = Browser(server)
    browser.post("/accounts/login/", "/accounts/login/", username=name, password=PASSWORD)
    return browser


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


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_session_cookie_decides_who_speaks(server: StartServer, transport: str) -> None:
    running = server(SOCKET_AUTH="required")
    browser = await asyncio.to_thread(signed_in, running)
    # A jar, because the Python client sends headers with its first request alone.
    jar = aiohttp.CookieJar(unsafe=True)
    jar.update_cookies({cookie.name: cookie.value or "" for cookie in browser.cookies})
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as http,
        client(running, transports=[transport], http_session=http) as socket,
    ):
        assert (await socket.call("joinRoom", READER, timeout=10))["ok"]
        said = await socket.call("chatMessage", {**READER, "content": "hi"}, timeout=10)
        forged = {**READER, "userId": "2", "content": "hi"}
        refused = await socket.call("chatMessage", forged, timeout=10)

    assert (said["message"]["userId"], said["message"]["username"]) == ("1", "ada")
    assert (refused["ok"], refused["code"]) == (False, "FORBIDDEN")


def test_without_a_credential_a_required_one_is_asked_for(server: StartServer) -> None:
    script = """
        const socket = io(url, { transports: ["websocket"], reconnection: false });
        socket.on("connect_error", (error) => {
          say("refused", error.message, error.data);
          process.exit(0);
        });
    """

    ((_, message, data),) = run_node(script, server(SOCKET_AUTH="required").url)

    assert (message, data) == ("sign in first", {"code": "UNAUTHENTICATED"})


async def test_a_forged_token_opens_nothing(server: StartServer) -> None:
    running = server()

    with pytest.raises(socketio.exceptions.ConnectionError):
        async with client(running, transports=["websocket"], auth={"token": "e30:forged"}):
            pass


async def test_a_token_opens_a_socket_of_its_account(server: StartServer) -> None:
    running = server(SOCKET_AUTH="required")
    await asyncio.to_thread(signed_in, running)
    token = await asyncio.to_thread(
        running.manage,
        "shell",
        "--verbosity",
        "0",
        "--command",
        "from django.contrib.auth.models import User; "
        "from readrealm.credentials import token_for; print(token_for(User.objects.get()))",
    )

    async with client(running, transports=["websocket"], auth={"token": token.strip()}) as socket:
        assert (await socket.call("joinRoom", READER, timeout=10))["ok"]


async def test_logging_out_closes_the_sockets_of_the_reader(server: StartServer) -> None:
    running = server(workers=2)
    browser = await asyncio.to_thread(signed_in, running)
    closed = asyncio.Event()
    async with client(
        running, transports=["websocket"], headers={"Cookie": browser.header}
    ) as socket:
        socket.on("disconnect", lambda *reason: closed.set())
        assert (await socket.call("joinRoom", READER, timeout=10))["ok"]

        await asyncio.to_thread(browser.post, "/accounts/logout/", "/")

        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_session_belongs_to_the_cookie_that_opened_it(server: StartServer) -> None:
    running = server()
    browser = await asyncio.to_thread(signed_in, running)
    opened = await asyncio.to_thread(browser.get, "/socket.io/?EIO=4&transport=polling")
    sid = json.loads(opened[1:])["sid"]

    status, body = running.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")

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
    shared_server: Server, origin: str, is_allowed: bool
) -> None:
    origin = origin.format(port=shared_server.port)
    port = shared_server.port
    request = Request(
        f"{shared_server.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}
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


@pytest.fixture(scope="module")
def shared_server(
    session_stores: Any, migrated_folder: Any, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    import shutil

    folder = tmp_path_factory.mktemp("origins") / "data"
    shutil.copytree(migrated_folder, folder)
    assert session_stores.mongo
    running = Server(
        folder,
        workers=1,
        environment={
            "MONGODB_URL": session_stores.url_of("origins"),
            "CORS_ORIGIN": "https://reader.example.org",
            "CSRF_TRUSTED_ORIGINS": "https://*.readers.example.org",
        },
    )
    yield running.start()
    running.close()


async def test_a_plain_websocket_speaks_the_same_events(shared_server: Server) -> None:
    address = f"ws://127.0.0.1:{shared_server.port}/ws/rooms/3/"
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
