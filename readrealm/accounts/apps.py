"""Accounts: signing up, in and out. Adds no tables; Django's own users and sessions serve."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "readrealm.accounts"
    label = "accounts"
    verbose_name = "Accounts"
