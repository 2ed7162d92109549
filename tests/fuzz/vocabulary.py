"""What the running server answers, taken from its own contracts: whatever is wired in is fuzzed."""

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import inspect

from readrealm.kernel.errors import InvalidInput
from readrealm.kernel.vocabulary import Command, Vocabulary
from readrealm.kernel.wire import Contract, parse


@dataclass(frozen=True, slots=True)
class Target:
    """One event that the server answers."""

    event: str
    payload: Any
    """Its `Contract`; None when it carries nothing, or is in no contract."""
    codes: frozenset[str]
    """What its refusals may say; empty when its contract names none."""
    notice: str | None
    """The event that tells its sender of a refusal as well."""

    @property
    def is_described(self) -> bool:
        return isinstance(self.payload, type) and issubclass(self.payload, Contract)

    def refuses(self, payload: Any) -> bool:
        """Whether its contract rules a payload out, whatever the state of the server."""
        if not self.is_described:
            return False
        try:
            parse(self.payload, payload)
        except InvalidInput:
            return True
        return False


def targets() -> list[Target]:
    """Every event that the default namespace answers, in the order of their names."""
    from django.conf import settings
    from django.utils.module_loading import import_string

    from readrealm.asgi import namespace

    vocabularies: list[Vocabulary] = [import_string(path) for path in settings.VOCABULARIES]
    known = {
        name: (vocabulary, command)
        for vocabulary in vocabularies
        for name, command in vocabulary.commands.items()
    }
    return [_target(name, *known.get(name, (None, None))) for name in sorted(namespace.owners)]


def _target(name: str, vocabulary: Vocabulary | None, command: Command | None) -> Target:
    if vocabulary is None or command is None:
        return Target(name, None, frozenset(), None)
    notice = "exception" if "exception" in vocabulary.events else None
    return Target(name, command.payload, frozenset(vocabulary.codes), notice)


@dataclass(slots=True)
class Examples:
    """Payloads that a contract allows.

    Args:
        known: values for fields of these wire names, such as a room that was joined.
    """

    chance: random.Random
    known: Mapping[str, Any] = field(default_factory=dict)

    def of(self, payload: Any) -> dict[str, Any]:
        """One allowed payload; optional fields are there or not."""
        made: dict[str, Any] = self._struct(inspect.type_info(payload))
        return made

    def _struct(self, struct: Any) -> dict[str, Any]:
        return {
            one.encode_name: self._field(one)
            for one in struct.fields
            if one.required or self.chance.random() < 0.5
        }

    def _field(self, one: Any) -> Any:
        if one.encode_name in self.known:
            return self.known[one.encode_name]
        return self._value(one.type)

    def _value(self, kind: Any) -> Any:
        match kind:
            case inspect.Metadata():  # a type with a description
                return self._value(kind.type)
            case inspect.UnionType():
                return self._value(self.chance.choice(kind.types))
            case inspect.LiteralType():
                return self.chance.choice(kind.values)
            case inspect.IntType():
                least, most = kind.ge or 0, kind.le or 1_000
                return self.chance.randint(least, min(most, least + 1_000))
            case inspect.FloatType():
                least, most = kind.ge or 0.0, kind.le or 1.0
                return self.chance.uniform(least, most)
            case inspect.StrType():
                length = max(kind.min_length or 0, min(kind.max_length or 20, 24))
                # A letter first: what names things is often asked to begin with one.
                return "a" + "".join(self.chance.choices("0123456789abcdef", k=length - 1))
            case inspect.BytesType():
                raw = self.chance.randbytes(self.chance.choice([2, 640]))
                return base64.b64encode(raw).decode()
            case inspect.BoolType():
                return self.chance.random() < 0.5
            case inspect.ListType():
                return [self._value(kind.item_type) for _ in range(self.chance.randrange(3))]
            case inspect.DictType() | inspect.AnyType():
                return {"a": 1}
            case inspect.StructType():
                return self._struct(kind)
            case _:
                return None
