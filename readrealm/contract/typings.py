"""The vocabularies as TypeScript declarations for socket.io-client."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from readrealm.contract.schemas import REFERENCE, Schema, Schemas, collect
from readrealm.kernel.vocabulary import Command, Senders, Vocabulary

HEAD = """\
// Written by `manage.py asyncapi` from the types that check the wire; edit those instead.
//
//   import { io, type Socket } from "socket.io-client";
//   import type { ClientToServerEvents, ServerToClientEvents } from "./readrealm";
//   const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io();
"""

PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
NAME = re.compile(r"[A-Za-z_$][\w$]*")


def declarations(vocabularies: Sequence[Vocabulary]) -> str:
    """The text of a ``.d.ts`` file."""
    schemas = collect(vocabularies)
    parts = [HEAD]
    parts += [_declaration(name, schema) for name, schema in schemas.components.items()]
    parts.append(_interface("ServerToClientEvents", _heard(vocabularies, schemas)))
    parts.append(_interface("ClientToServerEvents", _said(vocabularies, schemas)))
    return "\n".join(parts)


def type_of(schema: Schema) -> str:
    """A JSON Schema, of those that msgspec writes, as a TypeScript type."""
    match schema:
        case {"$ref": str(reference)}:
            return reference.removeprefix(REFERENCE)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"const": value}:
            return json.dumps(value)
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " | ".join(dict.fromkeys(map(type_of, kinds)))
        case {"type": list() as kinds}:
            return " | ".join(type_of({**schema, "type": kind}) for kind in kinds)
        case {"type": "array", "prefixItems": parts}:
            return f"[{', '.join(map(type_of, parts))}]"
        case {"type": "array"}:
            return f"Array<{type_of(schema.get('items', {}))}>"
        case {"type": "string", "contentEncoding": "base64"}:
            return "string | ArrayBuffer | Uint8Array"
        case {"type": "object", "properties": _}:
            return "{ " + " ".join(_members(schema)) + " }"
        case {"type": "object"}:
            values = schema.get("additionalProperties")
            return f"Record<string, {type_of(values) if isinstance(values, dict) else 'unknown'}>"
        case {"type": str(kind)}:
            return PLAIN[kind]
    return "unknown"


def _declaration(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        body = "Record<string, never>" if schema.get("type") == "object" else type_of(schema)
        return f"{_comment(schema)}export type {name} = {body};\n"
    members = "\n".join(_members(schema, indent="  "))
    return f"{_comment(schema)}export interface {name} {{\n{members}\n}}\n"


def _members(schema: Schema, *, indent: str = "") -> Iterator[str]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        mark = "" if name in required else "?"
        comment = _comment(member, indent=indent) if indent else ""
        yield f"{comment}{indent}{_key(name)}{mark}: {type_of(member)};"


def _interface(name: str, members: Iterator[str]) -> str:
    return f"export interface {name} {{\n" + "\n".join(members) + "\n}\n"


def _heard(vocabularies: Sequence[Vocabulary], schemas: Schemas) -> Iterator[str]:
    for vocabulary in vocabularies:
        for name, event in vocabulary.events.items():
            payload = event.payload
            data = "" if payload is None else f"data: {type_of(schemas.of(vocabulary, payload))}"
            yield f"  {_key(name)}: ({data}) => void;"


def _said(vocabularies: Sequence[Vocabulary], schemas: Schemas) -> Iterator[str]:
    for vocabulary in vocabularies:
        for name, command in vocabulary.commands.items():
            if command.senders is Senders.ANYBODY:
                arguments = ", ".join(_arguments(command, vocabulary, schemas))
                yield f"  {_key(name)}: ({arguments}) => void;"


def _arguments(command: Command, vocabulary: Vocabulary, schemas: Schemas) -> Iterator[str]:
    if command.payload is not None:
        yield f"data: {type_of(schemas.of(vocabulary, command.payload))}"
    if command.ack is not None:
        answers = [command.ack, *([vocabulary.refusal] if vocabulary.refusal else [])]
        kinds = " | ".join(type_of(schemas.of(vocabulary, answer)) for answer in answers)
        yield f"ack?: (answer: {kinds}) => void"


def _key(name: str) -> str:
    return name if NAME.fullmatch(name) else json.dumps(name)


def _comment(schema: dict[str, Any], *, indent: str = "") -> str:
    lines = [line.rstrip() for line in schema.get("description", "").replace("*/", "*").split("\n")]
    if lines == [""]:
        return ""
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"
