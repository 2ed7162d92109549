"""What is checked before a start: ``readrealm.E…`` stop it, ``readrealm.W…`` warn."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.staticfiles)
def client_library_is_installed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Without socket.io-client the room page cannot connect."""
    missing = [str(folder) for _, folder in settings.STATICFILES_DIRS if not folder.is_dir()]
    return [
        Error(f"{folder} is missing", hint="run `npm ci`", id="readrealm.E001")
        for folder in missing
    ]


@register(Tags.security, deploy=True)
def stores_fit_for_many(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Private stores serve one machine and have no copy elsewhere."""
    private = {
        "MONGODB_URL": settings.MONGODB_IS_PRIVATE,
        "REDIS_URL": settings.REDIS_IS_PRIVATE,
    }
    return [
        Warning(
            f"{variable} is not set",
            hint="the private store serves one machine; set it to a supported server",
            id="readrealm.W001",
        )
        for variable, is_private in private.items()
        if is_private
    ]


@register(Tags.security, deploy=True)
def sockets_need_accounts(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """With SOCKET_AUTH=optional anybody may speak under any name that is not taken."""
    if settings.SOCKET_AUTH == "required":
        return []
    return [
        Warning("anonymous sockets are let in", hint="SOCKET_AUTH=required", id="readrealm.W002")
    ]
