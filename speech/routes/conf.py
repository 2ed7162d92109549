"""The settings of voice sessions, typed; the only file of this part that reads Django's."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from speech.engines.diariser import SherpaDiariser
from speech.engines.recogniser import Engine, RecogniserSpec
from speech.routes.configuration import LOCAL

WORKER_ROLE = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesSettings:
    """What an operator can decide about voice sessions."""

    staff_only: bool
    """Whether only staff may change the configuration."""
    tells_all: bool
    """Whether ``configure`` goes to every socket."""
    worker_id: str
    """Of this process, among those that serve sockets."""
    recording_days: int
    """How long recordings, transcripts and ended sessions are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingSettings:
    """What a processing worker runs with."""

    engine: Engine
    model_path: Path | None
    processes: int
    diariser: SherpaDiariser

    def spec(self, provider: str, language: str) -> RecogniserSpec:
        """The recogniser that a configuration asks for. A model belongs to the engine of the
        settings; another engine has none."""
        engine = self.engine if provider == LOCAL else Engine(provider)
        path = self.model_path if engine is self.engine else None
        return RecogniserSpec(engine=engine, model_path=path, language=language)


def routes_settings() -> RoutesSettings:
    """The settings as they are now."""
    return RoutesSettings(
        staff_only=settings.SOCKET_AUTH == "required",
        tells_all=settings.COMMAND_BROADCAST == "all",
        worker_id=settings.WORKER_ID,
        recording_days=settings.VOICE_RETENTION_DAYS,
    )


def processing_settings() -> ProcessingSettings:
    """The settings as they are now."""
    return ProcessingSettings(
        engine=Engine(settings.STT_ENGINE),
        model_path=settings.STT_MODEL_PATH,
        processes=settings.STT_PROCESSES,
        diariser=diariser(),
    )


def diariser() -> SherpaDiariser:
    """What tells speakers apart, if its models are there."""
    return SherpaDiariser(
        segmentation_model=settings.DIARIZATION_SEGMENTATION_MODEL,
        embedding_model=settings.DIARIZATION_EMBEDDING_MODEL,
    )


def worker_token() -> str:
    """What a processing worker shows: the setting, or else what everybody who knows the secret
    key of the site comes to."""
    given: str | None = settings.VOICE_WORKER_TOKEN
    return given or salted_hmac("readrealm.voice.worker", "processing workers").hexdigest()
