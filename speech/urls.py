"""Pages of the voice slice."""

from django.urls import URLPattern, path

from speech.routes.views import session

app_name = "speech"

urlpatterns: list[URLPattern] = [
    path("voice/", session, name="session"),
]
