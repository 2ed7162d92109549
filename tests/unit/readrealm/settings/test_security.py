from csp.utils import build_policy

from readrealm.settings.security import content_security_policy, transport_security


def test_nothing_inline_and_nothing_foreign_runs():
    directives = content_security_policy()["DIRECTIVES"]

    policy = build_policy(config=directives, nonce="n0nce")
    assert "script-src 'self' 'nonce-n0nce'" in policy
    assert "default-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


def test_with_https_cookies_and_pages_go_encrypted_and_probes_may_not():
    settings = transport_security(https=True, trust_proxy_headers=False)

    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert "^healthz$" in settings["SECURE_REDIRECT_EXEMPT"]


def test_a_proxy_is_believed_only_when_that_is_said():
    assert "SECURE_PROXY_SSL_HEADER" not in transport_security(
        https=True, trust_proxy_headers=False
    )
    trusting = transport_security(https=True, trust_proxy_headers=True)
    assert trusting["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
