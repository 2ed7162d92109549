"""The contract as pages."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from readrealm.contract.asyncapi import as_yaml
from readrealm.contract.reference import Reference, reference
from readrealm.contract.spoken import vocabularies
from readrealm.contract.typings import declarations
from readrealm.contract.version import CONTRACT_VERSION


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Every event of every vocabulary, with a console to try them."""
    return render(request, "contract/events.html", {"reference": _reference()})


@require_safe
def asyncapi(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document."""
    text = as_yaml(vocabularies(), version=CONTRACT_VERSION)
    return HttpResponse(text, content_type="application/yaml; charset=utf-8")


@require_safe
def typings(request: HttpRequest) -> HttpResponse:
    """The TypeScript declarations."""
    return HttpResponse(declarations(vocabularies()), content_type="text/plain; charset=utf-8")


@cache
def _reference() -> Reference:
    return reference(vocabularies())
