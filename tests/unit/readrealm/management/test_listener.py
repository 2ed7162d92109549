import socket

import pytest

from readrealm.management.listener import CannotListen, bind, listen, url_of


def test_any_free_port_is_taken_for_port_0():
    with bind("127.0.0.1", 0) as listener:
        listen(listener)

        address = listener.getsockname()
        assert address[1] > 0
        assert url_of(listener) == f"http://127.0.0.1:{address[1]}"
        socket.create_connection(address, timeout=5).close()


def test_nobody_gets_in_before_it_listens():
    with bind("127.0.0.1", 0) as listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(listener.getsockname(), timeout=5)


def test_a_taken_port_is_said_with_what_to_do():
    with bind("127.0.0.1", 0) as first:
        listen(first)
        port = first.getsockname()[1]

        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is taken: .* set PORT"):
            bind("127.0.0.1", port)


def test_a_port_that_was_taken_meanwhile_is_said_too():
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", first.getsockname()[1]) as second:
        listen(first)

        with pytest.raises(CannotListen, match="is taken"):
            listen(second)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1 is not an address of this .* HOST"):
        bind("192.0.2.1", 0)


def test_everywhere_is_shown_as_somewhere_a_browser_can_go():
    with bind("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")
