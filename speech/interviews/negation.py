"""Which words of a sentence are denied. Reads words only; knows no grammar beyond clauses."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from speech.interviews.terms import stem, tokens

SCOPE_WORDS = 6
"""How far a negation reaches, unless its clause ends before."""

CLAUSE_WORDS = 12
"""How far a clause is looked at from any of its words: speech comes without commas."""

NAME_WORDS = 2
"""Full words by which a pronoun remembers whom it stands for."""

_PAUSE = re.compile(r"[,:()]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEGATIONS = _set(
    "not no never none nor neither cannot cant dont doesnt didnt isnt arent wasnt werent wont "
    "wouldnt couldnt hasnt havent hadnt neednt nothing nobody unable impossible "
    "lack lacks lacking fail fails failing"
)
_TWO_WORD_NEGATIONS = frozenset({("rather", "than"), ("instead", "of")})
"""What follows is left aside rather than denied: it counts neither as stated nor as a head."""

_NOT_REALLY = _set("only just merely simply necessarily always doubt matter")
"""*Not only*, *no doubt*: what follows is not denied."""

_PRESCRIPTIONS = _set("should must")

_PRONOUNS = _set("it its they their this that these both such")

_HEAD_ENDS = _set("own in on at by for from with of as than")
"""Between a negation and its head these show that the rest is denied, and not the head: *not in
the inode*, *no stack of its own*."""

_BEFORE_NO = _set("is are was were be has have had with")
"""*There is no lock* denies the lock; *no lock is kept* denies that it is kept."""

_CONDITIONS = _set("if unless when whenever suppose until lest otherwise")
_CLAUSE_ENDS = _set("but however whereas although though while because so and or")
_EMPTY = NEGATIONS | _set(
    "a an the this that these those it its they them their there he she his her we you i our "
    "your who whom whose which what of to in on at by for from with as into onto than then be "
    "is are was were been being am do does did done doing have has had having can could may "
    "might must shall should will would need needs let lets allow allows enable enables "
    "permit make makes made get gets mean means require requires cause causes use uses used "
    "using able any all each every some such other another one ones own more most very really "
    "actually ever also even still yet again too only just both same about up out over if "
    "when where how why because so and or but while whereas though although however like "
    "said say says thing things way ways called"
)


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    stem: str
    full: bool
    """Whether it carries meaning of its own."""
    denied: bool
    """Within the scope of a negation."""
    head: bool
    """The first full word after a negation: what the negation is about."""
    before: frozenset[str]
    """Stems of the full words before it in its clause, among them who it is about; where a
    pronoun stands for them, the first of the clause before."""
    onward: frozenset[str]
    """Stems of itself and of the full words after it in its clause."""
    conditional: bool
    """In a clause that says when something holds."""
    asked: bool
    """Denied by *must not* or *should not*, which asks for something."""


def read(sentence: str) -> list[Word]:
    """The words of one sentence. Conditions (*if it did not ...*) deny nothing."""
    words: list[Word] = []
    latest: frozenset[str] = frozenset()
    for part in _PAUSE.split(sentence):
        for clause in _clauses(tokens(part)):
            meant = latest if starts_with_pronoun(clause) else frozenset()
            words.extend(_read_clause(clause, meant))
            latest = _content([word for word in clause if _is_full(word)][:NAME_WORDS]) or latest
    return words


def _clauses(words: Sequence[str]) -> Iterator[Sequence[str]]:
    start = 0
    for index, word in enumerate(words):
        if word in _CLAUSE_ENDS:
            yield words[start:index]
            start = index
    yield words[start:]


def starts_with_pronoun(clause: Sequence[str]) -> bool:
    """Whether the clause speaks of what was named before it, perhaps after a conjunction."""
    return any(word in _PRONOUNS for word in clause[:2])


def _read_clause(clause: Sequence[str], latest: frozenset[str]) -> Iterator[Word]:
    conditional = excused = not _CONDITIONS.isdisjoint(clause)
    reach, head_is_next, asked = 0, False, False
    for index, text in enumerate(clause):
        full = _is_full(text)
        yield Word(
            text,
            stem(text),
            full,
            denied=reach > 0,
            head=full and head_is_next,
            before=_content(clause[max(0, index - CLAUSE_WORDS) : index]) | latest,
            onward=_content(clause[index : index + CLAUSE_WORDS]),
            conditional=conditional,
            asked=asked and reach > 0,
        )
        reach = max(0, reach - 1)
        head_is_next = head_is_next and reach > 0 and not full and text not in _HEAD_ENDS
        if text == "without":
            # What follows is absent, so that a later "not" speaks of the case without it.
            reach, head_is_next, excused = SCOPE_WORDS, False, True
        elif _negates(clause, index) and not excused:
            reach, head_is_next = SCOPE_WORDS, _denies_next(clause, index)
            asked = index > 0 and clause[index - 1] in _PRESCRIPTIONS


def _content(words: Sequence[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words if _is_full(word))


def _is_full(text: str) -> bool:
    return text not in _EMPTY and not text.isdigit()


def _negates(clause: Sequence[str], index: int) -> bool:
    previous = clause[index - 1] if index else ""
    following = clause[index + 1] if index + 1 < len(clause) else ""
    return following not in _NOT_REALLY and (
        clause[index] in NEGATIONS or (previous, clause[index]) in _TWO_WORD_NEGATIONS
    )


def _denies_next(clause: Sequence[str], index: int) -> bool:
    if clause[index] == "no":
        return index > 0 and clause[index - 1] in _BEFORE_NO
    return clause[index] in NEGATIONS
