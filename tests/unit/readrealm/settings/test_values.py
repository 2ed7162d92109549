import pytest

from readrealm.kernel.ratelimit import Rate
from readrealm.settings import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10/10s", Rate(count=10, period_ms=10_000)),
        ("500/250ms", None),
        ("5/250ms", Rate(count=5, period_ms=250)),
        ("600/1m", Rate(count=600, period_ms=60_000)),
        ("1/2h", Rate(count=1, period_ms=7_200_000)),
    ],
)
def test_a_rate_is_a_count_in_a_period_of_at_least_as_many_milliseconds(text, expected):
    if expected is None:
        with pytest.raises(ValueError, match="millisecond"):
            values.rate(text)
    else:
        assert values.rate(text) == expected


@pytest.mark.parametrize("text", ["off", "OFF"])
def test_off_is_no_rate_and_no_limit(text):
    assert values.rate(text) is None
    assert values.limit(text) is None


@pytest.mark.parametrize(
    "text", ["10", "10/10", "0/1s", "10/0s", "-1/1s", "1.5/1s", "ten/1s", "1/1d"]
)
def test_anything_else_is_not_a_rate(text):
    with pytest.raises(ValueError, match="not a rate"):
        values.rate(text)


@pytest.mark.parametrize("text", ["0", "1000001", "-1", "1e3", "", "many"])
def test_a_limit_is_one_to_a_million(text):
    with pytest.raises(ValueError, match="not a whole number from 1 to 1000000"):
        values.limit(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert values.is_loopback(host) is expected


@pytest.mark.parametrize(
    "text",
    ["https://a.example", "http://localhost:3000", "https://*.a.example", "http://[::1]:8000"],
)
def test_an_origin_is_scheme_host_and_port(text):
    assert values.origin(text) == text


@pytest.mark.parametrize(
    "text",
    ["*", "null", "a.example", "https://a.example/", "https://a.example/x", "ftp://a.example"],
)
def test_anything_else_is_not_an_origin(text):
    with pytest.raises(ValueError, match="not an origin"):
        values.origin(text)


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on"])
def test_a_switch_is_on(text):
    assert values.switch(text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0", "no", "off"])
def test_a_switch_is_off(text):
    assert values.switch(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://a,b,c/chat?replicaSet=x",
        "mongodb+srv://u:p@a.example/chat",
        "mongodb://a/?w=majority&journal=true",
    ],
)
def test_a_mongodb_that_keeps_what_it_acknowledges_is_taken(text):
    assert values.mongodb_url(text) == text


@pytest.mark.parametrize(
    "text",
    ["mongodb://a/?w=1", "mongodb://a/?W=0", "mongodb://a/?w=2", "mongodb://a/?journal=false"],
)
def test_a_mongodb_that_may_lose_what_it_acknowledges_is_refused(text):
    with pytest.raises(ValueError, match="acknowledged"):
        values.mongodb_url(text)


@pytest.mark.parametrize("text", ["redis://", "http://a", "localhost:6379", "memory://"])
def test_only_a_redis_is_a_redis(text):
    with pytest.raises(ValueError, match="not such a URL"):
        values.redis_url(text)


@pytest.mark.parametrize("text", ["mysql://a/b", "postgresql://", "/var/db.sqlite3"])
def test_only_postgresql_and_sqlite_are_databases(text):
    with pytest.raises(ValueError, match="not such a URL"):
        values.database_url(text)
