"""`manage.py worker`: one daphne process; `serve` starts as many as are wanted."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from readrealm.observability import LoopLagMeter
from readrealm.stores import processes

EXIT_GRACE_S = 5.0
"""Beyond the drain, when the supervisor was killed and nobody is left to kill us."""


class Command(BaseCommand):
    help = "Serve on an inherited socket until SIGTERM, then drain. Started by `serve`."
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own form; `serve` has checked

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fd", type=int, required=True, help="a listening socket")
        parser.add_argument("--ready-fd", type=int, help="gets one byte when requests are served")
        parser.add_argument("--worker-id", required=True, help="the same as in WORKER_ID")
        parser.add_argument("--application", required=True, help="module:attribute to serve")

    def handle(self, *_: Any, **options: Any) -> None:
        from readrealm.socketio_bridge.daphne import run_worker

        processes.exit_after_parent(grace_s=settings.DRAIN_S + EXIT_GRACE_S)
        meter = LoopLagMeter()

        def on_ready() -> None:
            meter.start()
            if options["ready_fd"] is not None:
                os.write(options["ready_fd"], b"1")
                os.close(options["ready_fd"])

        run_worker(
            options["application"],
            fd=options["fd"],
            unix_socket=str(settings.RUN_DIR / f"{options['worker_id']}.sock"),
            worker_id=options["worker_id"],
            grace_s=settings.DRAIN_S,
            on_ready=on_ready,
        )
