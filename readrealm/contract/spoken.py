"""The vocabularies of the installed slices."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from readrealm.kernel.vocabulary import Vocabulary


@cache
def vocabularies() -> tuple[Vocabulary, ...]:
    """Those that the settings name, in their order."""
    return tuple(import_string(path) for path in settings.VOCABULARIES)
