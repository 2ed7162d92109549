import json

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from readrealm.contract.reference import reference
from readrealm.kernel.wire import parse
from readrealm.templatetags.contract import prose

SPOKEN = [import_string(path) for path in settings.VOCABULARIES]
EXAMPLES = [
    (name, command)
    for vocabulary in SPOKEN
    for name, command in vocabulary.commands.items()
    if command.example is not None
]


@pytest.mark.parametrize(("name", "command"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_what_the_server_takes(name, command):
    parse(command.payload, command.example)


def test_every_command_that_carries_something_has_an_example():
    bare = [
        name
        for vocabulary in SPOKEN
        for name, command in vocabulary.commands.items()
        if command.payload is not None and command.example is None
    ]
    assert bare == []


def test_a_command_is_shown_with_all_that_a_client_needs():
    (join,) = (
        entry for entry in reference(SPOKEN).chapters[0].commands if entry.name == "joinRoom"
    )

    assert join.answer == "Joined | RoomsRefused"
    assert join.causes == ("previousMessages", "userJoined")
    assert json.loads(join.example)["bookId"]
    book, user, _ = join.fields
    assert (book.name, book.type, book.is_required) == ("bookId", "number", True)
    assert book.limits == "1 to 9007199254740991"
    assert user.limits.endswith("characters")


def test_words_of_the_source_are_text_and_nothing_else():
    assert prose("a `b` <c>\n\nd") == "<p>a <code>b</code> &lt;c&gt;</p><p>d</p>"
