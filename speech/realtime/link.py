"""One connection to a provider of the Realtime protocol, made by the openai SDK.

It speaks and hears events under their GA names, and turns whatever the SDK and its sockets
raise into `ProviderUnavailable` or `LinkLost`. The SDK is imported by the first call: it is much
code, and a worker starts without it.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from readrealm.kernel.errors import ProviderUnavailable
from speech.realtime.events import EVENTS, Event, Failure, SessionCreated, SessionUpdated
from speech.realtime.protocol import SESSION_EVENT_ID, in_ga_names
from speech.realtime.providers import Provider
from speech.realtime.renewal import SESSION_EXPIRED
from speech.realtime.shapes import JsonObject

if TYPE_CHECKING:
    import openai
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = 16_777_216
MAX_EARLY_EVENTS = 64
ABNORMAL = 1006
"""Close code of a connection that ended without one."""
GOING_AWAY = 1001
"""Close code of a session that has reached its age."""


class LinkLost(Exception):
    """The connection has ended."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """In seconds."""

    connect: float = 10.0
    configure: float = 10.0
    """From the open connection to the confirmed session."""
    send: float = 5.0
    close: float = 2.0


class Link:
    """An open connection with a confirmed session.

    Attributes:
        created: what the provider said of the session when it began.
    """

    def __init__(
        self, connection: "AsyncRealtimeConnection", provider: Provider, deadlines: Deadlines
    ) -> None:
        self._connection = connection
        self._provider = provider
        self._deadlines = deadlines
        self._early: deque[Event] = deque()
        self.created = SessionCreated()

    async def configure(self, update: JsonObject, lines: Iterable[JsonObject]) -> None:
        """Say what the session shall be, wait for the confirmation, and tell what was said.

        Raises:
            ProviderUnavailable: the session is refused, or not confirmed in time.
        """
        import openai

        try:
            async with asyncio.timeout(self._deadlines.configure):
                await self._connection.send_raw(json.dumps(update))
                await self._confirmed()
                for line in lines:
                    await self._connection.send_raw(json.dumps(line))
        except (ConnectionClosed, LinkLost, openai.OpenAIError, TimeoutError):
            raise ProviderUnavailable(
                f"{self._provider.name} does not confirm the session"
            ) from None

    async def receive(self) -> Event:
        """The next event that somebody here listens to.

        Raises:
            LinkLost: there is none any more.
        """
        if self._early:
            return self._early.popleft()
        while True:
            event = await self._next()
            if isinstance(event, Failure) and event.error.code == SESSION_EXPIRED:
                # Nothing is wrong: the same session may be had again.
                raise LinkLost(GOING_AWAY)
            if event is not None:
                return event

    async def send(self, event: JsonObject) -> None:
        """Say something.

        Raises:
            LinkLost: the connection has ended.
            ProviderUnavailable: the provider reads nothing any more; the connection is closed.
        """
        import openai

        try:
            async with asyncio.timeout(self._deadlines.send):
                await self._connection.send_raw(json.dumps(event))
        except (ConnectionClosed, openai.OpenAIError):
            raise LinkLost(ABNORMAL) from None
        except TimeoutError:
            await self.close()
            raise ProviderUnavailable(f"{self._provider.name} takes nothing any more") from None

    async def close(self) -> None:
        import openai

        with contextlib.suppress(TimeoutError, OSError, WebSocketException, openai.OpenAIError):
            async with asyncio.timeout(self._deadlines.close):
                await self._connection.close()

    async def _confirmed(self) -> None:
        """Wait for the confirmation; what is said before it is kept for the reader."""
        while len(self._early) < MAX_EARLY_EVENTS:
            event = await self._next()
            if event is None:
                continue
            self._early.append(event)
            if isinstance(event, SessionCreated):
                self.created = event
            if isinstance(event, SessionUpdated):
                return
            if isinstance(event, Failure) and event.error.event_id in (None, SESSION_EVENT_ID):
                raise ProviderUnavailable(
                    f"{self._provider.name} refuses the session: {event.error.message}"
                )
        raise TimeoutError

    async def _next(self) -> Event | None:
        """The next event; None for one that nobody here listens to.

        By its name and not by the SDK's class: those of the preview carry wrong ones.
        """
        try:
            frame = await self._connection.recv_bytes()
        except ConnectionClosed as closed:
            raise LinkLost(closed.rcvd.code if closed.rcvd else ABNORMAL) from None
        event = in_ga_names(_object(frame))
        kind = EVENTS.get(str(event.get("type")))
        if kind is None:
            return None
        try:
            return msgspec.convert(event, kind)
        except msgspec.ValidationError:
            log.warning("%s sent a malformed %s", self._provider.name, event.get("type"))
            return None


async def connect(sdk: "openai.AsyncOpenAI", provider: Provider, deadlines: Deadlines) -> Link:
    """An open connection, not configured yet.

    Raises:
        ProviderUnavailable: it cannot be reached, or refuses us.
    """
    import openai

    manager = sdk.realtime.connect(
        model=provider.model,
        extra_query=dict(provider.query),
        extra_headers=dict(provider.headers),
        websocket_connection_options=_socket_options(provider),
    )
    try:
        async with asyncio.timeout(deadlines.connect):
            return Link(await manager.enter(), provider, deadlines)
    except InvalidStatus as refused:
        status = refused.response.status_code
        raise ProviderUnavailable(f"{provider.name} refuses the connection ({status})") from None
    except (OSError, WebSocketException, openai.OpenAIError, TimeoutError):
        raise ProviderUnavailable(f"{provider.name} cannot be reached") from None


class Sdk:
    """The SDK with the address and the credential of a provider.

    Made once for all sessions of an event loop, and beside the loop: it takes a tenth of a second
    and about a megabyte.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._making = asyncio.Lock()
        self._made: openai.AsyncOpenAI | None = None

    async def ready(self) -> "openai.AsyncOpenAI":
        """It, made by the first who asks."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_make_sdk, self.provider)
        return self._made

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()


def _make_sdk(provider: Provider) -> "openai.AsyncOpenAI":
    import openai

    headers: dict[str, Any] = {}
    if provider.key_header != "Authorization":
        headers = {provider.key_header: provider.key, "Authorization": openai.Omit()}
    # The SDK insists on a key, even where nobody asks for one.
    return openai.AsyncOpenAI(
        api_key=provider.token or provider.key or "none",
        websocket_base_url=provider.base_url,
        default_headers=headers,
        max_retries=0,
    )


def _socket_options(provider: Provider) -> Any:
    options: dict[str, Any] = {"max_size": MAX_FRAME_BYTES, "compression": None}
    if provider.unix_path is not None:
        options |= {"unix": True, "path": str(provider.unix_path)}
    if provider.is_local:
        options["proxy"] = None
    return options


def _object(frame: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(frame)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}
