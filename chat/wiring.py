"""Builds chat from stores and settings; the only file of the slice that does."""

from dataclasses import dataclass
from typing import Any

from channels.layers import get_channel_layer
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from chat.broadcast import ChannelBroadcast
from chat.casework import Casework
from chat.conf import chat_settings
from chat.entries import Document
from chat.gate import SanctionGate
from chat.log_reader import LogReader
from chat.moderation import ModerationService
from chat.moderation_notices import LayerNotices, NoticeListener
from chat.moderation_store import ModerationRecords
from chat.presence_store import ValkeyRoster
from chat.reader_records import ReaderRecords
from chat.reports import ReportDesk
from chat.repository import RoomLogs
from chat.sanctions import ReaderKey, Seats
from chat.services import Allowance, ChatService
from chat.upkeep import ChatUpkeep
from chat.watch_records import WatchRecords
from chat.watch_word_store import watched_words
from chat.watching import Watcher, unseen
from readrealm.kernel.clock import now_ms
from readrealm.metrics.figures import STORE_WAIT_SECONDS, MessageTally
from readrealm.metrics.worker import RoomFigures
from readrealm.stores import mongo, redis
from readrealm.stores.allowance import Allowance as StoredAllowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Chat on one event loop of one process."""

    service: ChatService
    moderation: ModerationService
    casework: Casework
    upkeep: ChatUpkeep
    logs: RoomLogs
    roster: ValkeyRoster
    broadcast: ChannelBroadcast
    records: ModerationRecords
    database: AsyncDatabase[Document]

    def records_of(self, reader: ReaderKey) -> ReaderRecords:
        """All that one reader left in the rooms."""
        return ReaderRecords(self.database, reader)

    def figures(self) -> RoomFigures:
        """What monitors are told of the rooms of this worker."""
        return RoomFigures(
            rooms=len(self.roster.book_ids),
            unsettled=len(self.logs.unsettled),
            unpublished=self.broadcast.failures,
        )


def build(
    *, database: AsyncDatabase[Document], valkey: Redis, layer: Any, allowance: Allowance
) -> Chat:
    """Chat for the running event loop; no store is asked yet."""
    logs = RoomLogs(database, waited=STORE_WAIT_SECONDS.labels("mongodb").observe)
    log = LogReader(database)
    broadcast = ChannelBroadcast(layer, waited=STORE_WAIT_SECONDS.labels("valkey").observe)
    roster = ValkeyRoster(valkey)
    records, seats, spoken = ModerationRecords(database), Seats(), unseen()

    gate = SanctionGate(records.holding, clock=now_ms)
    moderation = ModerationService(
        messages=logs,
        log=log,
        broadcast=broadcast,
        records=records,
        notices=LayerNotices(layer),
        clock=now_ms,
    )
    service = ChatService(
        messages=logs,
        log=log,
        broadcast=broadcast,
        allowance=allowance,
        roster=roster,
        gate=gate,
        desk=ReportDesk(log=log, reports=records, clock=now_ms),
        seats=seats,
        spoken=spoken,
        clock=now_ms,
        tally=MessageTally(),
    )
    flags = WatchRecords(database)
    watcher = Watcher(spoken, words=watched_words, flags=flags, past=flags, clock=now_ms)
    upkeep = ChatUpkeep(
        roster=roster,
        logs=logs,
        log=log,
        rooms=broadcast,
        clock=now_ms,
        listen=NoticeListener(layer, seats, expire=gate.expire).listen,
        watch=watcher.look,
        watch_again=watcher.look_again,
    )
    return Chat(
        service=service,
        moderation=moderation,
        casework=Casework(cases=records, clock=now_ms),
        upkeep=upkeep,
        logs=logs,
        roster=roster,
        broadcast=broadcast,
        records=records,
        database=database,
    )


def build_from_settings() -> Chat:
    """`build` with the stores that Django's settings name."""
    return build(
        database=mongo.async_database(),
        valkey=redis.client(),
        layer=get_channel_layer(),
        allowance=StoredAllowance(chat_settings().rate, name="chat"),
    )
