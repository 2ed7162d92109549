"""Addresses of the catalogue and of the rooms."""

from django.urls import path

from chat import views

app_name = "chat"

urlpatterns = [
    path("", views.catalogue, name="catalogue"),
    path("books/<int:book_id>/", views.room, name="room"),
]
