"""Requests to speak another protocol, which are answered in HTTP/1.1."""

import json
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.server.conftest import HASTY, Client, Serve
from tests.server.messages import BROKEN, CHUNKED, GET, get, post

H2C = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    b"Upgrade: h2c",
)
"""What Java's HttpClient sends first on a connection without TLS."""
WEBSOCKET = (
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
BODY = b'{"a":"\r\n\r\n"}'
LENGTH = b"Content-Length: %d" % len(BODY)
PIECES = b"5;a=b\r\n" + BODY[:5] + b"\r\n7\r\n" + BODY[5:] + b"\r\n"
CHUNKS = PIECES + b"0\r\nUpgrade: h2c\r\n\r\n"

WITH_LENGTH = post(*H2C, LENGTH, body=BODY, path=b"/mirror")
WITH_CHUNKS = post(CHUNKED, *H2C, body=CHUNKS, path=b"/mirror")


class TestUpgrade:
    @pytest.mark.parametrize("headers", [H2C, WEBSOCKET], ids=["h2c", "websocket"])
    def test_gets_a_plain_answer(
        self, client: Client, headers: tuple[bytes, ...]
    ) -> None:
        for _ in range(3):
            answer = client.send(get(*headers)).answer()
            assert answer.status == 200
            assert "connection" not in answer.headers
            assert json.loads(answer.body)["method"] == "GET"

    def test_leaves_the_other_headers_as_they_are(self, client: Client) -> None:
        client.send(get(b"A:", *H2C, b"B:  c ", b"A: b"))
        seen = json.loads(client.answer().body)["headers"]
        assert seen == ["host", "a", "connection", "http2-settings", "b", "a"]

    @pytest.mark.parametrize("request_", [WITH_LENGTH, WITH_CHUNKS])
    def test_is_understood_wherever_it_is_split(
        self, patient_server: int, request_: bytes
    ) -> None:
        wire = request_ + GET
        with ExitStack() as stack:
            clients = [stack.enter_context(Client(patient_server)) for _ in wire]
            for i, client in enumerate(clients):
                client.send(wire[:i])
            time.sleep(0.3)  # for the server to read so far
            for i, client in enumerate(clients):
                client.send(wire[i:])
                assert client.answer().body == BODY
                assert client.answer().status == 200

    @pytest.mark.parametrize("request_", [WITH_LENGTH, WITH_CHUNKS])
    def test_is_understood_byte_by_byte(self, client: Client, request_: bytes) -> None:
        for i in range(len(request_)):
            client.send(request_[i : i + 1])
            time.sleep(0.001)
        assert client.answer().body == BODY
        assert client.send(GET).answer().status == 200

    def test_may_come_in_a_row(self, client: Client) -> None:
        row = [WITH_LENGTH, get(*WEBSOCKET, target=b"/mirror"), WITH_CHUNKS]
        client.send(*row * 500)
        bodies = [client.answer().body for _ in range(1500)]
        assert bodies == [BODY, b"", BODY] * 500

    def test_may_come_behind_a_plain_request(self, client: Client) -> None:
        client.send(get(target=b"/slow"), WITH_CHUNKS, GET)
        assert client.answer().body == b"slow"
        assert client.answer().body == BODY
        assert client.answer().status == 200

    def test_may_have_a_large_body(self, client: Client) -> None:
        body = bytes(range(256)) * 4096
        length = b"Content-Length: %d" % len(body)
        client.send(post(length, *H2C, body=body, path=b"/mirror"))
        assert client.answer().body == body

    def test_may_ask_to_close_as_well(self, client: Client) -> None:
        close = b"Connection: close, Upgrade"
        client.send(post(close, b"Upgrade: h2c", LENGTH, path=b"/mirror"), BODY)
        answer = client.answer()
        assert (answer.body, answer.headers["connection"]) == (BODY, "close")
        assert client.is_closed()

    def test_is_told_to_continue(self, client: Client) -> None:
        client.send(post(*H2C, LENGTH, b"Expect: 100-continue", path=b"/mirror"))
        assert client.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        client.file.readline()
        assert client.send(BODY).answer().body == BODY

    def test_is_plain_in_http_1_0(self, client: Client) -> None:
        client.send(WITH_LENGTH.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert client.answer().body == BODY
        assert client.is_closed()


def to_upgrade(request_: bytes) -> bytes:
    """Put the headers of an upgrade behind the first line of a request."""
    line, end, rest = request_.partition(b"\r\n")
    return line + end + b"\r\n".join([*H2C, rest])


class TestBrokenUpgrade:
    @pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
    def test_is_refused(self, client: Client, request_: bytes) -> None:
        refused = client.send(to_upgrade(request_)).answer()
        assert (refused.status, refused.problem["code"]) == (400, "bad_request")
        assert client.is_closed()

    @pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
    def test_is_refused_behind_another(self, client: Client, request_: bytes) -> None:
        client.send(WITH_CHUNKS, to_upgrade(request_))
        assert client.answer().body == BODY
        assert client.answer().problem["code"] == "bad_request"

    def test_names_the_path_once_it_is_known(self, client: Client) -> None:
        client.send(post(*H2C, CHUNKED, path=b"/orders", body=b"zz\r\n"))
        assert client.answer().problem["instance"] == "/orders"

    def test_is_not_replayed(self, client: Client) -> None:
        client.send(WITH_LENGTH, b"noise\r\n\r\n")
        assert client.answer().body == BODY
        assert client.answer().status == 400
        assert client.is_closed()


class TestLargeUpgrade:
    @pytest.mark.parametrize(
        "request_",
        [
            get(*H2C, b"A: " + b"a" * 33_000),
            get(b"Connection: upgrade", b"Upgrade: " + b"a" * 33_000),
            get(b"Connection: upgrade", *[b"Upgrade: a"] * 4_000),
            post(*H2C, CHUNKED, body=b"1;" + b"a" * 40_000),
            post(*H2C, CHUNKED, body=b"1\r\na\r\n0\r\n" + b"A: b\r\n" * 8_000),
            post(*H2C, b"A: " + b"a" * 20_000, CHUNKED, body=b"1;" + b"a" * 20_000),
        ],
        ids=["head", "long", "many", "extension", "trailers", "together"],
    )
    def test_is_refused(self, client: Client, request_: bytes) -> None:
        refused = client.send(request_).answer()
        assert (refused.status, refused.problem["code"]) == (431, "head_too_large")
        assert client.is_closed()

    def test_is_refused_for_its_target(self, client: Client) -> None:
        client.send(get(*H2C, target=b"/" + b"a" * 8192))
        assert client.answer().problem["code"] == "target_too_long"

    def test_is_not_one_of_32_kibibytes(self, client: Client) -> None:
        room = 32 * 1024 - len(get(*H2C, b"A: "))
        assert client.send(get(*H2C, b"A: " + b"a" * room)).answer().status == 200


class TestSlowUpgrade:
    def test_times_out_in_its_head(self, serve: Serve) -> None:
        with Client(serve()) as client:
            assert client.send(WITH_LENGTH[:-20]).answer().status == 408
            assert client.is_closed()

    @pytest.mark.parametrize("framing", [LENGTH, CHUNKED])
    def test_times_out_in_its_body(self, serve: Serve, framing: bytes) -> None:
        with Client(serve()) as client:
            refused = client.send(post(*H2C, framing, path=b"/orders")).answer()
            assert (refused.status, refused.problem["code"]) == (408, "request_timeout")
            assert refused.problem["instance"] == "/orders"
            assert client.is_closed()

    def test_is_closed_when_idle_afterwards(self, serve: Serve) -> None:
        with Client(serve(replace(HASTY, head_seconds=8))) as client:
            assert client.send(get(*WEBSOCKET)).answer().status == 200
            assert client.is_closed()
