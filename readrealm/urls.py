"""The root of every path."""

from django.contrib import admin
from django.urls import include, path

from readrealm import views

admin.autodiscover()
admin.site.site_header = admin.site.site_title = "ReadRealm"
admin.site.index_title = "Desk"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("readrealm.accounts.urls")),
    path("docs/", include("readrealm.contract.urls")),
    path("", include("speech.urls")),
    path("", include("chat.urls")),
]
