"""Accounts: signing up, in and out. Adds no tables; Django's own users and sessions serve."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "readrealm.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Count attempts at the door of the admin as well."""
        from django.contrib import admin

        from readrealm.accounts.forms import AdminLogInForm

        admin.site.login_form = AdminLogInForm
