import re
from dataclasses import fields
from pathlib import Path

import pytest

from readrealm.settings.env import Environment
from readrealm.settings.provider import ProviderEnvironment
from readrealm.settings.table import SETTINGS, as_markdown
from readrealm.settings.voice import VoiceEnvironment

ROOT = Path(__file__).resolve().parents[4]
READERS = ("env", "provider", "voice")


def test_every_variable_that_is_read_stands_in_the_table_once():
    sources = [(ROOT / f"readrealm/settings/{name}.py").read_text("utf-8") for name in READERS]
    read = {name for text in sources for name in re.findall(r'\bask\(\s*"([A-Z_]+)"', text)}

    names = [setting.name for setting in SETTINGS]
    assert sorted(names) == sorted(read)
    typed = (Environment, VoiceEnvironment, ProviderEnvironment)
    assert sum(len(fields(one)) for one in typed) >= len(names)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_variable_is_explained(setting):
    assert setting.meaning
    assert setting.default
    assert setting.allowed
    assert "|" not in setting.meaning + setting.default + setting.allowed


def test_the_readme_shows_the_table():
    """`manage.py settings_table` prints what belongs there."""
    assert as_markdown() in (ROOT / "README.md").read_text("utf-8")
