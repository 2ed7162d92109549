"""The pages of documents in Django's admin: listed and read, and nothing else."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from readrealm.kernel.errors import StoreUnavailable

P = ParamSpec("P")
Admin = TypeVar("Admin", bound="DocumentAdmin")
Answer = TypeVar("Answer", bound=HttpResponseBase)


def says_when_away(
    view: Callable[Concatenate[Admin, HttpRequest, P], Answer],
) -> Callable[Concatenate[Admin, HttpRequest, P], Answer | TemplateResponse]:
    """A view of a `DocumentAdmin` that answers 503 with a page of the admin when MongoDB gives no
    answer in time."""

    @functools.wraps(view)
    def answer(
        self: Admin, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> Answer | TemplateResponse:
        try:
            return view(self, request, *args, **kwargs)
        except StoreUnavailable:
            context = {
                **self.admin_site.each_context(request),
                "title": self.away_title,
                "opts": self.opts,
            }
            return TemplateResponse(request, self.away_template, context, status=503)

    return answer


class DocumentAdmin(ModelAdmin):
    """Documents are neither added nor edited here, and deleted by actions at most.

    Attributes:
        away_title, away_template: heading and template of the page that says that MongoDB gives
            no answer.
    """

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    away_title: str
    away_template: str

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup in {each.parameter_name for each in self.list_filter}

    @says_when_away
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    @says_when_away
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        # Before Django opens a transaction on a database that there is not.
        if request.method == "POST":
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        raise PermissionDenied

    @says_when_away
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        return super().history_view(request, object_id, extra_context)
