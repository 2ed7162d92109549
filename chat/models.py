"""The catalogue: facts about books, in the relational store. Messages are in `chat.documents`."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from chat.watch_words import fold, tokens

ARTICLE = re.compile(r"^(The|An?)\s+")

HIGHEST_BOOK_ID = 2**53 - 1
"""The highest id of the contract: what a JavaScript number holds exactly."""


class Maturity(models.TextChoices):
    """Whom a book suits."""

    GENERAL = "general", "for everybody"
    MATURE = "mature", "mature themes"


class Book(models.Model):
    """A title of Project Gutenberg. Its room exists whether or not anybody has written there."""

    id = models.PositiveBigIntegerField("Gutenberg number", primary_key=True)
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=120, blank=True)
    year = models.SmallIntegerField("first published", null=True, blank=True)
    """Of the work, not of the edition; empty where nobody knows it to the year."""
    language = models.CharField("language of the text", max_length=12, default="en")
    """BCP 47, of the Gutenberg text."""
    original_language = models.CharField(max_length=12, default="en")
    """BCP 47; differs from `language` in a translation."""
    maturity = models.CharField(max_length=12, choices=Maturity.choices, default=Maturity.GENERAL)

    class Meta:
        ordering = ("title", "id")
        verbose_name = "book"

    def __str__(self) -> str:
        return f"{self.title} by {self.author}" if self.author else self.title

    @property
    def shelf_mark(self) -> str:
        """By which a shelf is in order: the title without its article, in one case."""
        return ARTICLE.sub("", self.title).casefold()

    def get_absolute_url(self) -> str:
        return reverse("chat:room", args=[self.pk])


class WatchWord(models.Model):
    """A word or phrase that moderators want to look at when somebody says it; nothing is refused.

    There is none until a moderator adds one.
    """

    word = models.CharField(
        max_length=80,
        unique=True,
        help_text="A word or a phrase. Case, accents and spelling out (w o r d) do not matter.",
    )
    note = models.CharField(
        max_length=200, blank=True, help_text="For other moderators: why it is on the list."
    )
    added_at = models.DateTimeField("added", auto_now_add=True)

    class Meta:
        ordering = ("word",)
        verbose_name = "watch word"

    def __str__(self) -> str:
        return self.word

    def clean(self) -> None:
        """Refuse what finds nothing, and what the list has already."""
        if not tokens(fold(self.word)):
            raise ValidationError({"word": "A word needs a letter or a digit."})
        others = WatchWord.objects.exclude(pk=self.pk).values_list("word", flat=True)
        for other in others:
            if tokens(fold(other)) == tokens(fold(self.word)):
                raise ValidationError({"word": f"The list has “{other}”, which finds the same."})


# Below `Book`, which it needs: Django finds the models of an app through this module only.
from chat import history, records  # noqa: E402, F401
