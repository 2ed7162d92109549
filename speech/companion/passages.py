"""The library: books on disk, and the passages of one that answer a question.

``<id>.txt`` is the text as it was given, ``<id>.npz`` its index: the passages and one
sentence embedding for each. The index names the text, the model and the layout that it was
made from, and is made anew when one of them changes. Files are replaced in one step, so a
reader sees the old one or the new one. Everything here blocks: call it from a thread.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from readrealm.kernel.errors import NotFound, PayloadTooLarge
from speech.companion import ranking
from speech.companion.books import Book, Passage, read_book
from speech.companion.lexical import LexicalIndex
from speech.companion.shelf import index_path, text_path

LAYOUT = "passages-1"
"""Changes whenever texts are cut or stored differently."""

MAX_BOOK_BYTES = 20_000_000
OPEN_BOOKS = 8
"""Indexes that are kept in memory; Moby Dick takes 6 MB."""

BATCH = 32

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Told how many passages of how many are done."""


class Embedder(Protocol):
    """Sentence embeddings: one normalised vector for each text."""

    def embed(self, texts: Sequence[str]) -> Vectors: ...


class NotIndexed(NotFound):
    """The text is here, its index is not."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that may answer."""

    book_id: int
    title: str
    chapter: str
    """The heading; empty where the book has none."""
    passage: Passage
    similarity: float
    """Cosine between question and passage, -1 to 1; unrelated text reaches about 0.3."""


class _Manifest(msgspec.Struct, frozen=True):
    layout: str
    model: str
    text_sha256: str


class _Stored(msgspec.Struct, frozen=True):
    manifest: _Manifest
    book: Book


@dataclass(frozen=True, slots=True)
class _Index:
    book: Book
    vectors: Vectors
    words: LexicalIndex
    chapters: NDArray[np.int32]
    """The chapter of each passage."""


@dataclass(slots=True)
class Library:
    """The books of one folder.

    Args:
        folder: created when the first book is added.
        embedder: the model behind the search.
        model: its name, kept with every index.
    """

    folder: Path
    embedder: Embedder
    model: str = "all-MiniLM-L6-v2"
    _open: "OrderedDict[tuple[int, int], _Index]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, book_id: int, source: bytes, progress: Progress = lambda done, of: None) -> Book:
        """Keep a book's text and build its index; a book that is already here is replaced.

        Raises:
            InvalidInput: the id is out of range, or this is not the text of a book.
            PayloadTooLarge: more than `MAX_BOOK_BYTES`.
        """
        text = _decoded(source)
        book = read_book(text)
        with self._writing(book_id):
            _replace(text_path(self.folder, book_id), source)
            self._build(book_id, source, book, progress)
        return book

    def has_text(self, book_id: int) -> bool:
        return text_path(self.folder, book_id).is_file()

    def is_indexed(self, book_id: int) -> bool:
        """Whether the index is there and was made from this text by this model."""
        try:
            stored, _ = _load(index_path(self.folder, book_id))
            source = text_path(self.folder, book_id).read_bytes()
        except (OSError, ValueError):
            return False
        return stored.manifest == self._manifest(source)

    def refresh(self, book_id: int, progress: Progress = lambda done, of: None) -> bool:
        """Build the index again if it is missing or out of date; whether that was so.

        Raises:
            NotFound: the text is not here.
        """
        if not self.has_text(book_id):
            raise NotFound("the text of this book is not here")
        with self._writing(book_id):
            if self.is_indexed(book_id):
                return False
            source = text_path(self.folder, book_id).read_bytes()
            self._build(book_id, source, read_book(_decoded(source)), progress)
        return True

    def books(self) -> list[int]:
        """The ids of all books with an index, in order."""
        names = (path.stem for path in self.folder.glob("*.npz"))
        return sorted(int(name) for name in names if name.isdecimal())

    def open(self, book_id: int) -> None:
        """Bring the index of a book into memory before anybody waits; raises as `search`."""
        self._index(book_id)

    def search(self, book_id: int, question: str, *, count: int = 3) -> list[Found]:
        """The passages that answer best, the best one first.

        Raises:
            NotFound: the text of the book is not here.
            NotIndexed: it is, but nobody has built its index yet.
        """
        index = self._index(book_id)
        vector = self.embedder.embed([question])[0]
        similarity = index.vectors @ vector
        scores = ranking.fused(similarity, index.words.scores(question))
        best = ranking.best_first(ranking.with_neighbours(scores, index.chapters))
        return [
            Found(
                book_id,
                index.book.title,
                index.book.chapters[index.book.passages[at].chapter],
                index.book.passages[at],
                float(similarity[at]),
            )
            for at in best[:count]
        ]

    def _build(self, book_id: int, source: bytes, book: Book, progress: Progress) -> None:
        texts = _searched(book)
        parts = []
        progress(0, len(texts))
        for at in range(0, len(texts), BATCH):
            parts.append(self.embedder.embed(texts[at : at + BATCH]))
            progress(min(at + BATCH, len(texts)), len(texts))
        vectors = np.concatenate(parts).astype(np.float32)
        stored = msgspec.json.encode(_Stored(self._manifest(source), book))
        buffer = io.BytesIO()
        np.savez(buffer, vectors=vectors, stored=np.frombuffer(stored, np.uint8))
        _replace(index_path(self.folder, book_id), buffer.getvalue())

    def _index(self, book_id: int) -> _Index:
        path = index_path(self.folder, book_id)
        try:
            key = (book_id, path.stat().st_mtime_ns)
        except FileNotFoundError:
            if self.has_text(book_id):
                raise NotIndexed("the text of this book has not been indexed yet") from None
            raise NotFound("the text of this book is not here") from None
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        index = self._opened(path)
        with self._lock:
            self._open[key] = index
            while len(self._open) > OPEN_BOOKS:
                self._open.popitem(last=False)
        return index

    def _opened(self, path: Path) -> _Index:
        try:
            stored, vectors = _load(path)
        except (OSError, ValueError):
            raise NotIndexed("the index of this book is damaged") from None
        if (stored.manifest.layout, stored.manifest.model) != (LAYOUT, self.model):
            raise NotIndexed("the index of this book was made by another version")
        words = LexicalIndex(_searched(stored.book))
        chapters = np.array([passage.chapter for passage in stored.book.passages], np.int32)
        return _Index(stored.book, vectors, words, chapters)

    def _manifest(self, source: bytes) -> _Manifest:
        return _Manifest(LAYOUT, self.model, hashlib.sha256(source).hexdigest())

    @contextlib.contextmanager
    def _writing(self, book_id: int) -> Iterator[None]:
        """Only one process builds the index of a book at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with text_path(self.folder, book_id).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _searched(book: Book) -> list[str]:
    """Passages as they are searched: behind the heading, which often names what they do not."""
    return [f"{book.chapters[passage.chapter]} {passage.text}" for passage in book.passages]


def _decoded(source: bytes) -> str:
    if len(source) > MAX_BOOK_BYTES:
        raise PayloadTooLarge(f"a book has at most {MAX_BOOK_BYTES} bytes")
    with contextlib.suppress(UnicodeDecodeError):
        return source.decode("utf-8-sig")
    # Older texts of the project are in the encoding of the Windows of their day.
    return source.decode("cp1252", "replace")


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step: a reader sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _load(path: Path) -> tuple[_Stored, Vectors]:
    """Raises ValueError or OSError for a file that cannot be used."""
    try:
        with np.load(path, allow_pickle=False) as content:
            stored = msgspec.json.decode(content["stored"].tobytes(), type=_Stored)
            vectors: Vectors = content["vectors"]
    except (KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise ValueError("not an index") from error
    if vectors.ndim != 2 or len(vectors) != len(stored.book.passages):
        raise ValueError("not an index")
    return stored, vectors
