"""The bridge is a package of its own: copied into another project, under another name, it works."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import socketio

from readrealm.stores import processes
from tests.support.processes import ROOT

BRIDGE = ROOT / "readrealm" / "socketio_bridge"
PYTHON_PATHS = ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")

SETTINGS = """
    import os

    SECRET_KEY = "lifted out"
    DEBUG = False
    ALLOWED_HOSTS = ["*"]
    INSTALLED_APPS = ["channels"]
    ROOT_URLCONF = "library.urls"
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "vendored.live.RoomChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": "library"},
        }
    }
"""

URLS = """
    from asgiref.sync import async_to_sync
    from channels.layers import get_channel_layer
    from django.http import HttpResponse
    from django.urls import path


    def ring(request):
        send = async_to_sync(get_channel_layer().group_send)
        send("book_42", {"type": "library.bell", "words": request.GET["words"]})
        send("book_42", {"type": "socketio.emit", "events": [["chime", b'"ding"', None]]})
        return HttpResponse("rung")


    urlpatterns = [path("ring/", ring)]
"""

ASGI = """
    import importlib.util
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "library.settings"
    assert importlib.util.find_spec("readrealm") is None, "the bridge is not alone"

    from django.core.asgi import get_asgi_application

    pages = get_asgi_application()

    from vendored.live import BridgeNamespace, EventConsumer, Server


    class Reader(EventConsumer):
        events = frozenset({"open"})

        async def answer(self, event, data):
            await self.join(f"book_{data}")
            return {"opened": data}

        async def library_bell(self, message):
            await self.emit("bell", message["words"])


    server = Server()
    server.register_namespace(BridgeNamespace("/", [Reader.as_asgi()]))


    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        if scope["path"].startswith("/socket.io/"):
            await server.handle_request(scope, receive, send)
        else:
            await pages(scope, receive, send)
"""

SERVE = """
    import sys

    from vendored.live.daphne import run_worker

    run_worker("library.asgi:application", fd=int(sys.argv[1]))
"""

START_TIMEOUT_S = 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A minimal Django project with a copy of the bridge, called ``vendored.live`` there."""
    vendored, library = tmp_path / "vendored", tmp_path / "library"
    shutil.copytree(BRIDGE, vendored / "live", ignore=shutil.ignore_patterns("__pycache__"))
    library.mkdir()
    files = {
        vendored / "__init__.py": "",
        library / "__init__.py": "",
        library / "settings.py": SETTINGS,
        library / "urls.py": URLS,
        library / "asgi.py": ASGI,
        tmp_path / "serve.py": SERVE,
    }
    for path, text in files.items():
        path.write_text(textwrap.dedent(text))
    return tmp_path


@pytest.fixture
def site(project: Path, redis_url: str) -> Iterator[str]:
    """The address of the project, served on daphne."""
    environment = {name: value for name, value in os.environ.items() if name not in PYTHON_PATHS}
    log = project / "log"
    # Who asks before the project serves waits in the queue of this socket, and nobody polls.
    with log.open("wb") as output, socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "serve.py", str(listener.fileno())],
            cwd=project,
            env=environment | {"REDIS_URL": redis_url},
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            preexec_fn=processes.tie(os.getpid()),
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()  # it is the project's alone now, and is gone when that dies
        try:
            try:
                get(f"{url}/ring/?words=early", timeout_s=START_TIMEOUT_S)
            except OSError:
                pytest.fail(f"the project does not answer:\n{log.read_text()}")
            yield url
        finally:
            processes.stop(process, timeout_s=10)
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_reader_in_another_project_hears_what_a_view_says(
    site: str, transport: str
) -> None:
    async with socketio.AsyncSimpleClient() as reader:
        await reader.connect(site, transports=[transport], wait_timeout=10)
        assert await reader.call("open", 42, timeout=10) == {"opened": 42}

        answer = await asyncio.to_thread(get, f"{site}/ring/?words=tea")

        assert answer == b"rung"
        assert await reader.receive(timeout=10) == ["bell", "tea"]
        assert await reader.receive(timeout=10) == ["chime", "ding"]


def get(url: str, *, timeout_s: float = 10) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout_s) as answer:
        body: bytes = answer.read()
        return body
