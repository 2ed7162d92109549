"""`manage.py serve`: the whole house, from empty folders to readers, in one foreground process."""

import asyncio
import os
import socket
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management import BaseCommand, CommandError
from django.db import connections

from readrealm.management.attendants import Attendant, attendants
from readrealm.management.interruption import Interrupted, Interruption
from readrealm.management.listener import CannotListen, bind, listen, url_of
from readrealm.management.preparation import prepare
from readrealm.management.stores import private_stores
from readrealm.management.supervisor import Supervisor, WorkerDidNotStart
from readrealm.management.workers import Worker
from readrealm.settings.env import inherited
from readrealm.settings.values import is_loopback, whole_number
from readrealm.stores import mongo, processes
from readrealm.stores.addresses import UnsafeFolder, private_folder
from readrealm.stores.embedded import PrivateStore, StoreCannotRun

APPLICATION = "readrealm.asgi:application"
HELP = """\
Serve ReadRealm: one listening socket, several daphne workers behind it.

Starts what is missing (a private mongod and a private Valkey, unless MONGODB_URL and REDIS_URL
name others), brings database, indexes, catalogue and static files up to date, and then says the
address. Beside the workers run the local voice engine and a worker that processes voice sessions,
unless VOICE is off. Whatever dies is started again.

signals:
  SIGTERM, SIGINT   sockets are closed, workers drain, then the stores end that were started here
  SIGHUP            rolling restart: a new worker serves before an old one drains

Everything is configured by the environment; the README has the table.
"""


class Command(BaseCommand):
    help = HELP
    # Of this process' own concern; `manage.py check` looks at pages and rooms, which are loaded
    # by the workers and not here.
    requires_system_checks = (Tags.staticfiles,)

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers",
            type=whole_number(1, 64),
            default=settings.WORKERS,
            help="instead of WORKERS",
        )
        parser.add_argument("--host", default=settings.HOST, help="instead of HOST")
        parser.add_argument(
            "--port", type=whole_number(0, 65_535), default=settings.PORT, help="instead of PORT"
        )
        parser.add_argument(
            "--application", default=APPLICATION, help="the ASGI application, module:attribute"
        )
        parser.add_argument(
            "--exit-with-parent",
            action="store_true",
            help="end when the process that started this one ends, such as make",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["exit_with_parent"]:
            processes.end_with_parent(os.getppid())
        self.interruption = Interruption()
        with self.interruption, suppress(Interrupted):
            try:
                self._serve(**options)
            except (CannotListen, StoreCannotRun, UnsafeFolder, WorkerDidNotStart) as error:
                raise CommandError(str(error)) from None

    def _serve(self, *, host: str, port: int, workers: int, application: str, **_: Any) -> None:
        self._announce_mode(host)
        with bind(host, port) as listener, self._stores() as stores:
            for line in prepare():
                self._say(line)
                self.interruption.check()
            # From here on this process only watches others.
            connections.close_all()
            mongo.disconnect()
            listen(listener)
            run_dir = _run_dir()
            environment = _environment(listener, workers=workers, run_dir=run_dir)
            spawn = partial(
                _spawn, listener=listener, application=application, environment=environment
            )
            supervise = partial(
                self._supervise, spawn, stores=stores, beside=attendants(environment)
            )
            asyncio.run(supervise(workers=workers, url=url_of(listener)))

    async def _supervise(
        self,
        spawn: Any,
        *,
        stores: list[PrivateStore],
        beside: list[Attendant],
        workers: int,
        url: str,
    ) -> None:
        supervisor = Supervisor(
            spawn,
            workers=workers,
            stores=stores,
            attendants=beside,
            drain_s=settings.DRAIN_S,
            prepare=self._prepare_again,
            was_asked_to_stop=lambda: self.interruption.was_asked,
            say=self._say,
        )

        def on_ready() -> None:
            self._say(f"{workers} worker{'s' if workers > 1 else ''} ready")
            self._write(f"ReadRealm is at {url} (Ctrl-C stops it)")

        await supervisor.run(on_ready=on_ready)
        self._write("every worker has ended")

    def _announce_mode(self, host: str) -> None:
        if settings.DEBUG_IS_AUTO and settings.DEBUG and not is_loopback(host):
            raise CommandError(f"DEBUG=auto was decided for {settings.HOST}: set HOST, not --host")
        if settings.DEBUG:
            self._write("ReadRealm starts in development mode (DEBUG is on)")
        else:
            self._write("ReadRealm starts")
        self._say(f"data in {settings.DATA_DIR}")

    @contextmanager
    def _stores(self) -> Iterator[list[PrivateStore]]:
        """The private stores that are needed, running; those that we started end with the block."""
        wanted: list[PrivateStore] = []
        try:
            for store in private_stores():
                wanted.append(store)
                self._say(f"{store.title} {'started' if store.start() else 'was running, shared'}")
                self.interruption.check()
            yield wanted
        finally:
            self.interruption.ignore()
            for store in reversed(wanted):
                if store.is_ours:
                    store.stop()
                    self._write(f"{store.title} has ended")

    async def _prepare_again(self) -> bool:
        command = [sys.executable, "manage.py", "prepare"]
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        return await process.wait() == 0

    def _say(self, line: str) -> None:
        self._write(f"  {line}")

    def _write(self, line: str) -> None:
        # A terminal that is gone, or a pipe that nobody reads, is no reason to leave in disorder.
        with suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()


def _run_dir() -> Path:
    """The folder for the workers' sockets, without those that a killed supervisor left."""
    folder = private_folder(settings.RUN_DIR)
    for path in folder.glob("*.sock"):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) != 0:
                path.unlink(missing_ok=True)
    return folder


def _environment(listener: socket.socket, *, workers: int, run_dir: Path) -> Mapping[str, str]:
    """What a worker needs to come to the settings we have come to."""
    host, port = listener.getsockname()[:2]
    return inherited(
        HOST=host,
        PORT=str(port),
        WORKERS=str(workers),
        RUN_DIR=str(run_dir),
        DEBUG="true" if settings.DEBUG else "false",
    )


def _spawn(
    slot: int, *, listener: socket.socket, application: str, environment: Mapping[str, str]
) -> Worker:
    return Worker(
        slot,
        listener=listener.fileno(),
        application=application,
        run_dir=Path(environment["RUN_DIR"]),
        environment=environment,
    )
