"""Twenty questions about two books, and where in the text the answer stands.

Written before any search was run, from knowledge of the books; the scores of a search are
no reason to change them. An answer counts as found when a passage that the search returns
contains one of the quotations. The quotations are compared with white space folded.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    book: str
    """File name in the folder of test books."""
    text: str
    answers: tuple[str, ...]
    """Quotations; any one of them marks a passage that answers."""


ALICE = "11.txt"
WHALE = "2701.txt"

QUESTIONS = (
    Question(
        ALICE,
        "Why did Alice run after the White Rabbit?",
        ("burning with curiosity",),
    ),
    Question(
        ALICE,
        "What was written on the label of the little bottle?",
        ("beautifully printed on it in large letters",),
    ),
    Question(
        ALICE,
        "What did Alice give as prizes after the caucus race?",
        ("pulled out a box of comfits",),
    ),
    Question(
        ALICE,
        "What happened to Alice when she ate the pieces of the mushroom?",
        ("it had struck her foot", "immense length of neck"),
    ),
    Question(
        ALICE,
        "What did the Duchess's baby turn into?",
        ("neither more nor less than a pig",),
    ),
    Question(
        ALICE,
        "What was left of the Cheshire Cat when it vanished slowly?",
        ("ending with the grin",),
    ),
    Question(
        ALICE,
        "Why is it always tea time for the Hatter?",
        ("always six o’clock now", "always tea-time"),
    ),
    Question(
        ALICE,
        "Which animals served as balls and mallets in the Queen's croquet game?",
        ("live hedgehogs",),
    ),
    Question(
        ALICE,
        "Why were the gardeners painting the roses?",
        ("RED rose-tree",),
    ),
    Question(
        ALICE,
        "What lessons did the Mock Turtle have at school?",
        ("Reeling and Writhing",),
    ),
    Question(
        WHALE,
        "What reward does Ahab promise to the man who first sees the white whale?",
        ("white-headed whale with a wrinkled brow",),
    ),
    Question(
        WHALE,
        "How did Captain Ahab lose his leg?",
        ("reaped away Ahab", "dismasted me", "devoured, chewed up"),
    ),
    Question(
        WHALE,
        "Why does Ishmael go to sea?",
        ("drizzly November",),
    ),
    Question(
        WHALE,
        "What is the harpooneer trying to sell in the streets of New Bedford?",
        ("New Zealand heads", "sell his head"),
    ),
    Question(
        WHALE,
        "What happened to Pip when he was left alone in the sea?",
        ("jeeringly kept",),
    ),
    Question(
        WHALE,
        "Why did Queequeg want a coffin made like a canoe?",
        ("buried in his hammock",),
    ),
    Question(
        WHALE,
        "What did Father Mapple do with the ladder after he had climbed into the pulpit?",
        ("ladder step by step",),
    ),
    Question(
        WHALE,
        "What did the captain of the Rachel ask of Ahab?",
        ("my own boy is among them",),
    ),
    Question(
        WHALE,
        "What is ambergris like and what is it used for?",
        ("soft, waxy",),
    ),
    Question(
        WHALE,
        "How was Ishmael saved when the Pequod went down?",
        ("Buoyed up by that coffin",),
    ),
)
