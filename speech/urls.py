"""Pages of the voice slice."""

from django.urls import URLPattern

app_name = "speech"

urlpatterns: list[URLPattern] = []
