"""Builds voice sessions from stores and settings; the only file of this part that does."""

from typing import Any

from channels.layers import get_channel_layer
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from readrealm.kernel.clock import now_ms
from readrealm.readiness import Probe, ask_mongodb, ask_valkey, examine
from readrealm.stores import mongo, redis
from speech.routes.audio import AudioService
from speech.routes.broadcast import LayerAudience, LayerCommands
from speech.routes.census import SocketCensus, ThisProcess
from speech.routes.conf import RoutesSettings, diariser, routes_settings
from speech.routes.config import ConfigService
from speech.routes.config_store import ConfigStore
from speech.routes.database import Document
from speech.routes.reports import ReportService
from speech.routes.services import Routes
from speech.routes.session_store import SessionStore
from speech.routes.sessions import SessionService
from speech.routes.stream_store import StreamStore
from speech.routes.system import SystemService
from speech.routes.transcript_store import TranscriptStore
from speech.routes.upkeep import SessionUpkeep

STORE_PROBES = (Probe("redis", 1.0, ask_valkey), Probe("mongo", 1.0, ask_mongodb))


def build(
    *, database: AsyncDatabase[Document], valkey: Redis, layer: Any, settings: RoutesSettings
) -> Routes:
    """Voice sessions for the running event loop; no store is asked yet."""
    store, config = SessionStore(database), ConfigStore(database)
    commands = LayerCommands(layer, to_all=settings.tells_all)
    audience = LayerAudience(layer)
    census = SocketCensus(valkey, worker_id=settings.worker_id)
    return Routes(
        sessions=SessionService(sessions=store, clock=now_ms, most_sessions=config.most_sessions),
        audio=AudioService(
            sessions=store,
            streams=StreamStore(database),
            commands=commands,
            switches=config,
            clock=now_ms,
        ),
        config=ConfigService(
            values=config,
            commands=commands,
            speakers=diariser(),
            clock=now_ms,
            staff_only=settings.staff_only,
        ),
        system=SystemService(
            census=census,
            machine=ThisProcess(),
            dependencies=stores_that_answer,
            sessions=store,
            clock=now_ms,
        ),
        reports=ReportService(transcripts=TranscriptStore(database), audience=audience),
        store=store,
        census=census,
        upkeep=SessionUpkeep(store=store, audience=audience, census=census, clock=now_ms),
        tells_all=settings.tells_all,
    )


async def stores_that_answer() -> dict[str, bool]:
    """Whether each store answers within a second."""
    return {finding.name: finding.is_ready for finding in await examine(STORE_PROBES)}


def build_from_settings() -> Routes:
    """`build` with the stores that Django's settings name."""
    return build(
        database=mongo.async_database(),
        valkey=redis.client(),
        layer=get_channel_layer(),
        settings=routes_settings(),
    )
