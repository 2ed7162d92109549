"""`manage.py runstores`: the private MongoDB and Valkey in the foreground, without workers."""

import signal
from typing import Any

from django.core.management import BaseCommand, CommandError

from readrealm.management.stores import private_stores
from readrealm.stores.addresses import UnsafeFolder
from readrealm.stores.embedded import PrivateStore, StoreCannotRun


class Command(BaseCommand):
    help = (
        "Start the private mongod and the private Valkey of DATA_DIR, print their URLs as "
        "assignments for a shell, and keep them until Ctrl-C or SIGTERM. A `serve` with the same "
        "DATA_DIR shares them. Nothing is started for a store whose URL is set."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own form; stores need no pages

    def handle(self, *_: Any, **__: Any) -> None:
        # Taken before anything is started, so that nothing is left running.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        started: list[PrivateStore] = []
        try:
            for store in private_stores():
                started.append(store)
                store.start()
                self.stdout.write(f"{store.variable}='{store.url}'")
            self.stdout.flush()
            signal.sigwait({signal.SIGTERM, signal.SIGINT})
        except (StoreCannotRun, UnsafeFolder) as error:
            raise CommandError(str(error)) from None
        finally:
            for store in reversed(started):
                store.stop()
