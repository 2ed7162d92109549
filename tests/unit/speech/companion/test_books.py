import pytest

from readrealm.kernel.errors import InvalidInput
from speech.companion.books import PASSAGE_WORDS, read_book
from tests.unit.speech.audio.recordings import SHARED, needs_books

PARAGRAPH = "The whale swam on. " * 12 + "\n\n"
HEAD = "Title: A Whale\n\nAuthor: Somebody\n\n*** START OF THE PROJECT GUTENBERG EBOOK ***\n\n"
TAIL = (
    "\n\nEnd of Project Gutenberg’s A Whale\n\n*** END OF THE PROJECT GUTENBERG EBOOK ***\n\nlaw\n"
)


def book(body: str):
    return read_book(HEAD + body + TAIL)


def chapters(headings: list[str]) -> str:
    return "".join(f"{heading}\n\n{PARAGRAPH * 3}" for heading in headings)


def test_what_was_added_before_and_behind_the_book_is_left_out():
    found = book(chapters(["CHAPTER I. One", "CHAPTER II. Two"]))
    text = " ".join(passage.text for passage in found.passages)
    assert (found.title, found.author) == ("A Whale", "Somebody")
    assert "Gutenberg" not in text
    assert "law" not in text
    assert found.chapters == ("CHAPTER I. One", "CHAPTER II. Two")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("Title: A Whale\n\nAuthor: Somebody\n", ("A Whale", "Somebody")),
        ("Title:\tA  Whale \nAuthor: Somebody\n", ("A Whale", "Somebody")),
        (
            "Title: A Whale;\n       or, the Sea\n       at Night\n",
            ("A Whale; or, the Sea at Night", ""),
        ),
        ("Title: A Whale\r\n       at Night\r\n", ("A Whale at Night", "")),
        ("Title:\n\nAuthor: Somebody\n", ("", "Somebody")),
        ("Title: A\0 Wh\x1bale\n", ("A Whale", "")),
        ("The Title: A Whale\n", ("", "")),
    ],
)
def test_title_and_author_are_those_of_the_head(head, told):
    found = read_book(f"{head}\n*** START OF THIS EBOOK ***\n\n{PARAGRAPH * 6}")
    assert (found.title, found.author) == told


@pytest.mark.parametrize(
    "headings",
    [
        ["CHAPTER I. Down the Rabbit-Hole", "CHAPTER II. The Pool of Tears"],
        ["Chapter 1", "Chapter 2"],
        ["CHAPTER ONE", "CHAPTER TWO"],
        ["LETTER I.", "LETTER II."],
        ["Prologue", "CHAPTER 1. Loomings.", "Epilogue"],
        ["STAVE ONE. Marley’s Ghost", "STAVE TWO. The First Spirit"],
    ],
)
def test_chapters_are_known_by_their_headings(headings):
    assert book(chapters(headings)).chapters == tuple(headings)


def test_the_contents_are_not_chapters():
    headings = [f"CHAPTER {number}. Title {number}." for number in range(1, 6)]
    contents = "".join(f"{heading}\n\n" for heading in headings)
    notes = "Notes of the transcriber.\n\n"
    assert book("CONTENTS\n\n" + contents + notes + chapters(headings)).chapters == tuple(headings)


def test_parts_stand_before_their_chapters():
    body = "PART I\n\n" + chapters(["CHAPTER I", "CHAPTER II"]) + "PART II\n\n"
    assert book(body + chapters(["CHAPTER I"])).chapters == (
        "PART I, CHAPTER I",
        "PART I, CHAPTER II",
        "PART II, CHAPTER I",
    )


def test_a_heading_may_go_on_in_the_next_line():
    body = "CHAPTER 56. Of Pictures, and the True\nPictures of Whaling Scenes.\n\n" + PARAGRAPH * 6
    assert book(body).chapters == (
        "CHAPTER 56. Of Pictures, and the True Pictures of Whaling Scenes.",
    )


def test_a_sentence_that_begins_like_a_heading_is_none():
    body = chapters(["CHAPTER I. One"]) + "Chapter two was dull, he said.\n\n" + PARAGRAPH * 3
    assert book(body).chapters == ("CHAPTER I. One",)


def test_a_book_without_headings_is_one_chapter():
    assert book(PARAGRAPH * 8).chapters == ("",)


def test_passages_are_whole_sentences_of_one_chapter():
    found = book(chapters(["CHAPTER I. One", "CHAPTER II. Two"]) * 3)
    for passage in found.passages:
        assert len(passage.text.split()) <= PASSAGE_WORDS
        assert passage.text.startswith("The whale")
        assert passage.text.endswith("on.")
    shares = [passage.share for passage in found.passages]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] < 1.0


def test_marks_of_the_printer_are_not_read_aloud():
    body = "CHAPTER I\n\n" + PARAGRAPH * 6 + "It was _very_ like a whale--indeed.\n\n* * * * *\n\n"
    text = book(body).passages[-1].text
    assert "It was very like a whale—indeed." in text
    assert "*" not in text


@pytest.mark.parametrize(
    "text", ["", "*** START OF X ***\n\nfew words\n\n*** END OF X ***", "\0" * 9]
)
def test_what_holds_no_book_is_refused(text):
    with pytest.raises(InvalidInput):
        read_book(text)


@needs_books
@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("11.txt", 12, "CHAPTER I. Down the Rabbit-Hole", "CHAPTER XII. Alice’s Evidence"),
        ("2701.txt", 135, "CHAPTER 1. Loomings.", "CHAPTER 135. The Chase.—Third Day."),
    ],
)
def test_real_books_have_the_chapters_that_they_have(name, count, first, last):
    found = read_book((SHARED / "books" / name).read_text("utf-8-sig"))
    numbered = [heading for heading in found.chapters if heading.startswith("CHAPTER")]
    assert (len(numbered), numbered[0], numbered[-1]) == (count, first, last)
    assert len(set(found.chapters)) == len(found.chapters)
