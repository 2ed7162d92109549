"""Accounts of a running server, reached through its SQLite file: commands take seconds."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password

from readrealm.settings.storage import SQLITE_FILE
from tests.support.worker import Server

BUSY_TIMEOUT_S = 10.0

_ADD = """
insert into auth_user (
    username, password, is_staff, is_active, is_superuser, first_name, last_name, email, date_joined
) values (?, ?, ?, 1, ?, '', '', '', ?)
"""
_ADD_TO_GROUP = """
insert into auth_user_groups (user_id, group_id) select ?, id from auth_group where name = ?
"""


def add_account(
    server: Server,
    name: str,
    *,
    password: str,
    groups: tuple[str, ...] = (),
    is_superuser: bool = False,
) -> int:
    """Make an account that can log in to ``server``; its primary key.

    Args:
        groups: names of groups; whoever is in one is staff.
    """
    now = datetime.now(UTC).isoformat(" ")
    is_staff = bool(groups) or is_superuser
    with closing(_connect(server)) as database, database:
        kept = (name, _hashed(password), is_staff, is_superuser, now)
        user = database.execute(_ADD, kept).lastrowid
        assert user is not None
        for group in groups:
            added = database.execute(_ADD_TO_GROUP, (user, group))
            assert added.rowcount == 1, f"there is no group {group!r}"
    return user


def column(server: Server, query: str) -> list[Any]:
    """The first column of what the server's relational store answers."""
    with closing(_connect(server)) as database:
        return [row[0] for row in database.execute(query)]


def _connect(server: Server) -> sqlite3.Connection:
    return sqlite3.connect(server.folder / SQLITE_FILE, timeout=BUSY_TIMEOUT_S)


@cache
def _hashed(password: str) -> str:
    """As the server would: its first hasher, which takes a while on purpose."""
    return make_password(password, hasher="scrypt")
