"""The bridge's channel layer without a server: nothing here publishes or subscribes."""

from collections.abc import Iterator

import pytest
from channels.layers import channel_layers

from readrealm.socketio_bridge import RoomChannelLayer

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(autouse=True)
def channel_layer() -> Iterator[RoomChannelLayer]:
    """The layer that consumers find."""
    layer = RoomChannelLayer(hosts=[NOWHERE])
    before = channel_layers.set("default", layer)
    yield layer
    if before is None:
        del channel_layers.backends["default"]
    else:
        channel_layers.set("default", before)
