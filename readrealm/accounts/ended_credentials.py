"""The moments at which a credential ends: sockets that were opened with it are asked again."""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import auth
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

log = logging.getLogger(__name__)


def watch_accounts() -> None:
    """Connect log-out, new password, closed and deleted account."""
    user_logged_out.connect(_after_logout, dispatch_uid=__name__)
    model = auth.get_user_model()
    post_save.connect(_after_save, sender=model, dispatch_uid=__name__)
    post_delete.connect(_after_delete, sender=model, dispatch_uid=__name__)


def revalidate_sockets(user: Any) -> None:
    """Have every socket of a user, on every worker, prove again that it may be there."""
    # Every command watches accounts, and few end a credential.
    from channels.layers import get_channel_layer

    from readrealm.socketio_bridge import REVALIDATE, account_group

    layer: Any = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(account_group(str(user.pk)), {"type": REVALIDATE})
    except ConnectionError:
        log.exception("the sockets of a user could not be told that the credential changed")


def _after_logout(sender: Any, request: Any = None, user: Any = None, **_: Any) -> None:
    if user is not None:
        # Django ends the session after this signal; the sockets are asked now.
        request.session.flush()
        transaction.on_commit(lambda: revalidate_sockets(user))


def _after_save(sender: Any, instance: Any, created: bool, **_: Any) -> None:
    has_new_password = instance._password is not None
    if not created and (has_new_password or not instance.is_active):
        transaction.on_commit(lambda: revalidate_sockets(instance))


def _after_delete(sender: Any, instance: Any, **_: Any) -> None:
    transaction.on_commit(lambda: revalidate_sockets(instance))
