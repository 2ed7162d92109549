"""The vocabularies as a page shows them: plain data for a template."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from readrealm.contract.asyncapi import slug
from readrealm.contract.schemas import REFERENCE, Schema, Schemas, collect, words
from readrealm.contract.typings import type_of
from readrealm.kernel.vocabulary import Command, Event, Senders, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of an object."""

    name: str
    type: str
    is_required: bool
    limits: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a page, in either direction."""

    name: str
    anchor: str
    words: str
    type: str
    fields: tuple[Field, ...]
    receivers: str = ""
    """Who hears it; empty for a command."""
    answer: str = ""
    """The type of its acknowledgement; empty for an event."""
    causes: tuple[str, ...] = ()
    senders: str = ""
    """Who alone may send it; empty for everybody."""
    example: str = ""
    """A payload as JSON; empty for an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One vocabulary."""

    key: str
    title: str
    summary: str
    commands: tuple[Entry, ...]
    events: tuple[Entry, ...]
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeEntry:
    """A type that events are made of."""

    name: str
    words: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The whole page."""

    chapters: tuple[Chapter, ...]
    types: tuple[TypeEntry, ...]


def reference(vocabularies: Sequence[Vocabulary]) -> Reference:
    """Everything that can be said and heard, and the types it is made of."""
    schemas = collect(vocabularies)
    chapters = tuple(_chapter(each, schemas) for each in vocabularies)
    shown = {entry.type for chapter in chapters for entry in (*chapter.commands, *chapter.events)}
    return Reference(
        chapters=chapters,
        types=tuple(
            TypeEntry(name=name, words=schema.get("description", ""), fields=_fields(schema))
            for name, schema in schemas.components.items()
            if name not in shown
            or any(_mentions(other, name) for other in schemas.components.values())
        ),
    )


def _mentions(schema: Any, name: str) -> bool:
    """Whether the type of that name is a part of another."""
    if isinstance(schema, dict):
        return schema.get("$ref") == REFERENCE + name or any(
            _mentions(each, name) for each in schema.values()
        )
    return isinstance(schema, list) and any(_mentions(each, name) for each in schema)


def _chapter(vocabulary: Vocabulary, schemas: Schemas) -> Chapter:
    return Chapter(
        key=vocabulary.key,
        title=vocabulary.title,
        summary=vocabulary.summary,
        commands=tuple(
            _command(name, command, vocabulary, schemas)
            for name, command in vocabulary.commands.items()
        ),
        events=tuple(
            _event(name, event, vocabulary, schemas) for name, event in vocabulary.events.items()
        ),
        codes=tuple(vocabulary.codes.items()),
    )


def _command(name: str, command: Command, vocabulary: Vocabulary, schemas: Schemas) -> Entry:
    answers = [command.ack, *([vocabulary.refusal] if vocabulary.refusal else [])]
    kinds = [type_of(schemas.of(vocabulary, answer)) for answer in answers if answer is not None]
    text = "" if command.payload is None else words(command.payload)
    return Entry(
        name=name,
        anchor=f"say-{slug(name)}",
        words=text,
        answer=" | ".join(kinds) if command.ack is not None else "",
        causes=command.causes,
        senders="" if command.senders is Senders.ANYBODY else command.senders.value,
        example="" if command.payload is None else _json(command.example or {}),
        **_carried(command.payload, vocabulary, schemas),
    )


def _event(name: str, event: Event, vocabulary: Vocabulary, schemas: Schemas) -> Entry:
    own = words(event.payload) if isinstance(event.payload, type) else ""
    return Entry(
        name=name,
        anchor=f"hear-{slug(name)}",
        words=event.summary or own,
        receivers=event.receivers.value,
        **_carried(event.payload, vocabulary, schemas),
    )


def _carried(payload: Any, vocabulary: Vocabulary, schemas: Schemas) -> dict[str, Any]:
    if payload is None:
        return {"type": "", "fields": ()}
    schema = schemas.of(vocabulary, payload)
    name = type_of(schema)
    return {"type": name, "fields": _fields(schemas.components.get(name, {}))}


def _fields(schema: Schema) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=name,
            type=type_of(member),
            is_required=name in schema.get("required", ()),
            limits=_limits(member),
            words=member.get("description", ""),
        )
        for name, member in schema.get("properties", {}).items()
    )


def _limits(schema: Schema) -> str:
    parts = []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        parts.append(_span(least, most))
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if shortest is not None or longest is not None:
        parts.append(f"{_span(shortest, longest)} characters")
    if "default" in schema and schema["default"] is not None:
        parts.append(f"default {json.dumps(schema['default'])}")
    return ", ".join(parts)


def _span(least: Any, most: Any) -> str:
    if least == most:
        return f"{least}"
    if most is None:
        return f"from {least}"
    return f"up to {most}" if least is None else f"{least} to {most}"


def _json(payload: Any) -> str:
    return json.dumps(dict(payload), indent=2, ensure_ascii=False)
