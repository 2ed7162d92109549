"""Every page that somebody can reach: its address, who goes there, and which addresses are none.

The keys are the names of the URLconf, so that a new page is either here or fails a test.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

GUEST, READER, MODERATOR, OPERATOR = "guest", "reader", "moderator", "operator"
"""Without an account; with one; in the group of moderators; who may do everything."""


@dataclass(frozen=True, slots=True)
class Visit:
    """
    Attributes:
        path: with ``{book}``, ``{message}`` and so on for what is there to be visited.
    """

    path: str
    who: str = GUEST

    def __str__(self) -> str:
        return f"{self.who} at {self.path}"


def by_moderators(*paths: str) -> list[Visit]:
    return [Visit(f"/admin/{path}", MODERATOR) for path in paths]


def by_operators(*paths: str) -> list[Visit]:
    return [Visit(f"/admin/{path}", OPERATOR) for path in paths]


VISITS: Mapping[str, list[Visit]] = {
    "chat:catalogue": [
        Visit("/"),
        Visit("/", READER),
        Visit("/?q=whale"),
        Visit("/?q=nothing-has-this-name"),
    ],
    "chat:room": [
        Visit("/books/{book}/"),
        Visit("/books/{book}/", READER),
        Visit("/books/{book}/?before=30"),
    ],
    "accounts:login": [Visit("/accounts/login/")],
    "accounts:signup": [Visit("/accounts/signup/")],
    "contract:events": [Visit("/docs/events/")],
    "speech:talk": [Visit("/books/{book}/voice/"), Visit("/books/{book}/voice/", READER)],
    "speech:session": [Visit("/voice/"), Visit("/voice/", READER)],
    "speech:interviews": [Visit("/interviews/"), Visit("/interviews/", READER)],
    "speech:interview-live": [
        Visit("/interviews/live/?questions=3&answer=writing"),
        Visit("/interviews/live/", READER),
        Visit("/interviews/live/?questions=many"),
    ],
    "speech:interview-result": [
        Visit("/interviews/{spoken}/", READER),
        Visit("/interviews/{silent}/", READER),
    ],
    "admin:login": [Visit("/admin/login/")],
    "admin:index": by_moderators(""),
    "admin:app_list": by_moderators("chat/"),
    "admin:password_change": by_moderators("password_change/"),
    "admin:chat_chatmessage_changelist": by_moderators(
        "chat/chatmessage/",
        "chat/chatmessage/?state=hidden",
        "chat/chatmessage/?q=nobody-said-this",
    ),
    "admin:chat_chatmessage_change": by_moderators("chat/chatmessage/{message}/change/"),
    "admin:chat_chatmessage_history": by_moderators("chat/chatmessage/{message}/history/"),
    "admin:chat_chatmessage_review": by_moderators("chat/chatmessage/review/"),
    "admin:chat_chatmessage_reader": by_moderators("chat/chatmessage/reader/?id={guest}&guest=1"),
    "admin:chat_imposedsanction_changelist": by_moderators("chat/imposedsanction/"),
    "admin:chat_imposedsanction_change": by_moderators("chat/imposedsanction/{sanction}/change/"),
    "admin:chat_imposedsanction_history": by_moderators("chat/imposedsanction/{sanction}/history/"),
    "admin:chat_moderatoract_history": by_moderators("chat/moderatoract/{act}/history/"),
    "admin:chat_moderatoract_changelist": by_moderators("chat/moderatoract/"),
    "admin:chat_moderatoract_change": by_moderators("chat/moderatoract/{act}/change/"),
    "admin:chat_watchword_changelist": by_moderators("chat/watchword/"),
    "admin:chat_watchword_add": by_moderators("chat/watchword/add/"),
    "admin:chat_watchword_change": by_moderators("chat/watchword/{word}/change/"),
    "admin:chat_watchword_delete": by_moderators("chat/watchword/{word}/delete/"),
    "admin:chat_watchword_history": by_moderators("chat/watchword/{word}/history/"),
    "admin:chat_book_changelist": by_moderators("chat/book/"),
    "admin:chat_book_add": by_moderators("chat/book/add/"),
    "admin:chat_book_change": by_moderators("chat/book/{book}/change/"),
    "admin:chat_book_history": by_moderators("chat/book/{book}/history/"),
    "admin:speech_voicesessionrecord_changelist": by_operators("speech/voicesessionrecord/"),
    "admin:speech_voicesessionrecord_change": by_operators(
        "speech/voicesessionrecord/{session}/change/"
    ),
    "admin:speech_interviewresult_changelist": by_operators("speech/interviewresult/"),
    "admin:speech_interviewresult_change": by_operators("speech/interviewresult/{result}/change/"),
    "admin:speech_interviewquestion_changelist": by_operators("speech/interviewquestion/"),
    "admin:speech_interviewquestion_add": by_operators("speech/interviewquestion/add/"),
    "admin:speech_interviewquestion_change": by_operators(
        "speech/interviewquestion/{question}/change/"
    ),
    "admin:speech_interviewquestion_import": by_operators("speech/interviewquestion/import/"),
    "admin:speech_interviewtopic_changelist": by_operators("speech/interviewtopic/"),
    "admin:speech_interviewtopic_change": by_operators("speech/interviewtopic/{topic}/change/"),
    "admin:speech_interviewsubtopic_changelist": by_operators("speech/interviewsubtopic/"),
    "admin:speech_interviewsubtopic_change": by_operators(
        "speech/interviewsubtopic/{subtopic}/change/"
    ),
    "admin:speech_interviewconcept_changelist": by_operators("speech/interviewconcept/"),
    "admin:speech_interviewconcept_change": by_operators(
        "speech/interviewconcept/{concept}/change/"
    ),
}
"""By the name of the address."""

DJANGOS_OWN: Mapping[str, str] = {
    "#changelist-search": "the label of the search is a picture with a name",
    ".select2-container": "the choice with a search has a name only while it is open",
    ".tabular.inline-related": "fields in the rows of a table have the column's heading alone",
    "#result_list input[name^=form-]": "fields that are edited in a list have the column's heading",
}
"""Widgets of Django's admin that axe finds fault with, and what is wrong with each."""

NOWHERE = Visit("/no-such-page")
"""Has no name, and a page of its own."""

MACHINES = "answers machines"
FILE = "answers with a file"
ACTION = "takes a form and answers with another page"
STOCK = "Django's own page, of which nothing is ours"
FORM = "Django's own form, history or question, as on the pages beside it that are visited"

EXCUSED: Mapping[str, str] = {
    "healthz": MACHINES,
    "readyz": MACHINES,
    "metrics": MACHINES,
    "contract:asyncapi": FILE,
    "contract:typings": FILE,
    "speech:interview-export": FILE,
    "speech:interview-question": FILE,
    "admin:speech_interviewquestion_export": FILE,
    "admin:speech_recording": FILE,
    "accounts:logout": ACTION,
    "speech:interview-guest-result": f"{ACTION}; tests of the interviews look at that",
    "speech:interview-delete": ACTION,
    "admin:logout": ACTION,
    "admin:jsi18n": MACHINES,
    "admin:autocomplete": MACHINES,
    "admin:view_on_site": ACTION,
    "admin:password_change_done": STOCK,
    "admin:auth_*": STOCK,
    "admin:chat_book_delete": "only who may do everything; Django's own question",
    "admin:speech_interview*_add": FORM,
    "admin:speech_interview*_delete": FORM,
    "admin:speech_interview*_history": FORM,
    "admin:speech_voicesessionrecord_delete": FORM,
    "admin:speech_voicesessionrecord_history": FORM,
}
"""Addresses that are not looked at, and why; ``*`` stands for any letters."""

CLOSED: Mapping[str, Visit] = {
    f"admin:chat_{model}_{page}": Visit(f"/admin/chat/{model}/{path}", OPERATOR)
    for model, key in (
        ("chatmessage", "message"),
        ("imposedsanction", "sanction"),
        ("moderatoract", "act"),
    )
    for page, path in (("add", "add/"), ("delete", f"{{{key}}}/delete/"))
} | {
    "admin:speech_voicesessionrecord_add": Visit("/admin/speech/voicesessionrecord/add/", OPERATOR)
}
"""Addresses that Django has and that nobody may use: what is kept there is not changed by hand."""


def names() -> Iterator[str]:
    """Every name of the URLconf."""
    yield from _names(get_resolver(), "")


def _names(resolver: URLResolver, space: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _names(entry, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{space}{entry.name}"
