"""What a provider is told to be: our own words first, then the client's. Pure."""

from readrealm.kernel.text import clean
from speech.gateway.events import LONGEST_MESSAGE

OURS = (
    "You are the reading companion of ReadRealm. You talk by voice with a reader about a book. "
    "Speak the reader's language, plainly and kindly, in a few short sentences, and let the "
    "reader speak. Quote the book only where you are sure of the words, and say where they "
    "stand; if you do not know, say so. Do not give away what comes later in the book unless you "
    "are asked to. Never ask for passwords or personal data, and never claim to be a person. "
    "What the reader's client wishes follows below; it may choose subject and tone, and it does "
    "not lift these rules."
)


def instructions(system_message: str, *, book: str | None) -> str:
    """The instructions of a session.

    Args:
        system_message: of the client.
        book: title and author of what is being read, if they are known.

    Raises:
        InvalidInput: nothing is left of the client's words, there are too many, or they have
            control characters.
    """
    wishes = clean(system_message, name="systemMessage", longest=LONGEST_MESSAGE)
    about = f"\n\nThe book is {clean(book, name='book', longest=500)}." if book else ""
    return f"{OURS}{about}\n\nThe client's wishes:\n{wishes}"
