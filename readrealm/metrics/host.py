"""The figures of every worker of this host, whichever of them a scraper happens to meet.

Workers behind one port take turns accepting, so a scraper cannot choose. The one that is asked
asks the others on the Unix sockets where they take relayed requests.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import h11

log = logging.getLogger(__name__)

ANSWER_S = 2.0
"""For one worker; a scraper usually waits ten."""

MOST_BYTES = 4 << 20

OWN = "worker"
"""Query parameter with which a worker is asked for its own figures only."""


class NoFigures(Exception):
    """A worker did not tell its figures."""


def peers(run_dir: Path, *, besides: str) -> dict[str, Path]:
    """The sockets of the other workers of this host, by worker id."""
    found = {path.stem: path for path in sorted(run_dir.glob("w*.sock"))}
    return {worker_id: path for worker_id, path in found.items() if worker_id != besides}


async def ask_all(
    sockets: Mapping[str, Path], *, target: str, headers: Mapping[str, str]
) -> dict[str, str | None]:
    """The text of each worker, all asked at once; None of one that is silent."""
    texts = await asyncio.gather(
        *(_ask_or_none(socket, target, headers) for socket in sockets.values())
    )
    return dict(zip(sockets, texts, strict=True))


async def _ask_or_none(socket: Path, target: str, headers: Mapping[str, str]) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await _ask(socket, target, headers)
    except (OSError, TimeoutError, NoFigures, h11.RemoteProtocolError) as error:
        log.info("worker %s tells no figures: %s", socket.stem, type(error).__name__)
        return None


async def _ask(socket: Path, target: str, headers: Mapping[str, str]) -> str:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        peer = h11.Connection(our_role=h11.CLIENT)
        request = h11.Request(
            method="GET", target=target, headers=[*headers.items(), ("Connection", "close")]
        )
        writer.write((peer.send(request) or b"") + (peer.send(h11.EndOfMessage()) or b""))
        return await _read(peer, reader)
    finally:
        writer.close()


async def _read(peer: h11.Connection, reader: asyncio.StreamReader) -> str:
    body = bytearray()
    while True:
        event = peer.next_event()
        if event is h11.NEED_DATA:
            peer.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise NoFigures(event.status_code)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                raise NoFigures("too much")
        elif isinstance(event, h11.EndOfMessage):
            return body.decode()
        elif not isinstance(event, h11.Response):
            raise NoFigures("no answer")
