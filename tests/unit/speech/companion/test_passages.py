import threading

import numpy as np
import pytest

from readrealm.kernel.errors import InvalidInput, NotFound, PayloadTooLarge
from speech.companion.passages import MAX_BOOK_BYTES, Library, NotIndexed

THEMES = ("whale", "garden", "candle")


class ThemeEmbedder:
    """Knows three themes; a text is a mixture of them."""

    def __init__(self):
        self.texts = 0

    def embed(self, texts):
        self.texts += len(texts)
        counts = [[text.count(theme) + 0.01 for theme in THEMES] for text in texts]
        vectors = np.array(counts, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def source(extra: str = "") -> bytes:
    parts = (
        f"CHAPTER {number}. On {theme}s\n\n" + f"Here the {theme} is spoken of at length. " * 40
        for number, theme in enumerate(THEMES, start=1)
    )
    return ("Title: Three Themes\n\n" + "\n\n".join(parts) + extra).encode()


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "books", ThemeEmbedder(), model="themes")


def test_the_best_passage_comes_first_and_says_where_it_stands(library):
    library.add(7, source())
    best, *_ = library.search(7, "Tell me of the garden")
    assert (best.book_id, best.title, best.chapter) == (7, "Three Themes", "CHAPTER 2. On gardens")
    assert "garden" in best.passage.text
    assert 0.3 < best.passage.share < 0.7
    assert best.similarity > 0.99


def test_progress_is_told_from_the_beginning_to_the_end(library):
    told = []
    book = library.add(7, source(), lambda done, of: told.append((done, of)))
    assert told[0] == (0, len(book.passages))
    assert told[-1] == (len(book.passages), len(book.passages))


def test_an_index_is_built_once_and_kept(library, tmp_path):
    library.add(7, source())
    again = ThemeEmbedder()
    other = Library(tmp_path / "books", again, model="themes")
    assert other.search(7, "candle")[0].chapter == "CHAPTER 3. On candles"
    assert again.texts == 1  # the question
    assert other.refresh(7) is False


def test_a_book_that_is_replaced_is_searched_anew(library):
    library.add(7, source())
    library.search(7, "whale")
    library.add(7, source("\n\nCHAPTER 4. More whales\n\n" + "whale " * 300))
    assert library.search(7, "whale")[0].chapter in (
        "CHAPTER 1. On whales",
        "CHAPTER 4. More whales",
    )
    assert library.is_indexed(7)


def test_another_model_needs_another_index(library, tmp_path):
    library.add(7, source())
    other = Library(tmp_path / "books", ThemeEmbedder(), model="newer")
    with pytest.raises(NotIndexed):
        other.search(7, "whale")
    assert other.refresh(7) is True
    assert other.search(7, "whale")


def test_a_text_without_an_index_is_not_a_missing_book(library, tmp_path):
    library.add(7, source())
    (tmp_path / "books" / "7.npz").unlink()
    assert library.has_text(7)
    with pytest.raises(NotIndexed):
        library.search(7, "whale")
    with pytest.raises(NotFound) as missing:
        library.search(8, "whale")
    assert not isinstance(missing.value, NotIndexed)
    with pytest.raises(NotFound):
        library.refresh(8)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + bytes(50)])
def test_a_damaged_index_is_not_believed_and_can_be_built_again(library, tmp_path, content):
    library.add(7, source())
    (tmp_path / "books" / "7.npz").write_bytes(content)
    with pytest.raises(NotIndexed):
        library.search(7, "whale")
    assert library.refresh(7) is True
    assert library.search(7, "whale")


@pytest.mark.parametrize("book_id", [0, -1, 2**53, True])
def test_an_id_is_a_whole_number_and_never_a_path(library, book_id):
    with pytest.raises(InvalidInput):
        library.add(book_id, source())


def test_what_is_no_book_replaces_none(library):
    library.add(7, source())
    with pytest.raises(InvalidInput):
        library.add(7, b"nothing of interest")
    with pytest.raises(PayloadTooLarge):
        library.add(7, bytes(MAX_BOOK_BYTES + 1))
    assert library.search(7, "whale")[0].title == "Three Themes"


def test_texts_in_the_encoding_of_old_are_read(library):
    old = (
        source("\n\nCHAPTER 4. Café\n\n" + "The whale said “oui”. " * 60).decode().encode("cp1252")
    )
    assert library.add(7, old).chapters[-1] == "CHAPTER 4. Café"


def test_books_are_listed_in_order(library):
    assert library.books() == []
    for book_id in (11, 2, 2701):
        library.add(book_id, source())
    assert library.books() == [2, 11, 2701]


def test_two_who_add_the_same_book_do_not_disturb_each_other(library):
    threads = [threading.Thread(target=library.add, args=(7, source())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert library.is_indexed(7)
    assert library.search(7, "whale")
