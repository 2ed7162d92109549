"""Builds voice from stores and settings: one part for each vocabulary, each by its own wiring."""

from dataclasses import dataclass

from speech.gateway import wiring as gateway_wiring
from speech.gateway.services import GatewayService
from speech.interviews import wiring as interviews_wiring
from speech.interviews.wiring import Interviews
from speech.routes import wiring as routes_wiring
from speech.routes.services import Routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Voice on one event loop of one process."""

    gateway: GatewayService
    routes: Routes
    interviews: Interviews


def build_from_settings() -> Speech:
    """Voice for the running event loop; no store is asked yet."""
    return Speech(
        gateway=gateway_wiring.build_from_settings(),
        routes=routes_wiring.build_from_settings(),
        interviews=interviews_wiring.build_from_settings(),
    )
