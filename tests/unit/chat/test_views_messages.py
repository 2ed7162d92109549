"""What readers wrote, as the page without scripts shows it."""

import html
import json
import re
from pathlib import Path

import pytest

from chat.templatetags.messages import linked, words

CASES = json.loads((Path(__file__).parent / "links.json").read_text())


@pytest.mark.parametrize(("text", "links"), CASES)
def test_addresses_are_found_as_they_were_meant(text: str, links: list[str]) -> None:
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', linked(text))

    assert [html.unescape(shown) for _, shown in found] == links
    assert [html.unescape(address) for address, _ in found] == links


@pytest.mark.parametrize("text", [text for text, _ in CASES] + ["<b>&\"'", "https://a.example/<i>"])
def test_nothing_of_the_text_is_lost_and_none_of_it_is_markup(text: str) -> None:
    shown = linked(text)

    assert html.unescape(re.sub(r"</?a\b[^>]*>", "", shown)) == text
    assert not re.search(r"<(?!/?a\b)", shown)


def test_readers_are_counted_in_words() -> None:
    assert [words(count) for count in (0, 1, 2)] == ["0 readers", "1 reader", "2 readers"]
