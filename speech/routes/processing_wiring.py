"""Builds a processing worker from stores and settings."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from django.conf import settings
from django.http.request import validate_host

from readrealm.kernel.clock import now_ms
from readrealm.stores import mongo, redis
from speech.engines.detector import SileroDetector
from speech.routes.archive import archive
from speech.routes.conf import WORKER_ROLE, processing_settings, routes_settings, worker_token
from speech.routes.config_store import ConfigStore
from speech.routes.lease import Leases
from speech.routes.processing import Tools
from speech.routes.recognition import Recognisers
from speech.routes.recordings import Recordings
from speech.routes.socket_client import Destination, SocketClient
from speech.routes.work_store import WorkStore
from speech.routes.worker import ServerReporter, VoiceWorker

log = logging.getLogger(__name__)

THREADS = max(2, os.cpu_count() or 1)


@asynccontextmanager
async def running_worker(
    destination: Destination,
) -> AsyncIterator[tuple[SocketClient, "asyncio.Task[None]"]]:
    """A worker that works; its socket, and the task that ends when it cannot go on. Every process
    and connection of it has ended when the block ends.

    Raises:
        ProviderUnavailable: there is no model for voice detection.
    """
    SileroDetector()
    database, chosen = mongo.async_database(), processing_settings()
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    store = WorkStore(database)
    worker = VoiceWorker(
        store=store,
        config=ConfigStore(database),
        leases=Leases(redis.client(), holder=holder),
        purge=_purge,
    )
    auth = {"role": WORKER_ROLE, "token": worker_token()}
    client = SocketClient(destination, auth, hear=worker.hear, connected=worker.connected)
    recognisers = Recognisers(chosen)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(mongo.aclose)
        stack.push_async_callback(redis.aclose)
        threads = stack.enter_context(ThreadPoolExecutor(THREADS, thread_name_prefix="sound"))
        stack.push_async_callback(recognisers.close)
        worker.tools = Tools(
            store=store,
            reporter=ServerReporter(client),
            recognisers=recognisers,
            recordings=Recordings(database),
            diariser=chosen.diariser,
            make_detector=SileroDetector,
            threads=threads,
            config=lambda: worker.config,
            clock=now_ms,
        )
        task = asyncio.create_task(_both(client, worker))
        try:
            yield client, task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def _both(client: SocketClient, worker: VoiceWorker) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(client.run())
        group.create_task(worker.run())


async def _purge() -> None:
    """Forget sessions whose time has come."""
    days = routes_settings().recording_days
    if count := await mongo.in_store(archive().purge, older_than_days=days):
        log.info("%d voice sessions were forgotten", count)


def own_server() -> Destination:
    """The server of these settings, on this host."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    name = host
    if not validate_host(host, settings.ALLOWED_HOSTS):
        # The server answers to these names only; the address stays.
        name = settings.ALLOWED_HOSTS[0].removeprefix(".")
    shown = f"[{name}]" if ":" in name else name
    return Destination(url=f"ws://{shown}:{settings.PORT}", host=host, port=settings.PORT)
