from typing import Literal

from msgspec import UNSET, UnsetType

from readrealm.contract.schemas import collect, field_words, flowing
from readrealm.kernel.vocabulary import Command, Event, Receivers, Vocabulary
from readrealm.kernel.wire import Contract


class Leaf(Contract, frozen=True, kw_only=True):
    """A page of paper, on
    both sides.

    It is thin.
    """

    page_number: int
    """From 1, counted
    as printed."""
    is_torn: bool = False
    note: str | UnsetType = UNSET


class Turn(Contract, frozen=True, kw_only=True):
    """Turn the page."""

    back: bool = False


class Refused(Contract, frozen=True, kw_only=True):
    """No."""

    ok: Literal[False] = False


def other_refused():
    class Refused(Contract, frozen=True, kw_only=True):
        """Not now."""

        later: bool = True

    return Refused


def vocabulary(key, refusal=Refused):
    return Vocabulary(
        key=key,
        title="Leaves",
        summary="",
        commands={"turn": Command(payload=Turn, ack=Leaf)},
        events={"leaves": Event(payload=list[Leaf], receivers=Receivers.ROOM)},
        refusal=refusal,
    )


def test_a_text_of_the_source_flows_again():
    assert flowing("One\n    line.\n\n    Another ``word``.\n") == "One line.\n\nAnother `word`."


def test_words_under_a_field_are_its_description():
    assert field_words(Leaf) == {"page_number": "From 1, counted as printed."}

    (leaf,) = (collect([vocabulary("a")]).components[name] for name in ["Leaf"])
    assert leaf["properties"]["pageNumber"]["description"] == "From 1, counted as printed."
    assert leaf["description"] == "A page of paper, on both sides.\n\nIt is thin."


def test_what_is_told_always_has_what_has_a_default():
    components = collect([vocabulary("a")]).components

    assert components["Leaf"]["required"] == ["pageNumber", "isTorn"]


def test_what_is_asked_may_leave_out_what_has_a_default():
    assert not collect([vocabulary("a")]).components["Turn"].get("required")


def test_a_name_that_two_vocabularies_use_for_one_type_stays():
    assert "Leaf" in collect([vocabulary("a"), vocabulary("b")]).components


def test_a_name_that_two_vocabularies_use_for_two_types_tells_them_apart():
    first, second = vocabulary("a"), vocabulary("b", other_refused())
    schemas = collect([first, second])

    assert {"ARefused", "BRefused"} <= set(schemas.components)
    assert schemas.of(second, second.refusal) == {"$ref": "#/components/schemas/BRefused"}
