import pytest
from django.apps import apps
from django.conf import settings

from readrealm import settings as in_earnest
from readrealm.management import preparation


class AppWithIndexes:
    label = "shelf"

    def __init__(self):
        self.calls = 0

    def ensure_indexes(self):
        self.calls += 1


class AppWithout:
    label = "plain"


def test_indexes_are_asked_of_every_app_that_has_some(monkeypatch):
    shelf = AppWithIndexes()
    monkeypatch.setattr(apps, "get_app_configs", lambda: [AppWithout(), shelf])

    assert preparation.ensure_indexes() == ["shelf"]
    assert shelf.calls == 1


@pytest.fixture
def site(tmp_path, settings):
    """A site with one script, and where it is collected."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "room.js").write_text('import "./log.js";\n')
    (tmp_path / "source" / "log.js").write_text("export const log = [];\n")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = in_earnest.STORAGES
    return tmp_path


def test_static_files_are_collected_when_something_has_changed(site):
    assert preparation.collect_static()
    assert not preparation.collect_static()

    (site / "source" / "log.js").write_text("export const log = [1];\n")

    assert preparation.collect_static()


def test_modules_import_each_other_under_names_with_hashes(site):
    preparation.collect_static()

    (hashed,) = (site / "collected").glob("room.*.js")
    (target,) = (site / "collected").glob("log.*.js")
    assert f'"./{target.name}"' in hashed.read_text()
    assert "./log.js" not in hashed.read_text()


@pytest.mark.django_db(transaction=True)
def test_migrating_twice_does_nothing_the_second_time():
    preparation.migrate()

    assert preparation.migrate() == 0


def test_the_data_folder_of_tests_is_not_the_one_of_the_project():
    assert not settings.DATA_DIR.is_relative_to(settings.BASE_DIR)
