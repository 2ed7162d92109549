"""All connections of a Socket.IO namespace on this worker, and who may be one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import socketio

from .connection import Application, Connection, Pace, consumer_class
from .layer import MEMBER_PREFIX, bridge_layer
from .session import Session

Greet = Callable[[str], Iterable[tuple[str, Any]]]
"""The first events of a client, given its sid."""

REVALIDATE = "bridge.revalidate"
"""A group message that makes connections ask again who their client is; see `BridgeNamespace`."""


class Refused(Exception):
    """Turns a client away from a namespace: the CONNECT_ERROR packet carries text and data."""

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.data = data


class Guard(Protocol):
    """Decides who a client is, and whether that is still so."""

    async def authenticate(self, scope: dict[str, Any], auth: Any) -> None:
        """Put the client's identity into the scope.

        Args:
            auth: the payload of the CONNECT packet.

        Raises:
            Refused: it may not connect.
        """
        ...

    def identity_key(self, scope: dict[str, Any]) -> str | None:
        """What names the client's account, in letters a group name may have; None without one."""
        ...


class BridgeNamespace(socketio.AsyncNamespace):
    """All connections of one Socket.IO namespace on this worker.

    Connections of an account hear the group `account_group`: a `REVALIDATE` message there makes
    each of them authenticate again, and closes those whose client is somebody else by now.

    Args:
        namespace: Socket.IO namespace, such as ``"/"``.
        consumers: ASGI applications made by ``EventConsumer.as_asgi``; no event twice.
        guard: decides before the CONNECT packet who the client is; without one all connect.
        greet: the events that a client gets first, given its sid.
        pace: how many events a client may send.
        max_per_account: connections of one account on this worker; None for no limit.
    """

    def __init__(
        self,
        namespace: str,
        consumers: Sequence[Application],
        *,
        guard: Guard | None = None,
        greet: Greet | None = None,
        pace: Pace | None = None,
        max_per_account: int | None = None,
    ) -> None:
        super().__init__(namespace)
        self.owners = owners_of(consumers)
        self.eager = [
            (index, application)
            for index, application in enumerate(consumers)
            if consumer_class(application).eager
        ]
        self.guard, self.greet, self.pace = guard, greet, pace or Pace()
        self.max_per_account = max_per_account
        self.connections: dict[str, Connection] = {}
        self.accounts: dict[str, AccountWatch] = {}

    async def admit(self, session: Session, sid: str, auth: Any) -> Connection:
        """Decide about a client; it is not connected yet.

        Raises:
            Refused: it may not connect.
        """
        about = {"sid": sid, "namespace": self.namespace, "auth": auth}
        extensions = session.scope.get("extensions") or {}
        scope = {**session.scope, "extensions": {**extensions, "socketio": about}}
        if self.guard is not None:
            await self.guard.authenticate(scope, auth)
            await self._join_account(sid, self.guard.identity_key(scope))
        return Connection(
            sid=sid,
            audience=self.namespace,
            outlet=session,
            scope=scope,
            owners=self.owners,
            pace=self.pace,
        )

    def welcome(self, connection: Connection) -> None:
        """Greet a client whose CONNECT packet is on its way."""
        self.connections[connection.sid] = connection
        for event, *args in self.greet(connection.sid) if self.greet else ():
            connection.emit(event, args)
        for index, application in self.eager:
            connection.inbox(index, application)

    async def forget(self, sid: str) -> None:
        """A client that was admitted is gone, whether or not it was welcomed."""
        connection = self.connections.pop(sid, None)
        if connection is not None:
            await connection.hang_up()
        for watch in [watch for watch in self.accounts.values() if sid in watch.sids]:
            watch.sids.discard(sid)
            if not watch.sids:
                del self.accounts[watch.key]
                await watch.stop()

    async def _join_account(self, sid: str, key: str | None) -> None:
        if key is None:
            return
        watch = self.accounts.get(key)
        if watch is None:
            watch = self.accounts[key] = AccountWatch(self, key)
        if self.max_per_account is not None and len(watch.sids) >= self.max_per_account:
            raise Refused("too many sockets of this account", code="RATE_LIMITED")
        watch.sids.add(sid)
        await watch.start()

    async def revalidate(self, connection: Connection) -> None:
        """Close a connection whose credential no longer stands for the same client."""
        if self.guard is None:
            return
        scope = dict(connection.scope)
        before = self.guard.identity_key(scope)
        try:
            await self.guard.authenticate(scope, scope["extensions"]["socketio"]["auth"])
        except Refused:
            connection.close()
        else:
            if self.guard.identity_key(scope) != before:
                connection.close()

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """What python-socketio calls: of the bridge's namespaces only for the end."""
        if event == "disconnect":
            await self.forget(args[0])


def account_group(key: str) -> str:
    """The channel-layer group of an account's connections, in every namespace and worker."""
    return f"bridge.account.{key}"


class AccountWatch:
    """The connections of one account in one namespace of this worker, as a group member."""

    def __init__(self, namespace: BridgeNamespace, key: str) -> None:
        self.namespace, self.key = namespace, key
        self.sids: set[str] = set()
        self.channel_name = f"{MEMBER_PREFIX}watch!{namespace.namespace}.{key}"
        self.audience, self.outlet = namespace.namespace, None
        self._joined: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hear the account's group; a failure to do so refuses the client."""
        if self._joined is None or (self._joined.done() and self._joined.exception() is not None):
            bridge_layer().register(self)
            self._joined = asyncio.create_task(
                bridge_layer().group_add(account_group(self.key), self.channel_name)
            )
        await asyncio.shield(self._joined)

    async def stop(self) -> None:
        await bridge_layer().group_discard(account_group(self.key), self.channel_name)
        bridge_layer().unregister(self)

    def dispatch(self, message: dict[str, Any], *, size_bytes: int = 0) -> None:
        """Have every connection of the account authenticate again."""
        if message["type"] != REVALIDATE:
            return
        for sid in self.sids:
            connection = self.namespace.connections.get(sid)
            if connection is not None:
                self.namespace.server.eio.own(self.namespace.revalidate(connection))


def owners_of(consumers: Sequence[Application]) -> dict[str, tuple[int, Application]]:
    """Which consumer answers which event.

    Raises:
        ValueError: two consumers name the same event.
    """
    owners: dict[str, tuple[int, Application]] = {}
    for index, application in enumerate(consumers):
        events = consumer_class(application).events
        if twice := owners.keys() & events:
            raise ValueError(f"answered by two consumers: {sorted(twice)}")
        owners |= dict.fromkeys(events, (index, application))
    return owners
