"""What is checked before a start: ``readrealm.E…`` stop it, ``readrealm.W…`` warn.

Most of it is for ``manage.py check --deploy``: whether what was configured is fit for readers who
are not on this machine. Asks no store.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from pymongo import MongoClient

from readrealm.settings.values import is_loopback
from readrealm.stores import mongo

PLACEHOLDER = "change-me"
"""In every secret of the examples in `deploy/`."""


@register(Tags.staticfiles)
def client_library_is_installed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Without socket.io-client the room page cannot connect."""
    missing = [str(folder) for _, folder in settings.STATICFILES_DIRS if not folder.is_dir()]
    return [
        Error(f"{folder} is missing", hint="run `npm ci`", id="readrealm.E001")
        for folder in missing
    ]


@register(Tags.security, deploy=True)
def secrets_are_secret(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """An example's secret is known to everybody who can read."""
    wanted = {"SECRET_KEY": settings.SECRET_KEY, "METRICS_TOKEN": settings.METRICS_TOKEN}
    return [
        Error(f"{name} is the example's", hint="openssl rand -base64 48", id="readrealm.E002")
        for name, value in wanted.items()
        if value is not None and PLACEHOLDER in value
    ]


@register(Tags.security, deploy=True)
def https_ends_somewhere(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Daphne speaks plain http here: TLS ends in a proxy, which has to be believed."""
    if not settings.SECURE_SSL_REDIRECT:
        hint = "put a proxy with TLS in front, HTTPS=true and TRUST_PROXY_HEADERS=true"
        return [Warning("readers come by plain http", hint=hint, id="readrealm.W004")]
    if not settings.TRUST_PROXY_HEADERS:
        hint = "TRUST_PROXY_HEADERS=true behind a proxy that sets X-Forwarded-Proto, -For and -Host"
        message = "HTTPS is on and no proxy is believed: every page redirects to itself"
        return [Error(message, hint=hint, id="readrealm.E003")]
    return []


@register(Tags.security, deploy=True)
def only_the_proxy_reaches_us(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Whoever reaches the port itself may say any address and any host in those headers."""
    if not settings.TRUST_PROXY_HEADERS or is_loopback(settings.HOST):
        return []
    hint = "HOST=127.0.0.1, or a network that only the proxy is in"
    message = f"headers of a proxy are believed on {settings.HOST}, where others may connect"
    return [Warning(message, hint=hint, id="readrealm.W005")]


@register(Tags.security, deploy=True)
def hosts_and_origins_are_ours(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Names of this site, and of pages that act with a reader's cookies."""
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        hint = "ALLOWED_HOSTS=reader.example.org"
        found.append(Error("every host name is answered to", hint=hint, id="readrealm.E004"))
    elif all(is_loopback(host.strip("[]")) for host in settings.ALLOWED_HOSTS):
        hint = "ALLOWED_HOSTS=reader.example.org"
        message = "only names of this machine are answered to"
        found.append(Warning(message, hint=hint, id="readrealm.W006"))
    for origin in dict.fromkeys([*settings.CORS_ORIGINS, *settings.CSRF_TRUSTED_ORIGINS]):
        if origin == "*":
            message = "pages of every origin may open sockets with a reader's cookies"
            found.append(Error(message, hint="name them in CORS_ORIGIN", id="readrealm.E005"))
        elif settings.SECURE_SSL_REDIRECT and origin.startswith("http://"):
            message = f"the origin {origin} is not encrypted, so anybody on the way can be it"
            found.append(Warning(message, hint="https://", id="readrealm.W007"))
    return found


@register(Tags.security, deploy=True)
def sockets_need_accounts(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """With SOCKET_AUTH=optional anybody may speak under any name that is not taken."""
    if settings.SOCKET_AUTH == "required":
        return []
    return [
        Warning("anonymous sockets are let in", hint="SOCKET_AUTH=required", id="readrealm.W002")
    ]


@register(Tags.security, deploy=True)
def clients_are_limited(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Limits that are off in benchmarks. `chat.checks` has CHAT_RATE."""
    limits = {
        "HANDSHAKE_RATE": settings.HANDSHAKE_RATE,
        "SOCKETS_PER_ADDRESS": settings.SOCKETS_PER_ADDRESS,
        "SOCKETS_PER_USER": settings.SOCKETS_PER_USER,
    }
    return [
        Warning(f"{name} is off", hint="leave it unset for its default", id="readrealm.W008")
        for name, value in limits.items()
        if value is None
    ]


@register(Tags.security, deploy=True)
def monitors_can_look(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Without METRICS_TOKEN /metrics is there for developers only."""
    if settings.METRICS_TOKEN is not None:
        return []
    hint = "METRICS_TOKEN, and the same token in Prometheus' configuration"
    return [Warning("nobody can see the metrics", hint=hint, id="readrealm.W009")]


@register(Tags.security, deploy=True)
def stores_fit_for_many(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Private stores serve one machine and have no copy elsewhere."""
    found: list[CheckMessage] = [
        Warning(
            f"{variable} is not set",
            hint="the private store serves one machine; set it to a supported server",
            id="readrealm.W001",
        )
        for variable, is_private in _private_stores().items()
        if is_private
    ]
    if 0 < len(found) < len(_private_stores()):
        names = ", ".join(name for name, is_private in _private_stores().items() if is_private)
        message = f"some stores are shared and some are of this machine ({names})"
        hint = "a second host would have the same readers and other rooms: share all or none"
        found.append(Error(message, hint=hint, id="readrealm.E006"))
    return found


def _private_stores() -> dict[str, bool]:
    return {
        "MONGODB_URL": settings.MONGODB_IS_PRIVATE,
        "REDIS_URL": settings.REDIS_IS_PRIVATE,
        "DATABASE_URL": settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
    }


@register(Tags.security, deploy=True)
def acknowledged_means_durable(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What MongoDB acknowledges is on a majority of members and in the journal."""
    with MongoClient[Any](settings.MONGODB_URL, **mongo.OPTIONS, connect=False) as client:
        concern = client.write_concern.document
        names_no_set = client.options.replica_set_name is None
    found: list[CheckMessage] = []
    if concern.get("w") != "majority" or not concern.get("j"):
        message = f"MongoDB acknowledges with {concern}: messages can be lost"
        hint = "leave w and journal out of MONGODB_URL"
        found.append(Error(message, hint=hint, id="readrealm.E007"))
    if names_no_set and not settings.MONGODB_IS_PRIVATE and _scheme() == "mongodb":
        hint = "?replicaSet=NAME, so that the next primary is found when this one is gone"
        found.append(Warning("MONGODB_URL names no replica set", hint=hint, id="readrealm.W010"))
    return found


def _scheme() -> str:
    return urlsplit(settings.MONGODB_URL).scheme


@register(Tags.security, deploy=True)
def stores_are_reached_safely(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """What readers write does not cross a network that others are on without a password."""
    urls = {
        "MONGODB_URL": None if settings.MONGODB_IS_PRIVATE else settings.MONGODB_URL,
        "REDIS_URL": None if settings.REDIS_IS_PRIVATE else settings.REDIS_URL,
    }
    return [
        Warning(
            f"{name} has no password",
            hint="credentials in the URL; and TLS unless the network is yours alone",
            id="readrealm.W011",
        )
        for name, url in urls.items()
        if url is not None and "@" not in urlsplit(url).netloc and _is_elsewhere(url)
    ]


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    # Several members have commas and colons between them that urlsplit takes for a port.
    hosts = [host.rpartition(":")[0] or host for host in parts.netloc.split(",")]
    return parts.scheme != "unix" and not all(is_loopback(host.strip("[]")) for host in hosts)
