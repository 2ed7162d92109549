"""A conversation as a page without scripts shows it: days, and messages under one name. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chat.events import Message

GROUP_WITHIN = timedelta(minutes=5)
"""Messages of one reader within this time stand under one name, as in `timeline.js`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message and what stands above it."""

    message: Message
    at: datetime
    """When it was written, UTC."""
    starts_day: bool
    is_continued: bool
    """It joins the message above under one name."""
    is_own: bool
    answered: Message | None
    """The message it answers, where that is on the page and still there."""
    reactions: Sequence[tuple[str, int]]
    """Emoji and how many readers gave it."""

    @property
    def is_edited(self) -> bool:
        return bool(self.message.edited_at)

    @property
    def removed_by(self) -> str:
        """``author``, ``moderator`` or nothing."""
        return self.message.deleted_by or ""


def items(messages: Sequence[Message], *, user_id: str | None) -> list[Item]:
    """Messages as they stand on a page.

    Args:
        messages: oldest first.
        user_id: of the signed-in reader.
    """
    known = {message.id: message for message in messages}
    found: list[Item] = []
    for message in messages:
        above = found[-1] if found else None
        at = datetime.fromisoformat(message.created_at)
        starts_day = above is None or above.at.date() != at.date()
        answered = known.get(message.reply_to or "")
        found.append(
            Item(
                message=message,
                at=at,
                starts_day=starts_day,
                is_continued=above is not None
                and not starts_day
                and _is_same_author(above.message, message)
                and at - above.at < GROUP_WITHIN,
                is_own=message.user_id == user_id and not message.is_guest,
                answered=None if answered is None or answered.deleted_by else answered,
                reactions=_counted(message),
            )
        )
    return found


def _is_same_author(one: Message, other: Message) -> bool:
    return (one.user_id, one.is_guest) == (other.user_id, other.is_guest)


def _counted(message: Message) -> list[tuple[str, int]]:
    if not message.reactions:
        return []
    return sorted(Counter(reaction.emoji for reaction in message.reactions).items())
