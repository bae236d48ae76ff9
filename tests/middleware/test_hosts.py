"""Which Host headers are answered."""

import pytest

from app.middleware.hosts import CACHED_HOSTS, Hosts

HOSTS = Hosts(["api.example.com", "*.example.org", "::1", "192.0.2.1"])


class TestHosts:
    @pytest.mark.parametrize(
        "header",
        [
            "api.example.com",
            "API.Example.COM",
            "api.example.com:8443",
            "a.example.org",
            "a.b.example.org:80",
            "[::1]",
            "[::1]:8000",
            "192.0.2.1:80",
        ],
    )
    def test_those_of_the_settings_are(self, header: str) -> None:
        assert HOSTS.answers(header.encode())

    @pytest.mark.parametrize(
        "header",
        [
            "",
            ":80",
            "example.com",
            "x.api.example.com",
            "api.example.com.evil.example",
            "example.org",
            ".example.org",
            "evilexample.org",
            "evil.example/.example.org",
            "evil.example#.example.org",
            "evil.example?.example.org",
            "evil.example@a.example.org",
            "evil.example\\.example.org",
            "evil.example .example.org",
            "api.example.com:80:80",
            "api.example.com:x",
            "api.example.com:²",
            "api.example.com@evil.example",
            "[api.example.com]",
            "[::1",
            "::1]",
            "[::2]",
            "192.0.2.10",
            "*.example.org",
            "\xe9.example.org",
            "\x00.example.org",
        ],
    )
    def test_others_are_not(self, header: str) -> None:
        assert not HOSTS.answers(header.encode("latin-1"))

    def test_any_is_any_name(self) -> None:
        assert Hosts(["*"]).answers(b"whatever.example:1")
        assert not Hosts(["*"]).answers(b"")

    def test_memory_of_names_is_bounded(self) -> None:
        hosts = Hosts(["*.example.org"])
        for number in range(2 * CACHED_HOSTS):
            assert hosts.answers(f"h{number}.example.org".encode())
        assert len(hosts._known) == CACHED_HOSTS
