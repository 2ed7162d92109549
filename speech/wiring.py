"""Builds voice from stores and settings: one part for each vocabulary, each by its own wiring."""

from dataclasses import dataclass

from speech.gateway import wiring as gateway
from speech.gateway.services import GatewayService


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Voice on one event loop of one process."""

    gateway: GatewayService


def build_from_settings() -> Speech:
    """Voice for the running event loop; no store is asked yet."""
    return Speech(gateway=gateway.build_from_settings())
