"""The model of messages, which has no table, and the group of those who keep the rooms."""

from django.db import migrations, models

PERMISSIONS = {
    "view_chatmessage": "Can view chat message",
    "hide_message": "Can hide and restore chat messages, and judge reports",
    "purge_message": "Can purge chat messages for good",
    "sanction_reader": "Can time out, ban and unban readers",
}


def create_moderators(apps, schema_editor):
    """A group with every permission on messages. Django makes the permissions of a model only
    after all migrations, and finds these then."""
    alias = schema_editor.connection.alias
    content_type, _ = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(alias)
        .get_or_create(app_label="chat", model="chatmessage")
    )
    permissions = [
        apps.get_model("auth", "Permission")
        .objects.using(alias)
        .get_or_create(content_type=content_type, codename=codename, defaults={"name": name})[0]
        for codename, name in PERMISSIONS.items()
    ]
    group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name="Moderators")
    group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChatMessage",
            fields=[
                (
                    "id",
                    models.CharField(
                        max_length=24,
                        primary_key=True,
                        serialize=False,
                        verbose_name="message id",
                    ),
                ),
                (
                    "book_id",
                    models.PositiveBigIntegerField(verbose_name="Gutenberg number of the book"),
                ),
                ("seq", models.PositiveBigIntegerField(verbose_name="number in the room's log")),
                ("user_id", models.CharField(max_length=128, verbose_name="user id")),
                ("authenticated", models.BooleanField(verbose_name="signed in")),
                ("username", models.CharField(max_length=64, verbose_name="name")),
                ("content", models.TextField(verbose_name="text")),
                ("is_ai", models.BooleanField(verbose_name="written by the AI")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("visible", "visible"),
                            ("hidden", "hidden by a moderator"),
                            ("deleted", "deleted by its author"),
                        ],
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="written")),
                ("edited_at", models.DateTimeField(null=True, verbose_name="last edited")),
            ],
            options={
                "verbose_name": "chat message",
                "managed": False,
                "default_permissions": ("view",),
                "permissions": (
                    ("hide_message", "Can hide and restore chat messages, and judge reports"),
                    ("purge_message", "Can purge chat messages for good"),
                    ("sanction_reader", "Can time out, ban and unban readers"),
                ),
            },
        ),
        # A group that has members is not taken away again.
        migrations.RunPython(create_moderators, migrations.RunPython.noop),
    ]
