"""Pages of the voice slice."""

from django.urls import include, path

from speech.gateway.views import talk
from speech.routes.views import session

app_name = "speech"

urlpatterns = [
    path("books/<int:book_id>/voice/", talk, name="talk"),
    path("voice/", session, name="session"),
    path("interviews/", include("speech.interviews.urls")),
]
