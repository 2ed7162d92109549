"""Static files under names that carry their hash, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModulesStorage(CompressedManifestStaticFilesStorage):
    """Also the ``import`` paths inside ES modules get their hashes."""

    support_js_module_import_aggregation = True
