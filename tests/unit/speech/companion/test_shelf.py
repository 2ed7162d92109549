"""Which books are on disk, as the library writes them and as a page asks."""

from pathlib import Path

import numpy as np
import pytest

from readrealm.kernel.errors import InvalidInput
from speech.companion.passages import Library
from speech.companion.shelf import Holding, holding, index_path, text_path

TEXT = ("It was the whiteness of the whale that above all things appalled me. " * 40).encode()


class Embedder:
    def embed(self, texts):
        return np.ones((len(texts), 4), np.float32) / 2


def test_a_book_that_the_library_has_is_ready(tmp_path: Path):
    Library(tmp_path / "books", Embedder()).add(2701, TEXT)

    assert holding(tmp_path / "books", 2701) is Holding.INDEX
    assert holding(tmp_path / "books", 11) is Holding.NOTHING


def test_a_text_without_its_index_is_not_ready(tmp_path: Path):
    Library(tmp_path, Embedder()).add(2701, TEXT)
    index_path(tmp_path, 2701).unlink()

    assert holding(tmp_path, 2701) is Holding.TEXT


def test_where_there_is_no_folder_there_is_no_book(tmp_path: Path):
    assert holding(tmp_path / "none", 1) is Holding.NOTHING
    assert holding(tmp_path / "none", 2**53 - 1) is Holding.NOTHING


@pytest.mark.parametrize("wrong", [0, -1, 2**53, True])
def test_an_id_that_is_none_names_no_file(tmp_path: Path, wrong: int):
    for path in (text_path, index_path, holding):
        with pytest.raises(InvalidInput):
            path(tmp_path, wrong)
