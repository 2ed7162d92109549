"""Addresses of the interviews, below ``/interviews/``."""

from django.urls import path, re_path

from speech.interviews import narration_views, views

urlpatterns = [
    path("", views.start, name="interviews"),
    path("live/", views.live, name="interview-live"),
    path(
        "live/<str:session_id>/<int:number>.wav",
        narration_views.question,
        name="interview-question",
    ),
    path("result/", views.guest_result, name="interview-guest-result"),
    path("<str:session_id>/", views.result, name="interview-result"),
    path("<str:session_id>/delete/", views.delete, name="interview-delete"),
    re_path(
        r"^(?P<session_id>[^/]+)/(?P<kind>json|answers|metrics)/$",
        views.export,
        name="interview-export",
    ),
]
