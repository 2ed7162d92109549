"""The project as a Django app: its checks, and the connections every slice shares."""

from django.apps import AppConfig


class ReadRealmConfig(AppConfig):
    """
    Attributes:
        is_draining: this worker takes no new sockets, because it is about to end.
    """

    is_draining = False

    name = "readrealm"
    verbose_name = "ReadRealm"

    def ready(self) -> None:
        """Register the checks, and make MongoEngine's connection known; no store is asked yet."""
        from readrealm import checks  # noqa: F401
        from readrealm.stores import mongo

        mongo.connect()
