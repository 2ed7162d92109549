"""A Socket.IO client that writes packets by hand and holds every answer against the contract."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.fuzz.hostile import Attack, Attacker
from tests.fuzz.vocabulary import Target

ANSWER_S = 20.0
BATCH = 32
"""Events on their way at once; with what a connection may send in a second, far from a flood."""

PACKETS_SHARE = 0.03
"""Of attacks: packets for which a connection may be closed."""

ALWAYS = frozenset({"RATE_LIMITED"})
"""Refusals that the bridge gives for any event."""


@dataclass(slots=True)
class Tally:
    """What became of attacks."""

    sent: Counter[str] = field(default_factory=Counter)
    """By kind."""
    answers: Counter[str] = field(default_factory=Counter)
    """Of events: ok, or the code of the refusal."""
    closed: int = 0
    """Connections that were closed because of a packet."""
    faults: list[str] = field(default_factory=list)
    """Answers that the contract does not allow, and those that did not come."""

    @property
    def events(self) -> int:
        return sum(self.sent.values())


class HostileClient:
    """One client after another on one seat: joins a room as it should, then attacks."""

    def __init__(self, url: str, number: int, aims: list[Target], *, seed: int) -> None:
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._chance = random.Random(f"{seed}/{number}")
        self._who = {"userId": f"fuzz-{number}", "username": f"fuzzer {number}"}
        self._room = {"bookId": 1 + number % 4}
        known: dict[str, Any] = {**self._who, **self._room, "messageId": "0" * 24, "emoji": "🐋"}
        known["user_id"] = number
        self._attacker = Attacker(aims, chance=self._chance, known=known)
        self._socket: ClientConnection | None = None
        self._number = 0
        self._acks: dict[int, Any] = {}
        self._notices: Counter[str] = Counter()
        self.tally = Tally()

    async def attack(self, count: int) -> None:
        """Send ``count`` attacks, and judge every answer."""
        try:
            while count > 0:
                if self._socket is None:
                    await self._arrive()
                batch = min(BATCH, count)
                await self._send_events([self._attacker.event() for _ in range(batch)])
                count -= batch
                for _ in range(round(batch * PACKETS_SHARE + self._chance.random() * 0.5)):
                    count -= 1
                    await self._send_packet(self._attacker.packet())
        finally:
            await self._leave()

    async def _arrive(self) -> None:
        self._socket = await connect(self._url, proxy=None, max_size=None, ping_interval=None)
        self._acks, self._notices = {}, Counter()
        assert (await self._next())[0] == "0"
        await self._socket.send("40")
        answer = await self._ask("joinRoom", {**self._room, **self._who})
        assert answer["ok"], answer
        said = await self._ask("chatMessage", {**self._room, **self._who, "content": "good day"})
        self._attacker.known["messageId"] = said["message"]["_id"]

    async def _leave(self) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.close()
            self._socket = None

    # Events: every one is answered.

    async def _send_events(self, attacks: list[Attack]) -> None:
        numbered = {self._next_number(): attack for attack in attacks}
        notices = Counter(self._notices)
        try:
            for number, attack in numbered.items():
                await self._send(attack, number)
            async with asyncio.timeout(ANSWER_S):
                while not numbered.keys() <= self._acks.keys():
                    await self._hear()
        except (ConnectionClosed, TimeoutError) as error:
            missing = [one for number, one in numbered.items() if number not in self._acks]
            if missing:
                self._fault(missing[0], f"no answer: {error!r}")
            await self._leave()
            return
        expected: Counter[str] = Counter()
        for number, attack in numbered.items():
            self._judge(attack, self._acks.pop(number), expected)
        heard = self._notices - notices
        if heard != expected and attacks:
            self._fault(attacks[0], f"refusals {dict(expected)}, notices {dict(heard)}")
        await self._stay_in_room()

    async def _send(self, attack: Attack, number: int) -> None:
        assert self._socket is not None
        self.tally.sent[attack.kind] += 1
        count = len(attack.attachments)
        kind = f"45{count}-" if count else "42"
        await self._socket.send(f"{kind}{number}{attack.text}")
        for raw in attack.attachments:
            await self._socket.send(raw)

    def _judge(self, attack: Attack, answer: Any, expected: Counter[str]) -> None:
        code = _refusal(answer)
        if code is None:
            self.tally.answers["ok"] += 1
            if attack.must_refuse:
                self._fault(attack, f"was not refused: {str(answer)[:100]}")
            return
        self.tally.answers[code] += 1
        allowed = attack.target.codes | ALWAYS
        if attack.target.codes and (code not in allowed or code == "INTERNAL_ERROR"):
            self._fault(attack, f"refused with {code}")
        if attack.target.notice is not None:
            expected[attack.target.event] += 1

    async def _stay_in_room(self) -> None:
        """Some attacks leave the room, as they may; a client outside would be refused early."""
        with suppress(ConnectionClosed, TimeoutError):
            await self._ask("joinRoom", {**self._room, **self._who})

    # Packets: answered, or the connection is closed; the server goes on in any case.

    async def _send_packet(self, attack: Attack) -> None:
        if self._socket is None:
            await self._arrive()
        assert self._socket is not None
        self.tally.sent[attack.kind] += 1
        try:
            await self._socket.send(attack.text)
            for raw in attack.attachments:
                await self._socket.send(raw)
            await self._ask("getPresence", self._room)
        except ConnectionClosed:
            self.tally.closed += 1
            self._socket = None
        except TimeoutError:
            # A packet that announces an attachment waits for it: that is for the server to end.
            self.tally.closed += 1
            await self._leave()

    # One connection.

    async def _ask(self, event: str, payload: Any) -> Any:
        assert self._socket is not None
        number = self._next_number()
        await self._socket.send(f"42{number}{json.dumps([event, payload])}")
        async with asyncio.timeout(ANSWER_S):
            while number not in self._acks:
                await self._hear()
        return self._acks.pop(number)

    async def _hear(self) -> None:
        packet = await self._next()
        if packet == "2":
            assert self._socket is not None
            await self._socket.send("3")
        elif packet.startswith("43"):
            number, _, body = packet[2:].partition("[")
            self._acks[int(number)] = (json.loads("[" + body) or [None])[0]
        elif packet.startswith('42["exception"'):
            self._notices[json.loads(packet[2:])[1]["cause"]["pattern"]] += 1

    async def _next(self) -> str:
        assert self._socket is not None
        packet = await self._socket.recv()
        return packet if isinstance(packet, str) else "binary"

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _fault(self, attack: Attack, what: str) -> None:
        self.tally.faults.append(
            f"{attack.target.event}, {attack.kind}: {what}: {attack.text[:200]}"
        )


def _refusal(answer: Any) -> str | None:
    """The code of a refusal in any of the dialects; None for a success."""
    if isinstance(answer, dict) and (answer.get("ok") is False or answer.get("success") is False):
        return str(answer.get("code", "without a code"))
    return None
