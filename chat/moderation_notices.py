"""Telling the sockets of one reader, on every worker, through the Channels layer."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from chat.events import ModerationNotice
from chat.sanctions import ReaderKey, Seats
from readrealm.kernel.wire import parse, plain

log = logging.getLogger(__name__)

GROUP = "moderation"
"""What every worker hears: one message for a sanction, however many sockets there are."""

NOTICE = "moderation.notice"

DEADLINE_S = 3.0
"""For a notice to be taken by the layer."""


class LayerNotices:
    """Sends notices; a failure is logged, for sanctioned readers are refused at the door anyway."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    async def notify(self, reader: ReaderKey, notice: ModerationNotice) -> None:
        """Tell every socket of a reader."""
        user_id, authenticated = reader
        message = {
            "type": NOTICE,
            "userId": user_id,
            "authenticated": authenticated,
            "notice": plain(notice),
        }
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._layer.group_send(GROUP, message)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("a notice was not sent: %s", type(error).__name__)


class NoticeListener:
    """Hears notices for the readers whose sockets are on this worker.

    Args:
        expire: called at each notice, before any socket is told: what was known of sanctions
            is old.
    """

    def __init__(self, layer: Any, seats: Seats, *, expire: Callable[[], None]) -> None:
        self._layer, self._seats, self._expire = layer, seats, expire

    async def listen(self) -> None:
        """Tell sockets what concerns them, until cancelled.

        Raises:
            OSError, TimeoutError: the layer could not be heard; begin again.
        """
        channel = await self._layer.new_channel(GROUP)
        await self._layer.group_add(GROUP, channel)
        try:
            while True:
                message = await self._layer.receive(channel)
                self._expire()
                notice = parse(ModerationNotice, message["notice"])
                self._seats.tell((message["userId"], message["authenticated"]), notice)
        finally:
            await self._layer.group_discard(GROUP, channel)
