"""Access tokens of Microsoft Entra for Azure, instead of a key.

An application's own secret is enough, and needs nothing but an HTTP request (OAuth 2.0 client
credentials, RFC 6749 section 4.4). Managed identities and the like come from ``azure-identity``,
if that is installed.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import httpx2
import msgspec

from readrealm.kernel.errors import ProviderUnavailable
from speech.realtime.providers import TokenSource

SCOPE = "https://ai.azure.com/.default"
AUTHORITY = "https://login.microsoftonline.com"
DEADLINE_S = 10.0
EARLY_S = 300.0
"""A token is renewed this long before it expires."""


class _Granted(msgspec.Struct, frozen=True):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    expires_in: Annotated[int, msgspec.Meta(ge=1)]
    """Seconds."""


@dataclass(slots=True)
class ClientCredentials:
    """Gives tokens of an application; called, it gives one that is good for a while.

    Raises:
        ProviderUnavailable: on calling, no token is given; says no more than that.
    """

    tenant: str
    client: str
    secret: str = field(repr=False)
    authority: str = AUTHORITY
    clock_s: Callable[[], float] = time.monotonic
    _token: str = field(default="", init=False, repr=False)
    _good_until_s: float = field(default=0.0, init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def __call__(self) -> str:
        async with self._asking:
            if self.clock_s() >= self._good_until_s:
                granted = await self._ask()
                self._token = granted.access_token
                self._good_until_s = self.clock_s() + granted.expires_in - EARLY_S
            return self._token

    async def _ask(self) -> _Granted:
        url = f"{self.authority}/{self.tenant}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": self.secret,
            "scope": SCOPE,
        }
        try:
            async with httpx2.AsyncClient(timeout=DEADLINE_S) as http:
                answer = await http.post(url, data=form)
                answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=_Granted)
        except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError):
            raise ProviderUnavailable("Azure: Entra gives no token") from None


def default_credential() -> TokenSource:
    """Whatever ``azure-identity`` finds: a managed identity, a workload identity, a login.

    Raises:
        ProviderUnavailable: it is not installed.
    """
    if find_spec("azure") is None or find_spec("azure.identity") is None:
        raise ProviderUnavailable(
            "Azure: set AZURE_REALTIME_KEY, or AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET, or install azure-identity"
        )
    identity, failures = import_module("azure.identity.aio"), import_module("azure.core.exceptions")
    ask: TokenSource = identity.get_bearer_token_provider(identity.DefaultAzureCredential(), SCOPE)

    async def token() -> str:
        try:
            return await ask()
        except failures.AzureError:
            raise ProviderUnavailable("Azure: Entra gives no token") from None

    return token
