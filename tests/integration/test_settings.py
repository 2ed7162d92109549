"""A process that is given a wrong value says one line and does not start."""

import os
import subprocess

import pytest
from django.core.management import call_command, get_commands, load_command_class

from readrealm.settings.table import SETTINGS, as_markdown
from tests.support.processes import PYTHON, ROOT


def manage(*arguments, **variables):
    return subprocess.run(
        [PYTHON, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eighty"), ("MONGODB_URL", "mongodb://a/?w=1"), ("DATA_DIR", "/proc/nowhere")],
)
def test_a_wrong_value_stops_every_command_with_one_line(name, value):
    run = manage("serve", **{name: value})

    allowed = next(setting.allowed for setting in SETTINGS if setting.name == name)
    assert run.returncode == 2
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"readrealm: wrong setting {name}: ")
    assert line.endswith(f"; allowed: {allowed}")


def test_production_without_a_key_does_not_start():
    run = manage("check", DEBUG="false", SECRET_KEY="")

    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "SECRET_KEY: not set" in run.stderr


def test_a_production_setup_passes_djangos_own_examination():
    run = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        DEBUG="false",
        HTTPS="true",
        SECRET_KEY="abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        TRUST_PROXY_HEADERS="true",
        ALLOWED_HOSTS="reader.example.org",
        METRICS_TOKEN="0123456789abcdef",
        MONGODB_URL="mongodb://reader:secret@db.example.org/readrealm?replicaSet=rs0&tls=true",
        REDIS_URL="rediss://:secret@valkey.example.org/0",
        DATABASE_URL="postgresql://reader:secret@sql.example.org/readrealm",
    )

    assert run.returncode == 0, run.stderr


def test_the_deployment_check_warns_of_private_stores_and_open_doors():
    run = manage("check", "--deploy", MONGODB_URL="", REDIS_URL="", SOCKET_AUTH="optional")

    assert run.stderr.count("readrealm.W001") == 3  # MongoDB, Valkey and the relational one
    assert "readrealm.W002" in run.stderr


def test_the_table_for_the_readme_is_printed(capsys):
    call_command("settings_table")

    assert capsys.readouterr().out == as_markdown()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("serve", ["SIGHUP", "rolling restart", "--exit-with-parent", "MONGODB_URL"]),
        ("runstores", ["Ctrl-C", "DATA_DIR"]),
        ("ensure_indexes", ["serve", "missing"]),
        ("prepare", ["static files", "Safe to repeat"]),
    ],
)
def test_help_says_what_a_command_does_for_its_user(command, words):
    parser = load_command_class(get_commands()[command], command).create_parser(
        "manage.py", command
    )
    said = " ".join(parser.format_help().split())

    for word in words:
        assert word in said
