"""``manage.py realtime_engine``: the local voice engine, for this machine only."""

import asyncio
import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

# Read by numpy when it is loaded: products as small as these lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from readrealm.kernel.errors import AppError
from speech.engines.recogniser import Engine, RecogniserSpec
from speech.realtime.server import Address, RealtimeServer, read_address
from speech.realtime.wiring import EngineOptions, running_engines

DEFAULT_ADDRESS = "127.0.0.1:8765"


class Command(BaseCommand):
    help = "Runs the local voice engine, a server of the Realtime protocol for this machine only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--listen",
            default=_setting("REALTIME_ENGINE_ADDRESS", DEFAULT_ADDRESS),
            help="host:port on a loopback address, or unix:path (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(self._serve(read_address(options["listen"])))
        except (AppError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error

    async def _serve(self, address: Address) -> None:
        server = RealtimeServer(token=_setting("REALTIME_ENGINE_TOKEN", "") or None)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        async with running_engines(_options()) as engines, server.listening(engines, address) as at:
            self.stdout.write(f"the local engine listens on {at}")
            self.stdout.flush()
            await stopped.wait()


def _options() -> EngineOptions:
    model_path = _setting("STT_MODEL_PATH", None)
    voice_model = _setting("TTS_MODEL_PATH", None)
    return EngineOptions(
        data_dir=Path(_setting("DATA_DIR", "var")),
        recogniser=RecogniserSpec(
            engine=Engine(_setting("STT_ENGINE", Engine.POCKETSPHINX.value)),
            model_path=Path(model_path) if model_path else None,
            language=_setting("STT_LANGUAGE", "en"),
        ),
        recogniser_processes=_setting("STT_PROCESSES", 4),
        voice_model=Path(voice_model) if voice_model else None,
        llm_base_url=_setting("LLM_BASE_URL", "") or "",
        llm_model=_setting("LLM_MODEL", "") or "",
        llm_key=_setting("LLM_API_KEY", "") or "",
    )


def _setting(name: str, default: Any) -> Any:
    return getattr(settings, name, default)
