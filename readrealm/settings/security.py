"""What a browser may do with our pages, and what must travel encrypted."""

from typing import Any

from csp.constants import NONCE, NONE, SELF

HSTS_S = 365 * 24 * 3600


def content_security_policy() -> dict[str, Any]:
    """Everything from here and nothing from elsewhere; inline scripts need the request's nonce.

    ``connect-src 'self'`` covers WebSockets of the same origin (CSP Level 3). Markup is never
    made from text in our pages, which Trusted Types enforce; the admin's jQuery needs them off
    (`readrealm.content_policy`).
    """
    return {
        "DIRECTIVES": {
            "default-src": [SELF],
            "script-src": [SELF, NONCE],
            "style-src": [SELF, NONCE],
            "img-src": [SELF, "data:"],
            "media-src": [SELF, "blob:"],
            "connect-src": [SELF],
            "worker-src": [SELF],
            "object-src": [NONE],
            "base-uri": [NONE],
            "form-action": [SELF],
            "frame-ancestors": [NONE],
            "require-trusted-types-for": ["'script'"],
        }
    }


def transport_security(*, https: bool, trust_proxy_headers: bool) -> dict[str, Any]:
    """Django's settings for cookies and redirects.

    Args:
        https: readers come by https.
        trust_proxy_headers: a proxy in front says how they came and from where.
    """
    settings: dict[str, Any] = {
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_SECURE": https,
        "SECURE_SSL_REDIRECT": https,
        # Probes of an orchestrator come by plain http, from inside.
        "SECURE_REDIRECT_EXEMPT": [r"^healthz$", r"^readyz$", r"^metrics$"],
        "SECURE_HSTS_SECONDS": HSTS_S if https else 0,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": False,
    }
    if trust_proxy_headers:
        settings["SECURE_PROXY_SSL_HEADER"] = ("HTTP_X_FORWARDED_PROTO", "https")
        settings["USE_X_FORWARDED_HOST"] = True
    return settings
