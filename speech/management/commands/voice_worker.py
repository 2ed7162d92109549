"""``manage.py voice_worker``: processes the sound of voice sessions."""

import asyncio
import os
import signal
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

# Read by numpy when it is loaded: products as small as these lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.core.management.base import BaseCommand, CommandError

from readrealm.kernel.errors import AppError
from readrealm.stores import processes
from speech.routes.processing_wiring import own_server, running_worker
from speech.routes.socket_client import Destination, TurnedAway


class Command(BaseCommand):
    help = (
        "Processes the sound of voice sessions: hears commands of the server over Socket.IO, takes "
        "chunks from MongoDB, and reports speech and words. Any number may run, on any host; "
        "one that dies is replaced by the others within seconds. SIGTERM ends it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url", help="the server, such as ws://127.0.0.1:8000 (default: HOST and PORT)"
        )
        parser.add_argument(
            "--exit-with-parent",
            action="store_true",
            help="end when the process that started this one ends",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["exit_with_parent"]:
            processes.end_with_parent(os.getppid())
        url = options["url"]
        try:
            asyncio.run(self._work(Destination(url=url.rstrip("/")) if url else own_server()))
        except AppError as error:
            raise CommandError(str(error)) from error

    async def _work(self, destination: Destination) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        async with running_worker(destination) as (client, task):
            asking = asyncio.create_task(stopped.wait())
            ready = asyncio.create_task(self._announce(client.ready, destination))
            try:
                await asyncio.wait({task, asking}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                asking.cancel()
                ready.cancel()
            if task.done():
                self._explain(task)

    async def _announce(self, ready: asyncio.Event, destination: Destination) -> None:
        await ready.wait()
        with suppress(OSError):
            self.stdout.write(f"the voice worker listens to {destination.url}")
            self.stdout.flush()

    def _explain(self, task: "asyncio.Task[None]") -> None:
        """Say why the work cannot go on."""
        try:
            task.result()
        except* TurnedAway as refusals:
            reason = str(refusals.exceptions[0])
            raise CommandError(f"the server turns this worker away: {reason}") from None
