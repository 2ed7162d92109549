"""Addresses below ``accounts/``."""

from django.urls import path

from readrealm.accounts.views import LogInView, LogOutView, SignUpView

app_name = "accounts"

urlpatterns = [
    path("login/", LogInView.as_view(), name="login"),
    path("logout/", LogOutView.as_view(), name="logout"),
    path("signup/", SignUpView.as_view(), name="signup"),
]
