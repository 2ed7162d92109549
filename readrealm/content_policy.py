"""The Content-Security-Policy of each answer: the one of the settings, with one exception."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ContentPolicyMiddleware(CSPMiddleware):
    """Lets the admin make markup from text, which Trusted Types forbid everywhere else."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        match = request.resolver_match
        if match is not None and match.app_name == "admin":
            # jQuery, which the admin brings, writes innerHTML.
            parts.replace = {**(parts.replace or {}), "require-trusted-types-for": None}
        return parts
