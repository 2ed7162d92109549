import pytest

from speech.interviews.negation import read, starts_with_pronoun


def heads(sentence):
    return [word.text for word in read(sentence) if word.head]


def denied(sentence):
    return [word.text for word in read(sentence) if word.denied and word.full]


@pytest.mark.parametrize(
    ("sentence", "head"),
    [
        ("threads do not share memory", ["share"]),
        ("threads don't share memory", ["share"]),
        ("a lock is never really released", ["released"]),
        ("there is no shared memory", ["shared"]),
        ("no lock is kept", []),
        ("not only is it fast", []),
        ("it is not necessarily stable", []),
        ("the name is not in the inode", []),
        ("threads have no stack of their own", ["stack"]),
        ("they do not have their own stack", []),
        ("it does not need to be unique", ["unique"]),
        ("it fails to commit", ["commit"]),
        ("if it does not commit", []),
        ("without a lock it does not commit", []),
    ],
)
def test_the_head_of_a_negation_is_what_it_is_about(sentence, head):
    assert heads(sentence) == head


def test_a_negation_ends_with_its_clause():
    assert denied("it does not lock tables but rows, and waits") == ["lock", "tables"]


@pytest.mark.parametrize("link", ["rather than", "instead of", "without"])
def test_what_is_left_aside_is_not_stated_but_is_no_head_either(link):
    sentence = f"it copies the page {link} sharing it"

    assert (heads(sentence), denied(sentence)) == ([], ["sharing"])


def test_a_negation_reaches_only_so_far():
    assert denied("never one two three four five six seven")[-1] == "six"


def test_asking_for_something_is_told_from_denying_it():
    [word] = [word for word in read("the class must not leak") if word.head]

    assert (word.text, word.asked) == ("leak", True)


def test_a_pronoun_stands_for_whom_the_clause_before_was_about():
    words = {word.text: word for word in read("a primary key identifies rows and it is unique")}

    assert words["unique"].before == {"primari", "key"}
    assert starts_with_pronoun(["and", "it", "is"])
    assert not starts_with_pronoun(["and", "locks", "its"])


def test_nothing_is_read_from_nothing():
    assert read("") == []
