"""What pages of every app may offer, as context processors."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def talk(request: HttpRequest) -> dict[str, Any]:
    """Whether a reader can talk with a book."""
    return {"talk_is_offered": settings.TALK_IS_OFFERED}
