import pytest

from readrealm.kernel.errors import ProviderUnavailable
from speech.realtime import providers
from speech.realtime.protocol import Dialect
from speech.realtime.providers import Provider


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/",
        "r.openai.azure.com",
        "wss://r.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=d",
    ],
)
def test_azure_is_reached_by_its_host_however_it_is_written(endpoint):
    provider = providers.azure(endpoint, "gpt-realtime", key="k")
    assert provider.base_url == "wss://r.openai.azure.com/openai/v1"
    assert (provider.model, provider.key_header, provider.query) == ("gpt-realtime", "api-key", {})


def test_azure_in_the_preview_dialect_names_version_and_deployment():
    provider = providers.azure("https://r.test", "d", key="k", dialect=Dialect.PREVIEW)
    assert provider.base_url == "wss://r.test/openai"
    assert provider.query == {"api-version": "2025-04-01-preview", "deployment": "d"}


def test_azure_takes_a_token_in_place_of_a_key():
    async def token() -> str:
        return "t"

    provider = providers.azure("https://r.test", "d", token=token)
    assert (provider.token, provider.key_header) == (token, "Authorization")
    with pytest.raises(ProviderUnavailable):
        providers.azure("https://r.test", "d")


def test_openai_in_the_preview_dialect_says_so_in_a_header():
    assert providers.openai("m", key="k").headers == {}
    preview = providers.openai("m", key="k", dialect=Dialect.PREVIEW)
    assert preview.headers == {"OpenAI-Beta": "realtime=v1"}


def test_a_compatible_service_may_be_written_with_http():
    assert providers.openai("m", key="", base_url="http://h.test/v1").base_url == "ws://h.test/v1"
    assert providers.openai("m", key="k", base_url="https://h.test/v1").base_url.startswith("wss:")


def test_the_local_engine_has_an_address_or_a_socket_file():
    assert providers.local("127.0.0.1:8765").base_url == "ws://127.0.0.1:8765/v1"
    by_file = providers.local("unix:/run/engine.sock")
    assert str(by_file.unix_path) == "/run/engine.sock"
    assert by_file.is_local


@pytest.mark.parametrize("url", ["", "ftp://h.test", "ws://", "h.test"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ProviderUnavailable):
        Provider(name="x", base_url=url, model="m")


def test_a_key_is_never_sent_in_the_clear_over_a_network():
    with pytest.raises(ProviderUnavailable):
        providers.openai("m", key="secret", base_url="http://h.test/v1")
    assert providers.local("127.0.0.1:1", token="secret").key == "secret"


def test_a_key_is_never_printed():
    assert "secret" not in repr(providers.openai("m", key="secret"))
