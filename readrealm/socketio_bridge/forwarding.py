"""Requests that reached the wrong worker: passed on to the one whose id begins the session id.

On one host a worker listens on a unix socket of its own; to another host a request goes by TCP
and carries the cluster's secret. A relayed request is answered where it arrives or handed to a
sibling there, and never travels further.
"""

import hmac
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from .directory import Locate
from .engine import UNKNOWN_SID, Receive, Refusal, Scope, Send
from .polling import refuse as refuse_http
from .relaying import OF_ONE_HOP, NotPassedOn, pass_on_http, pass_on_websocket
from .websocket import refuse as refuse_websocket

log = logging.getLogger(__name__)

RELAY_HEADER = b"x-bridge-relay"
"""``<secret>;<hops>;<client address>``, on relayed requests only."""

MAX_HOPS = 2
"""To the owner's host, and there to the owner."""

WORKER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Relay:
    """What a relayed request says about itself."""

    hops: int
    client: str


class Forwarder:
    """Passes requests on; a worker that is unknown or gone gets the answer "unknown sid".

    Args:
        locate: finds workers.
        secret: what the workers of one cluster share; a relay header without it is ignored.
        client_address: gives the address of a request's client.
    """

    def __init__(
        self,
        locate: Locate,
        *,
        secret: str,
        client_address: Callable[[Scope], str],
    ) -> None:
        self._locate, self._secret = locate, secret.encode()
        self._client_address = client_address
        self.relayed = {"http": 0, "websocket": 0}
        """Requests passed on since the start, by kind of scope."""

    def relay_of(self, scope: Scope) -> Relay | None:
        """The relay header of a request, if it is there and proves the cluster's secret."""
        value: bytes = next((v for k, v in scope["headers"] if k == RELAY_HEADER), b"")
        secret, _, rest = value.partition(b";")
        if not value or not hmac.compare_digest(secret, self._secret):
            return None
        hops, _, client = rest.decode("latin-1").partition(";")
        return Relay(int(hops) if hops.isdigit() else MAX_HOPS, client)

    async def __call__(self, sid: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered by the worker that owns ``sid``."""
        relay = self.relay_of(scope)
        hops = relay.hops if relay else 0
        owner = sid.partition(".")[0]
        address = None
        if hops < MAX_HOPS and WORKER_ID.fullmatch(owner):
            address = await self._locate(owner)
        if address is None or (hops and address.unix is None):
            await self._refuse(scope, receive, send)
            return
        client = relay.client if relay else self._client_address(scope)
        mark = b"%s;%d;%s" % (self._secret, hops + 1, client.encode("latin-1", "replace"))
        headers = [(k, v) for k, v in scope["headers"] if k not in OF_ONE_HOP and k != RELAY_HEADER]
        headers.append((RELAY_HEADER, mark))
        self.relayed[scope["type"]] += 1
        try:
            if scope["type"] == "http":
                await pass_on_http(address, headers, scope, receive, send)
            else:
                await pass_on_websocket(address, headers, scope, receive, send)
        except NotPassedOn as error:
            log.debug("a request could not be passed on: %s", error)
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refuse = refuse_http if scope["type"] == "http" else refuse_websocket
        await refuse(Refusal(UNKNOWN_SID), scope, receive, send)
