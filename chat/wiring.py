"""Builds chat from stores and settings; the only file of the slice that does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.layers import get_channel_layer
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis

from chat.broadcast import ChannelBroadcast
from chat.conf import chat_settings
from chat.entries import Document
from chat.presence_store import ValkeyRoster
from chat.repository import RoomLogs
from chat.services import Allowance, ChatService
from chat.upkeep import ChatUpkeep
from readrealm.kernel.clock import now_ms
from readrealm.stores import mongo, redis
from readrealm.stores.allowance import Allowance as StoredAllowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Chat on one event loop of one process."""

    service: ChatService
    upkeep: ChatUpkeep
    logs: RoomLogs
    roster: ValkeyRoster
    broadcast: ChannelBroadcast


def build(
    *, database: AsyncDatabase[Document], valkey: Redis, layer: Any, allowance: Allowance
) -> Chat:
    """Chat for the running event loop; no store is asked yet."""
    logs, roster, broadcast = RoomLogs(database), ValkeyRoster(valkey), ChannelBroadcast(layer)
    service = ChatService(
        messages=logs, broadcast=broadcast, allowance=allowance, roster=roster, clock=now_ms
    )
    upkeep = ChatUpkeep(service=service, roster=roster, logs=logs, rooms=broadcast)
    return Chat(service=service, upkeep=upkeep, logs=logs, roster=roster, broadcast=broadcast)


def build_from_settings() -> Chat:
    """`build` with the stores that Django's settings name."""
    return build(
        database=mongo.async_database(),
        valkey=redis.client(),
        layer=get_channel_layer(),
        allowance=StoredAllowance(chat_settings().rate, name="chat"),
    )


def service_anywhere(here: Callable[[], Chat]) -> ChatService:
    """The use cases with the parts of whichever event loop they are called on.

    Args:
        here: gives the running loop's `Chat`.
    """
    return ChatService(
        messages=_Part(lambda: here().logs),
        broadcast=_Part(lambda: here().broadcast),
        allowance=_Part(lambda: here().service.allowance),
        roster=_Part(lambda: here().roster),
        clock=now_ms,
    )


class _Part:
    """Stands for something that belongs to an event loop, before there is one."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        return getattr(self._find(), name)
