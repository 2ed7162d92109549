import stat
import tempfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from readrealm.stores.addresses import (
    LONGEST_PATH_BYTES,
    UnsafeFolder,
    mongod_socket,
    mongod_url,
    private_folder,
    socket_folder,
    valkey_socket,
    valkey_url,
)


def test_sockets_lie_with_their_data():
    assert mongod_socket(Path("/srv/rr")) == Path("/srv/rr/mongo/mongod.sock")
    assert valkey_socket(Path("/srv/rr")) == Path("/srv/rr/valkey/valkey.sock")


def test_a_path_that_is_too_long_for_a_socket_gets_a_short_stand_in_of_its_own():
    deep = [Path("/srv") / ("x" * 90) / name for name in ("a", "b")]

    stand_ins = [socket_folder(path) for path in deep]
    assert stand_ins[0] != stand_ins[1]
    assert socket_folder(deep[0]) == stand_ins[0]
    for folder in stand_ins:
        assert folder.parent == Path(tempfile.gettempdir())
        assert len(bytes(folder)) < LONGEST_PATH_BYTES


def test_letters_of_several_bytes_count_as_several():
    assert socket_folder(Path("/srv") / ("ü" * 40)) != Path("/srv") / ("ü" * 40)
    assert socket_folder(Path("/srv") / ("u" * 40)) == Path("/srv") / ("u" * 40)


def test_urls_name_the_sockets_and_ask_for_durability():
    url = mongod_url(Path("/srv/r r"))

    assert unquote(url).startswith("mongodb:///srv/r r/mongo/mongod.sock/readrealm?")
    assert "w=majority" in url
    assert "journal=true" in url
    assert valkey_url(Path("/srv/rr")) == "unix:///srv/rr/valkey/valkey.sock"


def test_a_private_folder_is_closed_to_others(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)

    for name in ("open", "new/deep"):
        assert stat.S_IMODE(private_folder(tmp_path / name).stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")

    with pytest.raises(UnsafeFolder, match="set DATA_DIR"):
        private_folder(tmp_path / "link")


def test_somebody_elses_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)

    with pytest.raises(UnsafeFolder, match="belongs to somebody else"):
        private_folder(tmp_path)
