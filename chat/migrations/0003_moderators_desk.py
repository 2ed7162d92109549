"""Watch words, the models of sanctions and of the moderation log, which have no tables, and what
moderators may do with them."""

from django.db import migrations, models

PERMISSIONS = {
    "chatmessage": {
        "export_reader": "Can export everything that is kept about a reader",
        "erase_reader": "Can erase everything that is kept about a reader",
    },
    "imposedsanction": {"view_imposedsanction": "Can view sanction"},
    "moderatoract": {"view_moderatoract": "Can view moderation log entry"},
    "watchword": {
        "add_watchword": "Can add watch word",
        "change_watchword": "Can change watch word",
        "delete_watchword": "Can delete watch word",
        "view_watchword": "Can view watch word",
    },
    "book": {
        "add_book": "Can add book",
        "change_book": "Can change book",
        "view_book": "Can view book",
    },
}
"""By model. Books are not deleted by moderators: their rooms would lose their names."""


def allow_moderators(apps, schema_editor):
    """Django makes the permissions of a model only after all migrations, and finds these then."""
    alias = schema_editor.connection.alias
    group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Moderators")
    for model, names in PERMISSIONS.items():
        content_type, _ = (
            apps.get_model("contenttypes", "ContentType")
            .objects.using(alias)
            .get_or_create(app_label="chat", model=model)
        )
        for codename, name in names.items():
            permission, _ = (
                apps.get_model("auth", "Permission")
                .objects.using(alias)
                .get_or_create(
                    content_type=content_type, codename=codename, defaults={"name": name}
                )
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0002_chatmessage"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImposedSanction",
            fields=[
                ("id", models.CharField(max_length=24, primary_key=True, serialize=False)),
                ("user_id", models.CharField(max_length=128, verbose_name="user id")),
                ("authenticated", models.BooleanField(verbose_name="signed in")),
                ("username", models.CharField(max_length=64, verbose_name="reader")),
                (
                    "book_id",
                    models.PositiveBigIntegerField(
                        null=True, verbose_name="Gutenberg number of the book"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("until", models.DateTimeField(null=True)),
                (
                    "measure",
                    models.CharField(
                        choices=[("timeout", "timeout"), ("ban", "ban")], max_length=12
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="imposed")),
                ("moderator_id", models.CharField(max_length=128)),
                ("is_lifted", models.BooleanField(verbose_name="lifted")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted at")),
            ],
            options={
                "verbose_name": "sanction",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ModeratorAct",
            fields=[
                ("id", models.CharField(max_length=24, primary_key=True, serialize=False)),
                ("user_id", models.CharField(max_length=128, verbose_name="user id")),
                ("authenticated", models.BooleanField(verbose_name="signed in")),
                ("username", models.CharField(max_length=64, verbose_name="reader")),
                (
                    "book_id",
                    models.PositiveBigIntegerField(
                        null=True, verbose_name="Gutenberg number of the book"
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("until", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(verbose_name="time")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("hide", "hide"),
                            ("restore", "restore"),
                            ("purge", "purge"),
                            ("timeout", "timeout"),
                            ("ban", "ban"),
                            ("unban", "unban"),
                            ("keep", "keep"),
                            ("dismiss", "dismiss"),
                            ("erase", "erase"),
                        ],
                        max_length=12,
                    ),
                ),
                ("moderator_id", models.CharField(max_length=128)),
                ("moderator_name", models.CharField(max_length=64, verbose_name="moderator")),
                ("message_id", models.CharField(max_length=24, null=True)),
            ],
            options={
                "verbose_name": "moderation log entry",
                "verbose_name_plural": "moderation log entries",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="WatchWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "word",
                    models.CharField(
                        help_text="A word or a phrase. Case, accents and spelling out (w o r d) "
                        "do not matter.",
                        max_length=80,
                        unique=True,
                    ),
                ),
                (
                    "note",
                    models.CharField(
                        blank=True,
                        help_text="For other moderators: why it is on the list.",
                        max_length=200,
                    ),
                ),
                ("added_at", models.DateTimeField(auto_now_add=True, verbose_name="added")),
            ],
            options={
                "verbose_name": "watch word",
                "ordering": ("word",),
            },
        ),
        migrations.AlterModelOptions(
            name="chatmessage",
            options={
                "default_permissions": ("view",),
                "managed": False,
                "permissions": (
                    ("hide_message", "Can hide and restore chat messages, and judge reports"),
                    ("purge_message", "Can purge chat messages for good"),
                    ("sanction_reader", "Can time out, ban and unban readers"),
                    ("export_reader", "Can export everything that is kept about a reader"),
                    ("erase_reader", "Can erase everything that is kept about a reader"),
                ),
                "verbose_name": "chat message",
            },
        ),
        migrations.RunPython(allow_moderators, migrations.RunPython.noop),
    ]
