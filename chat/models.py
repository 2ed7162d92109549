"""The catalogue: facts about books, in the relational store. Messages are in `chat.documents`."""

import re

from django.db import models
from django.urls import reverse

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


# Below `Book`, which it needs: Django finds the models of an app through this module only.
from chat import history  # noqa: E402, F401
