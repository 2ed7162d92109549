"""Filters beside a list of documents. What a request says is looked up here, and never handed on
by name."""

from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils import timezone

from readrealm.document_admin.queryset import DocumentQuerySet

Choices = list[tuple[str, str]]
"""What can be chosen, each with its label."""

Documents = TypeVar("Documents", bound=DocumentQuerySet)


class ChoiceFilter(admin.SimpleListFilter):
    """One of some values; whatever else a request says is refused.

    Attributes:
        values: what can be chosen, each with its label; what depends on the request comes from
            `lookups`.
        lookup: the model's lookup that the chosen value is for; what is more comes from
            `conditions`.
    """

    values: tuple[tuple[str, str], ...] = ()
    lookup: str = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(self.values)

    def conditions(self, chosen: str) -> dict[str, Any]:
        """Lookups of the model, with their values, that a choice stands for.

        Raises:
            IncorrectLookupParameters: none; the list is shown without filters.
        """
        return {self.lookup: chosen}

    def queryset(self, request: HttpRequest, queryset: Documents) -> Documents:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(**self.conditions(chosen))


class SinceFilter(ChoiceFilter):
    """Documents since some time ago.

    Attributes:
        windows: what can be chosen, each with its label and how long ago that is.
    """

    windows: ClassVar[dict[str, tuple[str, timedelta]]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, label) for value, (label, _) in self.windows.items()]

    def conditions(self, chosen: str) -> dict[str, Any]:
        return {self.lookup: timezone.now() - self.windows[chosen][1]}
