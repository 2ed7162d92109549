"""A Project Gutenberg text as chapters and passages. Pure: text in, a `Book` out."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from readrealm.kernel.errors import InvalidInput
from speech.companion.sentences import sentences

PASSAGE_WORDS = 180
"""A minute of reading aloud, and as much as the embedding model reads at once."""

ENOUGH = 0.7
"""A passage that is so full ends with its paragraph."""

LONGEST_SENTENCE = 1_000
"""Characters; some sentences go on for pages."""

LEAST_WORDS = 200
"""A shorter text is not a book."""

_START = re.compile(r"^\*{3}\s*START OF .*$", re.MULTILINE | re.IGNORECASE)
_FINISH = re.compile(
    r"^(\*{3}\s*END OF|End of (the |this )?Project Gutenberg).*$", re.MULTILINE | re.IGNORECASE
)
# A field goes on in lines that are indented.
_FIELD_TEXT = r"[^\S\n]*(\S.*(?:\n[^\S\n]+\S.*)*)"
_TITLE = re.compile(rf"^Title:{_FIELD_TEXT}", re.MULTILINE)
_AUTHOR = re.compile(rf"^Author:{_FIELD_TEXT}", re.MULTILINE)

_NUMBER = r"(?:[IVXLCDM]+|\d+|ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE|TEN|THE \w+)"
_NUMBERED = re.compile(
    rf"(CHAPTER|LETTER|STAVE|CANTO|SCENE|ADVENTURE)\s+{_NUMBER}\b[.:—-]*\s*(.*)", re.IGNORECASE
)
_PART = re.compile(rf"(PART|BOOK|VOLUME|ACT)\s+{_NUMBER}\b[.:—-]*\s*(.*)", re.IGNORECASE)
_NAMED = re.compile(
    r"(PREFACE|INTRODUCTION|PROLOGUE|EPILOGUE|FOREWORD|AFTERWORD|CONCLUSION|APPENDIX|POSTSCRIPT"
    r"|ETYMOLOGY|EXTRACTS)\b[.: ]*(\(.*\))?\.?",
    re.IGNORECASE,
)
_LONGEST_HEADING = 160
_NOISE = re.compile(r"^[\s*_.·—-]*$|^\[Illustration.*\]$|^\s*THE END\.?\s*$", re.DOTALL)


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """A piece of one chapter, whole sentences of it, white space folded."""

    chapter: int
    """Index in `Book.chapters`."""
    text: str
    share: float
    """How much of the book lies before it, 0 to 1."""


class Book(msgspec.Struct, frozen=True):
    title: str
    """In one line; empty if the text does not tell, and so is `author`."""
    author: str
    chapters: tuple[str, ...]
    """Headings in order; the first one is empty if the book begins without a heading."""
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading and the paragraphs behind it."""

    heading: str
    paragraphs: tuple[str, ...]


def read_book(text: str) -> Book:
    """The book of a Project Gutenberg text, without what was added before and behind it.

    Raises:
        InvalidInput: hardly any text is left.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    chapters = [
        (section.heading, tuple(_pieces(section.paragraphs)))
        for section in _chapters(_paragraphs(_body(text)))
    ]
    if len(chapters) > 1:
        # Title page and transcriber's notes.
        chapters = [c for c in chapters if c[0] or _words(c[1]) >= LEAST_WORDS]
    if sum(_words(pieces) for _, pieces in chapters) < LEAST_WORDS:
        raise InvalidInput("the file does not hold the text of a book")
    return Book(
        title=_told(_TITLE, text),
        author=_told(_AUTHOR, text),
        chapters=tuple(heading for heading, _ in chapters),
        passages=tuple(_placed([pieces for _, pieces in chapters])),
    )


def _placed(chapters: list[tuple[str, ...]]) -> Iterator[Passage]:
    total = sum(len(piece) for pieces in chapters for piece in pieces)
    passed = 0
    for chapter, pieces in enumerate(chapters):
        for piece in pieces:
            yield Passage(chapter, piece, round(passed / total, 4))
            passed += len(piece)


def _words(pieces: tuple[str, ...]) -> int:
    return sum(len(piece.split()) for piece in pieces)


def _told(field: re.Pattern[str], text: str) -> str:
    match = field.search(text[:10_000])
    told = " ".join(match[1].split()) if match else ""
    return "".join(character for character in told if character.isprintable())


def _body(text: str) -> str:
    start = _START.search(text)
    body = text[start.end() :] if start else text
    finish = _FINISH.search(body)
    return body[: finish.start()] if finish else body


def _paragraphs(body: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", body):
        if not _NOISE.match(block):
            yield " ".join(block.replace("_", "").replace("--", "—").split())


def _chapters(paragraphs: Iterator[str]) -> Iterator[_Section]:
    """Sections with text. A heading without text stands in the contents, or opens a part."""
    sections = list(_sections(paragraphs))
    part = ""
    in_contents = False
    for at, section in enumerate(sections):
        repeated = any(later.heading == section.heading for later in sections[at + 1 :])
        is_part = bool(_PART.fullmatch(section.heading))
        # The last line of the contents has whatever follows the contents behind it.
        goes_on = in_contents and (repeated or not section.paragraphs)
        in_contents = goes_on or not (section.paragraphs or is_part)
        if is_part:
            part = section.heading
        if section.paragraphs:
            heading = section.heading
            named = heading if not part or heading == part else f"{part}, {heading}"
            yield _Section("" if in_contents else named, section.paragraphs)


def _sections(paragraphs: Iterator[str]) -> Iterator[_Section]:
    heading = ""
    for is_heading, group in itertools.groupby(paragraphs, _is_heading):
        if not is_heading:
            yield _Section(heading, tuple(group))
            heading = ""
            continue
        *alone, heading = group
        yield from (_Section(line, ()) for line in alone)
    if heading:
        yield _Section(heading, ())


def _is_heading(paragraph: str) -> bool:
    if len(paragraph) > _LONGEST_HEADING:
        return False
    numbered = _NUMBERED.fullmatch(paragraph) or _PART.fullmatch(paragraph)
    # "Chapter one was dull, he said" begins like a heading, but goes on in lower case.
    return bool(numbered and not numbered[2][:1].islower()) or bool(_NAMED.fullmatch(paragraph))


def _pieces(paragraphs: tuple[str, ...]) -> Iterator[str]:
    """Whole sentences, about `PASSAGE_WORDS` of them, ending with a paragraph where one ends."""
    piece: list[str] = []
    words = 0
    for paragraph in paragraphs:
        for sentence in sentences(paragraph, longest=LONGEST_SENTENCE):
            length = len(sentence.split())
            if piece and words + length > PASSAGE_WORDS:
                yield " ".join(piece)
                piece, words = [], 0
            piece.append(sentence)
            words += length
        if words >= PASSAGE_WORDS * ENOUGH:
            yield " ".join(piece)
            piece, words = [], 0
    if piece:
        yield " ".join(piece)
