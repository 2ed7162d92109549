"""The published contract: what is committed is what the code checks, and others can use it."""

import subprocess
from io import StringIO
from pathlib import Path

import msgspec
import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from readrealm.kernel.wire import plain

ROOT = Path(settings.BASE_DIR)
DOCUMENT = ROOT / "docs/asyncapi.yaml"
TSC = ROOT / "node_modules/.bin/tsc"
STRICT = (
    *("--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler"),
    *("--target", "es2022", "--lib", "es2022,dom", "--skipLibCheck", "--ignoreConfig"),
)

pytestmark = pytest.mark.timeout(120)


def compiled(program: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TSC, *STRICT, program], capture_output=True, text=True, cwd=ROOT, timeout=100
    )


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(DOCUMENT.read_text("utf-8"))


def test_what_is_committed_is_what_the_code_says():
    call_command("asyncapi", check=True, stdout=StringIO())


def test_a_contract_that_has_changed_is_noticed(tmp_path):
    call_command("asyncapi", folder=tmp_path, stdout=StringIO())
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")

    with pytest.raises(CommandError, match=r"asyncapi\.yaml differs"):
        call_command("asyncapi", check=True, folder=tmp_path, stdout=StringIO())


def test_the_public_parser_accepts_the_document():
    run = subprocess.run(
        ["node", "tests/contract/js/validate.mjs", DOCUMENT],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_event_of_every_slice_is_published(document):
    published = {message["name"] for message in document["components"]["messages"].values()}
    spoken = [import_string(path) for path in settings.VOCABULARIES]

    assert published == {name for each in spoken for name in (*each.commands, *each.events)}


def test_every_type_is_explained(document):
    """A front-end developer reads these words, not the source."""
    silent = [
        name
        for name, schema in document["components"]["schemas"].items()
        if not schema.get("description")
    ]
    assert silent == []


def test_a_program_with_the_typings_compiles():
    run = compiled(ROOT / "tests/contract/js/client.ts")

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("bookId: 42, userId", "bookId: true, userId"),
        ('"newMessage"', '"newMesage"'),
        ('"author" | "moderator"', '"author"'),
        (', content: "hello"', ""),
    ],
)
def test_a_program_that_breaks_the_contract_does_not_compile(tmp_path, right, wrong):
    text = (ROOT / "tests/contract/js/client.ts").read_text("utf-8")
    assert right in text
    program = ROOT / "tests/contract/js" / f"wrong-{tmp_path.name}.ts"
    program.write_text(text.replace(right, wrong, 1), "utf-8")
    try:
        assert compiled(program).returncode != 0
    finally:
        program.unlink()


def test_every_socket_is_greeted_as_published():
    from readrealm.asgi import greetings

    heard = {
        name: event
        for path in settings.VOCABULARIES
        for name, event in import_string(path).events.items()
    }
    said = dict(greetings("w1.abc"))

    assert list(said) == ["connectionStatus", "connection:welcome", "connected"]
    for name, payload in said.items():
        assert plain(msgspec.convert(payload, heard[name].payload)) == payload
