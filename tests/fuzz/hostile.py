"""What a hostile client sends: payloads and packets, decided by a seed alone."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fuzz.vocabulary import Examples, Target

NAMES = (
    "_id", "__proto__", "constructor", "prototype", "$set", "$where", "$gt", "$ne", "isAi",
    "is_ai", "seq", "rev", "state", "kind", "authenticated", "createdAt", "updatedAt", "deletedBy",
    "isStaff", "isGuest", "reactions", "until", "measure", "userId.$ne", "a.b", "", "\x00", "ok",
)  # fmt: skip
"""Keys that would matter if anything of a payload reached a document or a query unseen."""

OPERATORS: tuple[Any, ...] = (
    {"$gt": ""}, {"$ne": None}, {"$where": "sleep(5000)"}, {"$regex": ".*"},
    {"$set": {"isAi": True}}, {"$oid": "0" * 24}, {"$numberLong": "1"},
    {"__proto__": {"isStaff": True}}, {"$expr": {}},
)  # fmt: skip

TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e", "\ufeff", "\x1b[31m", "\x7f",
    "é" * 40, "\u0301" * 400, "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "../../etc",
    "%s%n", "null", "NaN", "undefined", "[object Object]", "042", " 42", "4.5", "-1", "1e3", "٤٢",
    "0" * 24, "g" * 24, "🐋", "🐋🐋", "👩‍👩‍👧", "x" * 65, "x" * 129, "x" * 5_000, "x" * 20_000,
)  # fmt: skip

NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2**31, 2**53, 2**53 - 1, 2**63, 2**64, 10**30, -(2**63), 0.5, 1e308, -0.0, 1e-320,
)  # fmt: skip

UNREADABLE = (
    '["EVENT",{"bookId":NaN}]', '["EVENT",{"bookId":Infinity}]', '["EVENT",{"a":1}',
    '["EVENT" {}]', "[]", "{}", "null", '"EVENT"', "[null]", "[42,{}]", "[[],{}]", "",
    '["EVENT",{"bookId":' + "9" * 5_000 + "}]",
    '["EVENT",' + "[" * 2_000 + "1" + "]" * 2_000 + "]",
    '["EVENT",' + '{"a":' * 40 + "1" + "}" * 40 + "]",
    '["EVENT",{"content":"\\ud800"}]', '["EVENT",{"a":1,"a":2,"__proto__":3}]',
    '["EVENT",{"content":"\\u0000"}]', '["disconnect"]', '["connect",{}]', '["error"]',
    '["EVENT\\u0000",{}]', '["' + "e" * 10_000 + '",{}]', '["unheard of",{"a":1}]',
    '["EVENT",{"_placeholder":true,"num":0}]', '["EVENT",{"_placeholder":true,"num":-1}]',
)  # fmt: skip
"""What follows the packet type: broken JSON, wrong envelopes, and events that nobody answers.

``EVENT`` stands for the name of an event.
"""

PACKETS = (
    "", "9", "4", "49", "4A", "2", "2probe", "3", "3probe", "5", "6", "1", "40", "40,",
    "40/nowhere,", "40{", "41/nowhere,", "42", '42/nowhere,["EVENT"]', '42-1["EVENT"]',
    '42["EVENT"]x', '4299999999999999999999999["EVENT",{}]', "43", "430[]", "439999[1]", "44{}",
    "450-[]", '451-["EVENT",{"_placeholder":true,"num":7}]', '45999999-["EVENT"]', "461-[]",
    '45-["EVENT"]', "47", "b", "bAAAA", "\x1e", "0{}", "\x00", "\ud7ff",
)  # fmt: skip
"""Engine.IO and Socket.IO packets that no client sends, or not now."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing to send."""

    target: Target
    kind: str
    text: str
    """What follows the acknowledgement number of an event, or a whole packet."""
    is_event: bool = True
    """Whether it is an event that must be answered; else the connection may be closed for it."""
    must_refuse: bool = False
    attachments: tuple[bytes, ...] = ()


class Attacker:
    """Makes attacks.

    Args:
        aims: the events to aim at.
        known: values that a well-behaved client would send, by wire name.
    """

    def __init__(self, aims: Sequence[Target], *, chance: random.Random, known: dict[str, Any]):
        self._aims, self._chance = aims, chance
        self.known = known

    def event(self) -> Attack:
        """An event that is answered: a good one, one with a fault, or rubbish."""
        target = self._chance.choice(self._aims)
        dice = self._chance.random()
        if dice < 0.12 or not target.is_described:
            return self._rubbish(target)
        if dice < 0.2:
            return self._event(target, "valid", self._valid(target))
        if dice < 0.4:
            return self._event(target, "extra keys", self._with_extras(target))
        if dice < 0.44:
            return self._binary(target)
        return self._event(target, "one fault", self._with_fault(target))

    def packet(self) -> Attack:
        """Something that may end the connection."""
        target = self._chance.choice(self._aims)
        if self._chance.random() < 0.5:
            body = self._chance.choice(UNREADABLE).replace("EVENT", target.event)
            return Attack(target, "envelope", f"42{self._chance.choice(['', '7'])}{body}", False)
        text = self._chance.choice(PACKETS).replace("EVENT", target.event)
        attachments = (b"\x00\xff" * 9,) if self._chance.random() < 0.2 else ()
        return Attack(target, "packet", text, False, attachments=attachments)

    # Events.

    def _valid(self, target: Target) -> dict[str, Any]:
        return Examples(self._chance, self.known).of(target.payload)

    def _with_extras(self, target: Target) -> dict[str, Any]:
        extras = {name: self._anything() for name in self._chance.sample(NAMES, 3)}
        return {**extras, **self._valid(target)}

    def _with_fault(self, target: Target) -> Any:
        payload = self._valid(target)
        if not payload:
            return self._anything()
        name = self._chance.choice(list(payload))
        if self._chance.random() < 0.15:
            del payload[name]
        else:
            payload[name] = self._anything()
        return payload

    def _rubbish(self, target: Target) -> Attack:
        args = [self._anything() for _ in range(self._chance.choice([0, 1, 1, 1, 1, 2, 5]))]
        return self._event(target, "rubbish", *args)

    def _binary(self, target: Target) -> Attack:
        """Bytes where text belongs, as an attachment."""
        payload = self._valid(target)
        placeholder = {"_placeholder": True, "num": 0}
        where = self._chance.choice([*payload, None]) if payload else None
        shown = placeholder if where is None else {**payload, where: placeholder}
        raw = self._chance.randbytes(self._chance.choice([0, 1, 24, 5_000]))
        # Bytes are never what these contracts allow, unless the field takes anything.
        refused = target.refuses(raw if where is None else {**payload, where: raw})
        body = json.dumps([target.event, shown])
        return Attack(target, "binary", body, must_refuse=refused, attachments=(raw,))

    def _event(self, target: Target, kind: str, *args: Any) -> Attack:
        refused = target.refuses(args[0] if args else None)
        return Attack(target, kind, json.dumps([target.event, *args]), must_refuse=refused)

    # Values.

    def _anything(self, depth: int = 0) -> Any:
        match self._chance.randrange(12 if depth < 4 else 8):
            case 0:
                return None
            case 1:
                return self._chance.random() < 0.5
            case 2 | 3:
                return self._chance.choice(NUMBERS)
            case 4 | 5 | 6:
                return self._chance.choice(TEXTS)
            case 7:
                return self._chance.choice(list(self.known.values()))
            case 8:
                return self._chance.choice(OPERATORS)
            case 9:
                return [self._anything(depth + 1) for _ in range(self._chance.randrange(6))]
            case 10:
                return self._nested(self._chance.randrange(2, 20))
            case _:
                names = self._chance.sample(NAMES, self._chance.randrange(5))
                return {name: self._anything(depth + 1) for name in names}

    def _nested(self, depth: int) -> Any:
        value: Any = self._chance.choice(NUMBERS)
        for _ in range(depth):
            value = [value] if self._chance.random() < 0.5 else {self._chance.choice(NAMES): value}
        return value
