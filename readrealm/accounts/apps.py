"""Accounts: signing up, in and out. Adds no tables; Django's own users and sessions serve."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "readrealm.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """See that sockets hear of credentials that end."""
        from readrealm.accounts.ended_credentials import watch_accounts

        watch_accounts()
