"""The vocabularies as one AsyncAPI 3 document, written from the server's point of view."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from readrealm.contract.schemas import Schema, Schemas, collect, words
from readrealm.kernel.vocabulary import Command, Event, Senders, Vocabulary

VERSION = "3.0.0"

HEAD = """\
# Written by `manage.py asyncapi` from the types that check the wire; edit those instead.
"""


class _Dumper(yaml.SafeDumper):
    """Writes paragraphs as they read, and everything in place."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)

INTRODUCTION = """\
One Socket.IO namespace, `/`, carries every vocabulary. Each message below is an event: its name is
the event's name, its payload is the event's only argument. A client may pass a callback with every
command; the server calls it with the reply. Bad input is answered with an error and changes
nothing; the connection lives on.
"""


def document(vocabularies: Sequence[Vocabulary], *, version: str) -> dict[str, Any]:
    """The contract as plain data.

    Args:
        version: of the contract.
    """
    schemas = collect(vocabularies)
    messages, operations, acks = {}, {}, {}
    for vocabulary in vocabularies:
        for name, command in vocabulary.commands.items():
            key = f"{vocabulary.key}.{slug(name)}"
            messages[key] = _message(name, _command_words(command), vocabulary)
            if command.payload is not None:
                messages[key]["payload"] = schemas.of(vocabulary, command.payload)
            if command.example is not None:
                messages[key]["examples"] = [{"payload": dict(command.example)}]
            operations[f"receive.{key}"] = _operation("receive", key, vocabulary)
            if command.ack is not None:
                acks[key] = _ack(name, command, vocabulary, schemas)
                operations[f"receive.{key}"]["reply"] = {
                    "channel": _reference("channels", "acks"),
                    "messages": [_reference("channels", "acks", "messages", key)],
                }
        for name, event in vocabulary.events.items():
            key = f"{vocabulary.key}.{slug(name)}"
            if key in messages:  # one name both ways
                key += ".answer"
            messages[key] = _message(name, _event_words(event), vocabulary)
            if event.payload is not None:
                messages[key]["payload"] = schemas.of(vocabulary, event.payload)
            operations[f"send.{key}"] = _operation("send", key, vocabulary)
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "ReadRealm",
            "version": version,
            "description": INTRODUCTION,
            "tags": [
                {"name": each.key, "description": f"{each.title}. {each.summary}"}
                for each in vocabularies
            ],
        },
        "defaultContentType": "application/json",
        "servers": {
            "readrealm": {
                "host": "localhost:8000",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "Socket.IO 5 over Engine.IO 4, WebSocket or long-polling.",
            }
        },
        "channels": {
            "socket": {
                "address": "/",
                "description": "The default namespace.",
                "messages": {key: _reference("components", "messages", key) for key in messages},
            },
            "acks": {
                "address": None,
                "description": "Acknowledgements, to the callback of the command.",
                "messages": {
                    key: _reference("components", "messages", f"{key}.ack") for key in acks
                },
            },
        },
        "operations": operations,
        "components": {
            "messages": {**messages, **{f"{key}.ack": ack for key, ack in acks.items()}},
            "schemas": schemas.components,
        },
    }


def as_yaml(vocabularies: Sequence[Vocabulary], *, version: str) -> str:
    """The document as it is committed."""
    text: str = yaml.dump(
        document(vocabularies, version=version),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )
    return HEAD + text


def slug(name: str) -> str:
    """An event's name as a key of the document, where a colon may not stand."""
    return re.sub(r"[^A-Za-z0-9_]", "-", name)


def _message(name: str, summary: str, vocabulary: Vocabulary) -> dict[str, Any]:
    message: dict[str, Any] = {"name": name, "title": name}
    if summary:
        message["description"] = summary
    return {**message, "tags": [{"name": vocabulary.key}]}


def _ack(name: str, command: Command, vocabulary: Vocabulary, schemas: Schemas) -> dict[str, Any]:
    answers: list[Schema] = [schemas.of(vocabulary, command.ack)]
    if vocabulary.refusal is not None:
        answers.append(schemas.of(vocabulary, vocabulary.refusal))
    payload = answers[0] if len(answers) == 1 else {"oneOf": answers}
    return {"name": name, "title": f"acknowledgement of {name}", "payload": payload}


def _operation(action: str, key: str, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "action": action,
        "channel": _reference("channels", "socket"),
        "messages": [_reference("channels", "socket", "messages", key)],
        "tags": [{"name": vocabulary.key}],
    }


def _reference(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _command_words(command: Command) -> str:
    parts = [words(command.payload) if command.payload is not None else ""]
    if command.senders is not Senders.ANYBODY:
        parts.append(f"Sent by {command.senders.value}.")
    if command.causes:
        parts.append("Followed by " + ", ".join(f"`{name}`" for name in command.causes) + ".")
    return "\n\n".join(filter(None, parts))


def _event_words(event: Event) -> str:
    own = event.summary or (words(event.payload) if isinstance(event.payload, type) else "")
    return "\n\n".join(filter(None, [own, f"Heard by {event.receivers.value}."]))
