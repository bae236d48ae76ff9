import socket

import pytest

from app.server.sockets import CannotListen, PortTaken, bind, raise_file_limit

resource = pytest.importorskip("resource")


class TestBind:
    def test_takes_a_free_port(self) -> None:
        with bind("127.0.0.1", 0) as listener:
            host, port = listener.getsockname()
            assert host == "127.0.0.1"
            with socket.create_connection((host, port)):
                pass

    def test_finds_a_name(self) -> None:
        with bind("localhost", 0) as listener:
            assert listener.getsockname()[0] == "127.0.0.1"

    def test_speaks_ipv6(self) -> None:
        if not socket.has_ipv6:
            pytest.skip("this machine has no IPv6")
        with bind("::1", 0) as listener:
            assert listener.family == socket.AF_INET6

    def test_tells_that_a_port_is_taken(self) -> None:
        with bind("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            with pytest.raises(PortTaken) as taken:
                bind("127.0.0.1", port)
        message = f"Port {port} is in use; choose another with --port."
        assert str(taken.value) == message

    def test_takes_a_port_again_at_once(self) -> None:
        with bind("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)):
                listener.accept()[0].close()  # leaves the port in TIME_WAIT
        bind("127.0.0.1", port).close()

    @pytest.mark.parametrize(
        ("host", "port"),
        [
            ("192.0.2.1", 0),  # reserved for documentation: nobody has it
            ("a..b", 0),
            ("127.0.0.1", 65536),
            ("127.0.0.1", -1),
        ],
    )
    def test_explains_an_address_in_one_line(self, host: str, port: int) -> None:
        with pytest.raises(CannotListen) as refused:
            bind(host, port)
        assert len(str(refused.value).splitlines()) == 1


class TestFileLimit:
    def test_is_raised_as_far_as_allowed(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] // 2, before[1]))
        try:
            raise_file_limit()
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
