"""Django's admin, whose pages are loaded by those who serve or check them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class DeskConfig(SimpleAdminConfig):
    """In place of ``django.contrib.admin``; `readrealm.urls` loads the admin of every app."""

    def ready(self) -> None:
        """Register Django's checks; its own check of admins looks at those only that are loaded."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_every_admin, checks.Tags.admin)


def _check_every_admin(app_configs: Any, **options: Any) -> Sequence[checks.CheckMessage]:
    admin.autodiscover()
    found: Sequence[checks.CheckMessage] = check_admin_app(app_configs, **options)
    return found
