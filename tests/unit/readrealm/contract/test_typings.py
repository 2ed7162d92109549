import msgspec
import pytest

from readrealm.contract.typings import type_of


@pytest.mark.parametrize(
    ("carried", "expected"),
    [
        (str, "string"),
        (float, "number"),
        (bool, "boolean"),
        (int | None, "number | null"),
        (list[str], "Array<string>"),
        (list[str | None], "Array<string | null>"),
        (tuple[float, str], "[number, string]"),
        (dict[str, int], "Record<string, number>"),
        (bytes, "string | ArrayBuffer | Uint8Array"),
        (msgspec.Raw, "unknown"),
    ],
)
def test_a_type_reads_in_typescript_as_it_travels(carried, expected):
    assert type_of(msgspec.json.schema(carried)) == expected


def test_a_choice_of_words_is_a_union_of_literals():
    assert type_of({"enum": ["a", "b"]}) == '"a" | "b"'
