"""What may be said in text that people send: trimming, and the characters that are refused."""

import unicodedata

from readrealm.kernel.errors import InvalidInput

_ALLOWED_CONTROLS = frozenset("\n\t")


MOST_SHRINKING = 4
"""Characters that become one at most: so many has the longest decomposition into normal form D."""


def clean(text: str, *, name: str, longest: int) -> str:
    """Text as it is kept: line ends unified, trimmed, in Unicode normal form C.

    Args:
        name: the field, for the message of the refusal.
        longest: the most characters that are kept, counted after trimming.

    Raises:
        InvalidInput: nothing is left, too much is left, or a character that is refused (NUL,
            a control character other than newline and tab, an unpaired surrogate).
    """
    text = text.strip()
    # Only what can still be short enough: the time of normalization grows with the square of a
    # run of combining marks.
    if len(text) <= MOST_SHRINKING * longest:
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    if not text:
        raise InvalidInput(f"{name} must not be empty")
    if len(text) > longest:
        raise InvalidInput(f"{name} must have at most {longest} characters")
    if any(is_refused(character) for character in text):
        raise InvalidInput(f"{name} must not have control characters")
    return text


def is_refused(character: str) -> bool:
    """Whether a character never belongs into text of a reader."""
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in _ALLOWED_CONTROLS
