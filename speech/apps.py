"""Voice as a Django app: holds what its wiring builds, one for each event loop."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

from readrealm.per_loop import PerLoop

if TYPE_CHECKING:
    from speech.wiring import Speech


class SpeechConfig(AppConfig):
    """Live talk with a book, voice sessions and voice interviews."""

    name = "speech"
    verbose_name = "Voice"

    def ready(self) -> None:
        """Make what the event loops will ask for; no store is asked, no engine is loaded."""
        from speech.wiring import build_from_settings

        self._speech: PerLoop[Speech] = PerLoop(build_from_settings)

    def here(self) -> "Speech":
        """Voice on the running event loop, built at the first call."""
        return self._speech.here()
