"""What the admin says while MongoDB is away."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from readrealm.kernel.errors import StoreUnavailable

P = ParamSpec("P")
Admin = TypeVar("Admin", bound=ModelAdmin)
View = Callable[Concatenate[Admin, HttpRequest, P], HttpResponse]


def says_when_away(view: View[Admin, P]) -> View[Admin, P]:
    """A view of a `ModelAdmin` that answers 503 with a page of the admin when the store of
    messages gives no answer in time."""

    @functools.wraps(view)
    def answer(
        self: Admin, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except StoreUnavailable:
            return _away(self, request)

    return answer


def _away(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "title": "The store of messages does not answer",
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/chat/store_away.html", context, status=503)
