"""Static files under names that carry their hash, so that browsers may keep them for ever."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

STATIC_IMPORT = (
    r"""(?P<matched>(?P<head>\b(?:import|export)\b[^"'`;()]*?\bfrom\s*|\bimport\s*)"""
    r"""["'](?P<url>\.{0,2}/[^"']+)["'])"""
)
"""``import … from "./log.js"``, ``export … from "./log.js"`` and ``import "./log.js"``."""

DYNAMIC_IMPORT = r"""(?P<matched>\bimport\(\s*["'](?P<url>\.{0,2}/[^"']+)["']\s*\)(?!\.[A-Z]))"""
"""``import("./log.js")``; with a type behind it, it is JSDoc and loads nothing."""


class HashedModulesStorage(CompressedManifestStaticFilesStorage):
    """Also the ``import`` paths inside ES modules get their hashes.

    Django can do this too, but takes JSDoc types for imports and finds cycles where none are.
    """

    patterns = (
        *ManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (STATIC_IMPORT, '%(head)s"%(url)s"'),
                (DYNAMIC_IMPORT, 'import("%(url)s")'),
            ),
        ),
    )
