"""The messages of every room as a Django model, for the admin: read from MongoDB, never from SQL.

Nothing here changes a message: what does tells its room as well, in `chat.moderation`.
"""

from collections.abc import Iterable
from typing import Any, Self

from django.db import models

from chat.documents import Message, RoomEvent
from chat.entries import COLLECTION, Document, Kind, State
from chat.history_query import CONDITIONS, MessageQuerySet
from chat.models import Book
from readrealm.document_admin import DocumentManager, DocumentModel, NotInSql, answered_in_time

MOST_FORMER_TEXTS = 50


class MessageManager(DocumentManager):
    """Gives `MessageQuerySet` in the place of SQL."""

    def get_queryset(self) -> MessageQuerySet:
        return MessageQuerySet(self.model)


class ChatMessage(DocumentModel):
    """A message in its present state; a removed one still has its text, for moderators."""

    collection, order_name, order_field = COLLECTION, "created_at", "createdAt"
    lookups = CONDITIONS

    class States(models.TextChoices):
        """`chat.entries.State` in words."""

        VISIBLE = str(State.VISIBLE), "visible"
        HIDDEN = str(State.HIDDEN), "hidden by a moderator"
        DELETED = str(State.DELETED), "deleted by its author"

    id = models.CharField("message id", primary_key=True, max_length=24)
    book_id = models.PositiveBigIntegerField("Gutenberg number of the book")
    seq = models.PositiveBigIntegerField("number in the room's log")
    user_id = models.CharField("user id", max_length=128)
    authenticated = models.BooleanField("signed in")
    username = models.CharField("name", max_length=64)
    content = models.TextField("text")
    is_ai = models.BooleanField("written by the AI")
    state = models.CharField(max_length=12, choices=States.choices)
    created_at = models.DateTimeField("written")
    edited_at = models.DateTimeField("last edited", null=True)

    objects = MessageManager()

    room_title = ""
    """Set by `name_rooms`."""

    class Meta:
        managed = False
        verbose_name = "chat message"
        default_permissions = ("view",)
        permissions = (
            ("hide_message", "Can hide and restore chat messages, and judge reports"),
            ("purge_message", "Can purge chat messages for good"),
            ("sanction_reader", "Can time out, ban and unban readers"),
            ("export_reader", "Can export everything that is kept about a reader"),
            ("erase_reader", "Can erase everything that is kept about a reader"),
        )

    def __str__(self) -> str:
        return f"message {self.seq} of {self.username} in room {self.book_id}"

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """The message that a document is, as MongoDB has it: pages show hundreds, and MongoEngine
        takes longer to make one than to find it."""
        values = {name: document.get(field) for name, field in _STORED.items()}
        found = cls(pk=str(document["_id"]), **values)
        found._state.adding = False
        return found

    def save(self, *args: Any, **kwargs: Any) -> None:
        raise NotInSql("messages are changed by chat.moderation")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise NotInSql("messages are changed by chat.moderation")

    @property
    def is_guest(self) -> bool:
        """Whether the name and the id are only what somebody claimed."""
        return not self.authenticated and not self.is_ai


_STORED = {
    each.attname: Message._db_field_map[each.attname]
    for each in ChatMessage._meta.concrete_fields
    if not each.primary_key
}
"""The name in MongoDB of every field but the id."""


def name_rooms(messages: Iterable[Any]) -> None:
    """Give each message, or record about one, the title of its room's book, with one query."""
    found = list(messages)
    titles = dict(
        Book.objects.filter(pk__in={message.book_id for message in found}).values_list(
            "pk", "title"
        )
    )
    for message in found:
        message.room_title = titles.get(message.book_id, f"Book {message.book_id}")


def former_texts(message: ChatMessage) -> list[RoomEvent]:
    """The edits of a message, oldest first, each with the text before it.

    Raises:
        StoreUnavailable: no answer in time.
    """
    edits = RoomEvent.objects(message_id=message.pk, kind=str(Kind.EDIT)).hint("changes")
    with answered_in_time():
        return list(edits.order_by("seq").limit(MOST_FORMER_TEXTS))
