"""JSON Schemas of everything the vocabularies carry, with the words that stand in the source."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import UnionType
from typing import Any, get_args

import msgspec

from readrealm.kernel.vocabulary import Vocabulary

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemas:
    """The types of several vocabularies under names that none of them shares with another."""

    components: dict[str, Schema]
    names: dict[tuple[str, Any], str]

    def of(self, vocabulary: Vocabulary, carried: Any) -> Schema:
        """The schema of what something of ``vocabulary`` carries."""
        if isinstance(carried, UnionType):  # msgspec has no union of untagged structs
            return {"oneOf": [self.of(vocabulary, each) for each in get_args(carried)]}
        schema, _ = _described([carried], _Naming(vocabulary.key, self.names))
        return schema[0]


@dataclass(frozen=True, slots=True)
class _Naming:
    key: str
    names: dict[tuple[str, Any], str]

    def __call__(self, struct: Any) -> str:
        return self.names[self.key, struct]


def collect(vocabularies: Sequence[Vocabulary]) -> Schemas:
    """Every type that ``vocabularies`` carry.

    A name that two vocabularies use for different types gets the vocabulary's key in front.
    """
    carried = {each.key: list(_structs_of(each)) for each in vocabularies}
    owners: dict[str, set[Any]] = {}
    for structs in carried.values():
        for struct in structs:
            owners.setdefault(struct.__name__, set()).add(struct)
    names = {
        (key, struct): (
            struct.__name__
            if len(owners[struct.__name__]) == 1
            else key.capitalize() + struct.__name__
        )
        for key, structs in carried.items()
        for struct in structs
    }
    components: dict[str, Schema] = {}
    for vocabulary in vocabularies:
        naming = _Naming(vocabulary.key, names)
        said = set(_reachable(_told(vocabulary)))
        asked = set(_reachable(_asked(vocabulary)))
        structs = carried[vocabulary.key]
        _, described = _described(structs, naming)
        for struct in structs:
            schema = described[naming(struct)]
            _explain(schema, struct)
            if struct in said and struct not in asked:
                _require_what_is_always_sent(schema, struct)
            components[naming(struct)] = schema
    return Schemas(components=dict(sorted(components.items())), names=names)


def words(struct: Any) -> str:
    """The docstring of a type, a line a paragraph; empty for one without."""
    return flowing(struct.__doc__ or "") if "__doc__" in vars(struct) else ""


def flowing(text: str) -> str:
    """A text of the source without the line breaks that its margin made."""
    paragraphs = inspect.cleandoc(text).replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _asked(vocabulary: Vocabulary) -> Iterator[Any]:
    yield from (each.payload for each in vocabulary.commands.values() if each.payload)


def _told(vocabulary: Vocabulary) -> Iterator[Any]:
    yield from (each.payload for each in vocabulary.events.values() if each.payload is not None)
    yield from (each.ack for each in vocabulary.commands.values() if each.ack is not None)
    if vocabulary.refusal:
        yield vocabulary.refusal


def _structs_of(vocabulary: Vocabulary) -> Iterator[Any]:
    yield from dict.fromkeys(_reachable([*_asked(vocabulary), *_told(vocabulary)]))


def _reachable(types: Iterable[Any]) -> Iterator[Any]:
    """Every struct inside ``types``, each before what is inside it."""
    waiting, seen = list(types), set()
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            if each not in seen:
                seen.add(each)
                yield each
                waiting += [field.type for field in msgspec.structs.fields(each)]
        else:
            waiting += get_args(each)


def _described(types: Sequence[Any], naming: _Naming) -> tuple[list[Schema], dict[str, Schema]]:
    """msgspec's schemas with names of our own."""
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE + "{name}")
    structs = {_msgspec_name(struct, components): struct for struct in _reachable(types)}
    renamed = {REFERENCE + old: REFERENCE + naming(struct) for old, struct in structs.items()}
    return (
        [_with_names(schema, renamed) for schema in schemas],
        {
            naming(struct): _with_names(components[old], renamed)
            for old, struct in structs.items()
            if old in components
        },
    )


def _msgspec_name(struct: Any, components: dict[str, Schema]) -> str:
    qualified = f"{struct.__module__}.{struct.__qualname__}".replace(".", "_")
    return qualified if qualified in components else struct.__name__


def _with_names(schema: Any, renamed: dict[str, str]) -> Any:
    if isinstance(schema, dict):
        return {
            key: renamed.get(value, value) if key == "$ref" else _with_names(value, renamed)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_with_names(each, renamed) for each in schema]
    if isinstance(schema, float) and schema.is_integer():
        # Types that are equal are one type to Python: 0 and 0.0 depend on what came first.
        return int(schema)
    return schema


def _explain(schema: Schema, struct: Any) -> None:
    """Put the words of the source into the schema: of the type, and of each field."""
    schema.pop("title", None)
    if description := words(struct):
        schema["description"] = description
    else:
        schema.pop("description", None)
    spellings = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    for owner in struct.__mro__:
        for name, text in field_words(owner).items():
            properties = schema.get("properties", {}).get(spellings.get(name, ""))
            if properties is not None and "$ref" not in properties:
                properties.setdefault("description", text)


@cache
def field_words(struct: Any) -> dict[str, str]:
    """The docstrings that stand under the fields of a class; a field without one is absent."""
    if struct.__module__ in ("builtins", "msgspec", "msgspec._core"):
        return {}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    except (OSError, TypeError):  # made at run time, so nothing stands under its fields
        return {}
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for statement, after in pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[statement.target.id] = flowing(after.value.value)
    return found


def _require_what_is_always_sent(schema: Schema, struct: Any) -> None:
    """What has a default may be left out by who asks, and is never left out by who tells."""
    if struct.__struct_config__.omit_defaults:
        return
    required = [
        field.encode_name
        for field in msgspec.structs.fields(struct)
        if field.default is not msgspec.UNSET
    ]
    if required:
        schema["required"] = required
