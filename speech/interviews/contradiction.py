"""Where an answer denies what it should state.

Sentence embeddings measure the topic of a text, not its truth: *threads do not share memory*
is close to *threads share memory*. This check reads both for negations and opposites.

It is a rule of thumb: it works on words near a negation and prefers to miss a contradiction
over accusing a right answer. It does not see a wrong fact without a negation or an opposite, a
denial in other words than the expected ones, irony, or a negation that is far away. It stays
silent where the answer also states what is expected, and in conditions (*if threads did not
share ...*).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speech.interviews.negation import Word, read, starts_with_pronoun
from speech.interviews.terms import stem

CONTEXT_WORDS = 10
"""How far around a denied word the words are looked for that show what it is about."""

SHARED_WORDS = 2
"""So many further words must be shared before two places speak of the same thing."""

SUBJECT_WORDS = 3
"""One of the first full words of a statement must have come up: who it is about."""

TOPIC_WORDS = 5
"""The first full words of an expected answer: they belong to each of its statements, for later
ones speak of them as *it*."""

CLAIM_WORDS = 3
"""A part between commas that has at least so many full words claims something of its own."""

PENALTY = 0.4
"""Each contradiction takes this share off what is left of a score."""

MOST_PENALTIES = 2

_SENTENCE_END = re.compile(r"[.!?;\n]+")
_TURNS = re.compile(r",?\s+(?=(?:but|however|whereas|although|though|while)\b)")
"""Where a sentence turns against itself."""

_SAME_CLAIM = re.compile(
    r"\s*(?:(?:and|or)\s+)?"
    r"(?:(?:has|have|is|are|can|may|must|will|do|does|which|who|that|so|where|when|as|for|by|in|on)\b"
    r"|(?!(?:the|a|an|its?|they|each|every|one|this|these)\b)\w+\s+(?:the|an?|its?|them|one)\b)"
)
"""How a part begins that goes on with the claim before the comma: with a link, or with a verb and
its object."""

_OPPOSITES = frozenset(
    frozenset(map(stem, pair))
    for pair in (
        ("always", "never"),
        ("increase", "decrease"),
        ("increase", "reduce"),
        ("fast", "slow"),
        ("faster", "slower"),
        ("unique", "duplicate"),
        ("mutable", "immutable"),
        ("static", "dynamic"),
        ("shared", "private"),
        ("shared", "separate"),
        ("visible", "hidden"),
        ("strong", "weak"),
        ("safe", "unsafe"),
        ("allowed", "forbidden"),
        ("smaller", "larger"),
        ("temporary", "permanent"),
        ("volatile", "permanent"),
        ("reliable", "unreliable"),
        ("true", "false"),
        ("internal", "external"),
        ("sorted", "unsorted"),
        ("accept", "reject"),
        ("succeed", "fail"),
    )
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A place in an answer, and the expected statement that it denies."""

    said: str
    expected: str


class _Statement:
    """One expected claim, as what it states and what it denies."""

    def __init__(self, text: str, *, topic: set[str], everywhere: set[str]) -> None:
        words = read(text)
        content = [word for word in words if word.full]
        self.text = text
        self._own = {word.stem for word in content}
        self._about = self._own | topic
        # A later statement speaks of the topic as "it"; with a noun in front it speaks of that.
        named = not starts_with_pronoun([word.text for word in words])
        self._who = self._own if named else self._about
        self._subject = {word.stem for word in content[:SUBJECT_WORDS]} | topic
        # Whom the statement is about is not what it states.
        first = content[0].stem if named and content else ""
        stated = {word.stem for word in content if not word.denied and not word.conditional}
        denied = {word.stem for word in content if word.denied}
        # Of "only the owner unlocks" a right answer denies that others do.
        restricts = any(word.text == "only" for word in words)
        self._states = set() if restricts else stated - denied - {first}
        self._denies = {word.stem for word in content if word.head} - stated
        self._everywhere = everywhere

    def is_about(self, word: Word, around: set[str], before: set[str]) -> bool:
        """Whether a word speaks of this claim, given the words around and before it.

        It does not if somebody else is in front of it, or if most of what follows it belongs to
        other claims of the expected answer.
        """
        others = self._everywhere - self._who
        return (
            len(around & self._about) >= SHARED_WORDS
            and not self._own.isdisjoint(around)
            and not self._subject.isdisjoint(around | before)
            and (not word.before or not self._who.isdisjoint(word.before))
            and word.before.isdisjoint(others)
            and len(word.onward - self._about & self._everywhere) <= len(word.onward & self._about)
        )

    def denied_by(self, word: Word) -> str | None:
        """What ``word`` denies of this claim: the key under which an answer might state it."""
        if word.head and word.stem in self._states - word.before:
            # "It must not leak a lock" asks for what is expected.
            return None if word.asked else word.stem
        if word.denied:
            return None
        if word.stem in self._denies:
            return _not(word.stem)
        return self._opposite(word.stem)

    def _opposite(self, said: str) -> str | None:
        """The stated word whose opposite was said, unless the expected answer has both."""
        if said in self._everywhere:
            return None
        return next((own for own in self._states if frozenset({said, own}) in _OPPOSITES), None)


def find_contradictions(answer: str, expected: str) -> list[Contradiction]:
    """Statements of ``expected`` that ``answer`` denies, each at most once, in order."""
    said = [place for sentence in _sentences(answer) for place in _places(read(sentence))]
    content = [word.stem for word in read(expected) if word.full]
    topic, everywhere = set(content[:TOPIC_WORDS]), set(content)
    statements = [
        _Statement(claim, topic=topic, everywhere=everywhere) for claim in _claims(expected)
    ]
    places = ((statement, _denial(said, statement)) for statement in statements)
    return [Contradiction(place, statement.text) for statement, place in places if place]


def penalty(contradictions: Sequence[Contradiction]) -> float:
    """What a score is multiplied with, 0 to 1; 1 without contradictions."""
    return float((1 - PENALTY) ** min(len(contradictions), MOST_PENALTIES))


@dataclass(frozen=True, slots=True)
class _Place:
    """A full word of an answer with its surroundings."""

    word: Word
    around: set[str]
    """Stems of the full words near it, without itself."""
    excerpt: str


def _places(sentence: Sequence[Word]) -> Iterator[_Place]:
    for index, word in enumerate(sentence):
        if word.full:
            near = _near(sentence, index, CONTEXT_WORDS)
            around = {other.stem for other in near if other.full} - {word.stem}
            shown = _near(sentence, index, CONTEXT_WORDS // 2)
            yield _Place(word, around, " ".join(other.text for other in shown))


def _near(sentence: Sequence[Word], index: int, reach: int) -> Sequence[Word]:
    return sentence[max(0, index - reach) : index + reach + 1]


def _denial(said: Sequence[_Place], statement: _Statement) -> str | None:
    """The words around the first place that denies the statement, unless another states it."""
    denials: dict[str, str] = {}
    stated: set[str] = set()
    before: set[str] = set()
    for place in said:
        word = place.word
        before.add(word.stem)
        if not statement.is_about(word, place.around, before):
            continue
        stated.add(_not(word.stem) if word.denied else word.stem)
        if denied := statement.denied_by(word):
            denials.setdefault(denied, place.excerpt)
    return next((excerpt for key, excerpt in denials.items() if key not in stated), None)


def _not(root: str) -> str:
    return f"not {root}"


def _sentences(text: str) -> Iterator[str]:
    return (part for part in _SENTENCE_END.split(text) if part.strip())


def _claims(expected: str) -> Iterator[str]:
    """Sentences, parted where they turn against themselves and at commas between claims."""
    for sentence in _sentences(expected):
        for turn in _TURNS.split(sentence):
            claim = ""
            for part in turn.split(","):
                if _is_claim(claim) and _is_claim(part) and not _SAME_CLAIM.match(part):
                    yield claim.strip()
                    claim = part
                else:
                    claim = f"{claim},{part}" if claim else part
            yield claim.strip()


def _is_claim(text: str) -> bool:
    return sum(word.full for word in read(text)) >= CLAIM_WORDS
