"""Everything a socket can ask of voice sessions, and what its worker keeps for it."""

from dataclasses import dataclass

from speech.routes.audio import AudioService
from speech.routes.census import SocketCensus
from speech.routes.config import ConfigService
from speech.routes.reports import ReportService
from speech.routes.session_store import SessionStore
from speech.routes.sessions import SessionService
from speech.routes.system import SystemService
from speech.routes.upkeep import SessionUpkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Voice sessions on one event loop of one process."""

    sessions: SessionService
    audio: AudioService
    config: ConfigService
    system: SystemService
    reports: ReportService
    store: SessionStore
    census: SocketCensus
    upkeep: SessionUpkeep
    tells_all: bool
    """Whether every socket hears ``configure``."""
