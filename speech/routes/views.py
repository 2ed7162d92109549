"""The page of voice sessions."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from speech.routes.conf import routes_settings
from speech.routes.configuration import RECOGNISERS


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Record, read along, and see how the site listens."""
    chosen = routes_settings()
    context = {
        "needs_account": settings.SOCKET_AUTH == "required" and not request.user.is_authenticated,
        "can_configure": not chosen.staff_only or request.user.is_staff,
        "recognisers": RECOGNISERS,
        "retention_days": chosen.recording_days,
    }
    return render(request, "speech/session.html", context)
