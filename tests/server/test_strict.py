"""Requests that are broken, ambiguous or too large."""

import json
import time

import pytest

from app.server.limits import Limits
from tests.server import apps
from tests.server.conftest import PATIENCE, Client, Serve
from tests.server.messages import BROKEN, CHUNKED, GET, get, post


class TestBrokenRequest:
    @pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
    def test_is_refused_with_a_problem(self, client: Client, request_: bytes) -> None:
        refused = client.send(request_).answer()
        assert refused.status == 400
        assert refused.problem["code"] == "bad_request"
        assert client.is_closed()

    @pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
    def test_is_refused_byte_by_byte(self, client: Client, request_: bytes) -> None:
        try:
            for i in range(len(request_)):
                client.send(request_[i : i + 1])
        except OSError:  # refused before its end
            pass
        assert client.answer().problem["code"] == "bad_request"

    def test_waits_for_the_answer_to_an_earlier_one(self, client: Client) -> None:
        client.send(get(target=b"/slow"), b"noise\r\n\r\n")
        assert client.answer().body == b"slow"
        assert client.answer().problem["code"] == "bad_request"
        assert client.is_closed()

    def test_with_a_broken_body_waits_for_its_turn(self, client: Client) -> None:
        client.send(get(target=b"/slow"), post(CHUNKED, body=b"zz\r\n"))
        assert client.answer().body == b"slow"
        assert client.answer().problem["code"] == "bad_request"
        assert client.is_closed()

    def test_names_the_path_once_it_is_known(self, client: Client) -> None:
        client.send(post(CHUNKED, path=b"/orders"))
        client.send(b"zz\r\n")
        assert client.answer().problem["instance"] == "/orders"

    def test_is_not_told_to_continue(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.send(post(b"Expect: 100-continue", CHUNKED, body=b"zz\r\n"))
        assert client.answer().status == 400
        assert client.is_closed()
        time.sleep(0.1)  # for the application to find out
        assert "Exception in ASGI application" not in caplog.text

    def test_that_goes_on_after_its_answer_is_cut_off(self, client: Client) -> None:
        client.send(post(CHUNKED, path=b"/early"))
        assert client.answer().status == 413
        client.send(b"zz\r\n")
        assert client.is_closed()

    def test_ends_a_response_that_has_begun(self, client: Client) -> None:
        client.send(post(CHUNKED, path=b"/stream"))
        assert client.file.readline().startswith(b"HTTP/1.1 200")
        client.send(b"zz\r\n")
        assert not client.file.read().endswith(b"0\r\n\r\n")


class TestOddRequest:
    @pytest.mark.parametrize(
        ("target", "path"),
        [
            (b"/%ff", "/\ufffd"),
            (b"/%00", "/\x00"),
            (b"/a%2Fb", "/a/b"),
            (b"/%", "/%"),
            (b"//elsewhere/", "//elsewhere/"),
            (b"/../..", "/../.."),
            (b"http://localhost/a", "/a"),
        ],
    )
    def test_reaches_the_application(
        self, client: Client, target: bytes, path: str
    ) -> None:
        answer = client.send(get(target=target)).answer()
        assert answer.status == 200
        assert json.loads(answer.body)["path"] == path

    def test_is_answered_in_http_1_0(self, client: Client) -> None:
        answer = client.send(b"GET / HTTP/1.0\r\n\r\n").answer()
        assert answer.status == 200
        assert client.is_closed()

    def test_cannot_add_headers_by_trailers(self, client: Client) -> None:
        client.send(post(CHUNKED, path=b"/lazy"), b"1\r\na\r\n0\r\nX-Late: 1\r\n\r\n")
        assert client.answer().body == b"1"
        client.send(post(CHUNKED, body=b"1\r\na\r\n"))
        client.send(b"0\r\nX-Late: 1\r\n\r\n")
        assert "x-late" not in json.loads(client.answer().body)["headers"]

    def test_is_answered_in_order_when_pipelined(self, client: Client) -> None:
        paths = [b"/slow", b"/a", b"/b", b"/early", b"/c"]
        client.send(*(get(target=path) for path in paths))
        bodies = [client.answer().body for _ in paths]
        assert bodies[0] == b"slow"
        assert bodies[3] == b"early"
        seen = [json.loads(bodies[i])["path"] for i in (1, 2, 4)]
        assert seen == ["/a", "/b", "/c"]


class TestLargeHead:
    def test_is_refused_when_complete(self, client: Client) -> None:
        refused = client.send(get(b"A: " + b"a" * 33_000)).answer()
        assert (refused.status, refused.problem["code"]) == (431, "head_too_large")
        assert client.is_closed()

    def test_is_refused_when_it_never_ends(self, client: Client) -> None:
        client.send(GET[:-2], b"A: " + b"a" * 20_000)
        client.send(b"a" * 20_000)
        assert client.answer().problem["code"] == "head_too_large"

    def test_is_refused_when_made_of_many_headers(self, client: Client) -> None:
        assert client.send(get(*[b"A: b"] * 8_000)).answer().status == 431

    def test_is_refused_behind_another_request(self, client: Client) -> None:
        client.send(GET, get(b"A: " + b"a" * 33_000))
        assert client.answer().status == 200
        assert client.answer().status == 431

    def test_is_refused_though_a_part_came_with_the_request_before(
        self, client: Client
    ) -> None:
        head = get(b"A: " + b"a" * 33_000)
        client.send(GET + head[:20_000])
        assert client.answer().status == 200
        client.send(head[20_000:])
        assert client.answer().status == 431

    def test_is_not_one_of_32_kibibytes(self, client: Client) -> None:
        room = 32 * 1024 - len(get(b"A: "))
        assert client.send(get(b"A: " + b"a" * room)).answer().status == 200

    def test_is_not_one_with_a_large_body(self, client: Client) -> None:
        body = b"a" * 200_000
        client.send(post(b"Content-Length: 200000", body=body), GET)
        assert json.loads(client.answer().body)["body"] == 200_000
        assert client.answer().status == 200

    def test_is_not_many_pipelined_requests(self, client: Client) -> None:
        client.send(GET * 1000)
        assert {client.answer().status for _ in range(1000)} == {200}

    def test_includes_the_extensions_of_chunks(self, client: Client) -> None:
        client.send(post(CHUNKED), b"1;" + b"a" * 40_000)
        assert client.answer().status == 431

    def test_includes_trailers(self, client: Client) -> None:
        client.send(post(CHUNKED), b"1\r\na\r\n0\r\n", b"A: b\r\n" * 8_000)
        assert client.answer().status == 431

    def test_is_not_a_body_of_many_chunks(self, client: Client) -> None:
        client.send(post(CHUNKED), b"1\r\na\r\n" * 50_000, b"0\r\n\r\n")
        assert json.loads(client.answer().body)["body"] == 50_000


class TestLongTarget:
    def test_is_refused(self, client: Client) -> None:
        refused = client.send(get(target=b"/" + b"a" * 8192)).answer()
        assert (refused.status, refused.problem["code"]) == (414, "target_too_long")
        assert client.is_closed()

    def test_is_refused_when_it_never_ends(self, client: Client) -> None:
        assert client.send(b"GET /", b"a" * 8192).answer().status == 414

    def test_is_not_one_of_8_kibibytes(self, client: Client) -> None:
        assert client.send(get(target=b"/" + b"a" * 8191)).answer().status == 200


class TestApplicationWithoutAnswer:
    @pytest.mark.parametrize("path", [b"/die", b"/silence"])
    def test_is_a_problem(self, client: Client, path: bytes) -> None:
        failed = client.send(get(target=path)).answer()
        assert (failed.status, failed.problem["code"]) == (500, "internal_error")
        assert failed.problem["instance"] == path.decode()
        assert client.is_closed()

    def test_is_a_problem_when_overloaded(self, serve: Serve) -> None:
        with Client(serve(Limits(), limit_concurrency=1)) as client:
            refused = client.send(GET).answer()
        assert (refused.status, refused.problem["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"] == "1"


class TestClientThatLeaves:
    def test_is_noticed_though_another_request_is_queued(self, client: Client) -> None:
        apps.gone.clear()
        client.send(get(target=b"/wait"), GET)
        client.close()
        assert apps.gone.wait(PATIENCE)
