"""Pages of the published contract."""

from django.urls import path

from readrealm.contract import views

app_name = "contract"

urlpatterns = [
    path("events/", views.events, name="events"),
    path("asyncapi.yaml", views.asyncapi, name="asyncapi"),
    path("readrealm.d.ts", views.typings, name="typings"),
]
