import pytest

from speech.companion.sentences import LONGEST, SentenceCutter, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "Mr. Dodgson met Mrs. Liddell. They spoke.",
            ["Mr. Dodgson met Mrs. Liddell.", "They spoke."],
        ),
        ("He said no. Then he left.", ["He said no.", "Then he left."]),
        ("It was I. Nobody else.", ["It was I.", "Nobody else."]),
        ("By H. Melville. Read it.", ["By H. Melville.", "Read it."]),
        ("“Off with her head!” She ran.", ["“Off with her head!”", "She ran."]),
        ("Wait... what? Yes.", ["Wait...", "what?", "Yes."]),
        ("It costs 3.50 today. Good.", ["It costs 3.50 today.", "Good."]),
        ("no end", ["no end"]),
        ("  spaces\n\nand   lines.  ", ["spaces and lines."]),
        ("", []),
    ],
)
def test_text_is_cut_where_a_reader_would_breathe(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize("size", [1, 2, 5])
def test_it_does_not_matter_how_the_text_arrives(size):
    text = "Call me Ishmael. Some years ago, said Mr. Starbuck, never mind! How long? Precisely."
    cutter = SentenceCutter()
    found = [
        sentence
        for at in range(0, len(text), size)
        for sentence in cutter.feed(text[at : at + size])
    ]
    assert [*found, *cutter.rest()] == sentences(text)


def test_a_sentence_is_given_as_soon_as_it_has_ended():
    cutter = SentenceCutter()
    assert cutter.feed("Call me Ishmael.") == []  # it might be 3.50
    assert cutter.feed(" Some") == ["Call me Ishmael."]


def test_a_sentence_without_end_is_cut_at_a_pause():
    text = "and the sea, " * 100
    parts = sentences(text)
    assert all(len(part) <= LONGEST for part in parts)
    assert all(part.endswith(",") for part in parts)
    assert " ".join(parts) == text.strip()


def test_a_word_without_end_is_cut_as_well():
    assert max(map(len, sentences("x" * 1_000))) <= LONGEST
