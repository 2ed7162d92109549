"""Voice as a Django app: holds what its wiring builds, one for each event loop."""

import os
from typing import TYPE_CHECKING

# Read by numpy when it is loaded: products as small as those of voice lose time to threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.apps import AppConfig

from readrealm.per_loop import Here, PerLoop

if TYPE_CHECKING:
    from readrealm.reader_data import ReaderData
    from speech.gateway.services import GatewayService
    from speech.interviews.services import InterviewService
    from speech.wiring import Speech


class SpeechConfig(AppConfig):
    """Live talk with a book, voice sessions and voice interviews.

    Attributes:
        gateway: live talk; may be handed out before an event loop runs.
        interviews: their use cases; may be handed out before an event loop runs.
    """

    name = "speech"
    verbose_name = "Voice"

    gateway: "Here[GatewayService]"
    interviews: "Here[InterviewService]"

    def ready(self) -> None:
        """Make what the event loops will ask for; no store is asked, no engine is loaded."""
        from readrealm import reader_data

        self._speech: PerLoop[Speech] = PerLoop(_build)
        self.gateway = Here(lambda: self.here().gateway)
        self.interviews = Here(lambda: self.here().interviews.service)
        reader_data.register("voice_sessions", _voice_sessions_of_reader)
        reader_data.register("interviews", _interviews_of_reader)

    def here(self) -> "Speech":
        """Voice on the running event loop, built at the first call."""
        return self._speech.here()

    def ensure_indexes(self) -> None:
        """Build what is missing of the MongoDB indexes. Blocks; may be called again."""
        from speech import documents
        from speech.interviews import live_store

        documents.ensure_indexes()
        live_store.ensure_indexes()


# Imported by those who call: engines and providers are much code for every other command.


def _build() -> "Speech":
    from speech.wiring import build_from_settings

    return build_from_settings()


def _voice_sessions_of_reader() -> "ReaderData":
    from speech.routes.reader_data import VoiceSessionData

    return VoiceSessionData()


def _interviews_of_reader() -> "ReaderData":
    from speech.interviews.reader_data import InterviewReaderData

    return InterviewReaderData()
