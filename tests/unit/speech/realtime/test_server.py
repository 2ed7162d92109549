"""Where the local engine may listen."""

import pytest

from speech.realtime.server import read_address


@pytest.mark.parametrize("text", ["0.0.0.0:1", "192.168.1.2:1", "[::]:1", "example.org:1"])
def test_the_engine_never_listens_where_others_can_reach_it(text: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        read_address(text)


@pytest.mark.parametrize("text", ["", "8765", "127.0.0.1", "127.0.0.1:1/x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        read_address(text)
