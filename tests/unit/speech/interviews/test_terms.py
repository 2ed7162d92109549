import concurrent.futures

import pytest

from speech.interviews.questions import Term
from speech.interviews.terms import Coverage, cover, stem, stems, tokens


def names(text, *wordings):
    return bool(cover(text, [Term(wordings[0], wordings[1:])]).found)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("It uses indexes.", "index"),
        ("normalizing the tables", "normalisation"),
        ("NORMALISATION", "normalized"),
        ("the behavior of objects", "behaviour"),
        ("by inversion of control", "invert control"[:6]),
        ("a dead lock happened", "deadlock"),
        ("a dead-lock happened", "deadlock"),
        ("deadlocks", "dead lock"),
        ("it has a foreign key", "foreign keys"),
        ("an s q l database", "SQL"),
        ("the naive cafe", "naïve café"),
        ("a user's lock", "users"),
        ("its conclusion", "conclude"),
        ("the reader's suspense", "suspended"),
    ],
)
def test_a_term_is_named_in_any_form_of_its_words(text, term):
    assert names(text, term)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("a clock", "lock"),
        ("locket", "lock"),
        ("the key is foreign", "foreign key"),
        ("a foreign primary key", "foreign key"),
        ("hash", "hash table"),
        ("keyboards", "key"),
        ("", "lock"),
    ],
)
def test_only_whole_words_in_their_order_name_a_term(text, term):
    assert not names(text, term)


def test_any_synonym_will_do():
    assert names("it is undone", "rollback", "roll back", "undone")


def test_coverage_is_the_share_of_terms_in_the_order_of_the_question():
    terms = [Term("lock"), Term("cascade"), Term("log", ("journal",))]

    assert cover("the journal has a lock", terms) == Coverage(("lock", "log"), ("cascade",))
    assert cover("the journal has a lock", terms).share == pytest.approx(2 / 3)
    assert cover("anything", []).share == 0


def test_tokens_are_plain_words():
    assert tokens("Don't — the B-tree's naïve_ROOT, №5!") == [
        "dont", "the", "b", "trees", "naive", "root", "no5",
    ]  # fmt: skip


def test_words_are_stemmed_alike_from_many_threads():
    words = [f"{prefix}{ending}" for prefix in ("lock", "commit", "index", "relat", "inherit")
             for ending in ("ing", "ed", "s", "ation", "able", "ness")] * 20  # fmt: skip
    stem.cache_clear()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = list(pool.map(stem, words))

    assert found == [stem(word) for word in words]
    assert stems("") == []
