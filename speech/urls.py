"""Pages of the voice slice."""

from django.urls import include, path

from speech.routes.views import session

app_name = "speech"

urlpatterns = [
    path("voice/", session, name="session"),
    path("interviews/", include("speech.interviews.urls")),
]
