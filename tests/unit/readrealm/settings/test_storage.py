import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from readrealm.settings.env import WrongSetting
from readrealm.settings.storage import data_folder, database, kept_key


def test_a_new_data_folder_is_for_this_user_only(tmp_path):
    folder = data_folder(tmp_path / "a" / "b")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_mode_of_a_folder_that_was_there_is_its_owners_business(tmp_path):
    tmp_path.chmod(0o755)

    data_folder(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_is_no_data_folder(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(WrongSetting, match=r"^DATA_DIR: .*File exists"):
        data_folder(tmp_path / "file")


def test_the_key_is_made_once_and_kept_secret(tmp_path):
    key = kept_key(tmp_path)

    (file,) = tmp_path.iterdir()
    assert len(key) >= 50
    assert kept_key(tmp_path) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_workers_that_start_together_come_to_the_same_key(tmp_path):
    with ThreadPoolExecutor(16) as together:
        keys = set(together.map(kept_key, [tmp_path] * 64))

    assert len(keys) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_accounts_are_in_sqlite_that_lets_readers_read_while_one_writes(tmp_path):
    entry = database(None, data_dir=tmp_path)

    assert entry["NAME"] == str(tmp_path / "readrealm.sqlite3")
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_accounts_may_be_in_postgresql(tmp_path):
    entry = database("postgresql://u:p@db.example:5433/rr", data_dir=tmp_path)

    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db.example", 5433, "rr")
    assert "OPTIONS" not in entry or "init_command" not in entry["OPTIONS"]
