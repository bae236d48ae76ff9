"""Clients that are slow, or stop in the middle."""

import contextlib
import json
import time
from dataclasses import replace

import pytest

from app.server.limits import Limits
from tests.server import apps
from tests.server.conftest import HASTY, PATIENCE, Client, Serve

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(path: bytes, length: int, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
    return head % (path, length) + lines + b"\r\n"


class TestIdleConnection:
    def test_is_closed_without_a_word(self, serve: Serve) -> None:
        with Client(serve()) as client:
            assert client.is_closed()

    def test_is_closed_after_a_response(self, serve: Serve) -> None:
        with Client(serve()) as client:
            assert client.send(GET).answer().status == 200
            assert client.is_closed()

    def test_may_be_used_again_before(self, serve: Serve) -> None:
        with Client(serve(replace(HASTY, head_seconds=8), keep_alive=8)) as client:
            for _ in range(3):
                assert client.send(GET).answer().status == 200
                time.sleep(0.2)

    def test_is_one_of_hundreds(self, serve: Serve) -> None:
        port = serve()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(port)) for _ in range(300)]
            assert all(client.is_closed() for client in clients)

    def test_cannot_live_on_empty_lines(self, serve: Serve) -> None:
        with Client(serve()) as client:
            with contextlib.suppress(OSError):
                for _ in range(40):
                    client.send(b"\r\n")
                    time.sleep(0.1)
            assert b"200" not in client.file.readline()


class TestSlowHead:
    def test_times_out(self, serve: Serve) -> None:
        with Client(serve()) as client:
            refused = client.send(b"G").answer()
            assert (refused.status, refused.problem["code"]) == (408, "request_timeout")
            assert client.is_closed()

    def test_times_out_when_it_drips(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(GET[:-2], b"A: ").drip(pause=0.1, times=40)
            assert client.answer().status == 408

    def test_times_out_on_a_used_connection(self, serve: Serve) -> None:
        with Client(serve(keep_alive=8)) as client:
            assert client.send(GET, GET[:20]).answer().status == 200
            client.send(GET[20:30])
            assert client.answer().status == 408

    def test_waits_while_an_earlier_request_is_answered(self, serve: Serve) -> None:
        slow = GET.replace(b"/", b"/slow", 1)
        with Client(serve()) as client:
            client.send(slow, GET[:20])
            assert client.answer().body == b"slow"
            client.send(GET[20:])
            assert client.answer().status == 200


class TestSlowBody:
    def test_times_out(self, serve: Serve) -> None:
        with Client(serve()) as client:
            refused = client.send(post(b"/a", 9), b"x").answer()
            assert (refused.status, refused.problem["code"]) == (408, "request_timeout")
            assert refused.problem["instance"] == "/a"
            assert client.is_closed()

    def test_times_out_when_nothing_of_it_comes(self, serve: Serve) -> None:
        with Client(serve()) as client:
            assert client.send(post(b"/", 9)).answer().status == 408

    def test_times_out_when_it_drips(self, serve: Serve) -> None:
        with Client(serve(replace(HASTY, body_pause=5))) as client:
            client.send(post(b"/", 9999)).drip(pause=0.1, times=60)
            assert client.answer().status == 408

    def test_times_out_after_the_client_may_continue(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(post(b"/", 9, b"Expect: 100-continue"))
            assert client.file.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert client.file.readline() == b"\r\n"
            assert client.answer().status == 408

    def test_times_out_behind_another_request(self, serve: Serve) -> None:
        flood = GET.replace(b"/", b"/flood", 1)
        with Client(serve()) as client:
            client.send(flood, post(b"/", 9))
            time.sleep(0.2)  # the responses are held up, then let go
            answers = client.file.read()
        assert answers.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 408" in answers

    def test_tells_the_application_that_the_client_is_gone(self, serve: Serve) -> None:
        apps.gone.clear()
        with Client(serve()) as client:
            assert client.send(post(b"/wait", 9)).answer().status == 408
        assert apps.gone.wait(PATIENCE)

    def test_may_go_on_for_long_at_a_fair_rate(self, serve: Serve) -> None:
        limits = Limits(body_pause=5, body_seconds=1.5, body_rate=1000)
        with Client(serve(limits)) as client:
            client.send(post(b"/", 20_000))
            for _ in range(20):
                client.send(b"x" * 1000)
                time.sleep(0.1)
            assert json.loads(client.answer().body)["body"] == 20_000

    def test_waits_for_an_application_that_does_not_read(self, serve: Serve) -> None:
        size = 1_000_000  # more than is buffered before reading is paused
        with Client(serve()) as client:
            client.send(post(b"/lazy", size), b"x" * size)
            assert client.answer().body == b"%d" % size

    def test_waits_for_the_application_to_let_it_continue(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(post(b"/lazy", 1, b"Expect: 100-continue"))
            assert client.file.readline() == b"HTTP/1.1 100 Continue\r\n"
            assert client.send(b"x").file.readline() == b"\r\n"
            assert client.answer().body == b"1"

    def test_does_not_end_a_response(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(post(b"/stream", 9), b"x")
            assert client.file.read().endswith(b"3\r\nend\r\n0\r\n\r\n")

    def test_is_not_waited_for_after_the_response(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(post(b"/early", 9999))
            assert client.answer().status == 413
            client.drip(pause=0.1, times=40)
            assert client.is_closed()

    def test_that_nobody_read_leaves_the_connection_usable(self, serve: Serve) -> None:
        with Client(serve(keep_alive=8)) as client:
            assert client.send(post(b"/early", 200_000)).answer().status == 413
            client.send(b"x" * 200_000, GET)
            assert client.answer().status == 200


class TestSlowApplication:
    def test_is_waited_for(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(post(b"/slow", 1), b"x")
            assert client.answer().body == b"slow"

    def test_may_stream(self, serve: Serve) -> None:
        with Client(serve()) as client:
            client.send(GET.replace(b"/", b"/stream", 1))
            while client.file.readline() != b"3\r\n":
                pass
            assert client.file.readline() == b"end\r\n"


class TestSlowReader:
    flood = GET.replace(b"/", b"/flood", 1)

    def test_is_cut_off(self, serve: Serve) -> None:
        apps.gone.clear()
        with Client(serve(), receive_buffer=4096) as client:
            client.send(self.flood)
            assert apps.gone.wait(PATIENCE)

    def test_is_cut_off_after_a_broken_request(self, serve: Serve) -> None:
        apps.gone.clear()
        with Client(serve(), receive_buffer=4096) as client:
            client.send(self.flood)
            time.sleep(0.2)
            client.send(b"noise\r\n\r\n")
            assert apps.gone.wait(PATIENCE)

    @pytest.mark.parametrize("version", [b"1.0", b"1.1"])
    def test_is_cut_off_when_all_is_written(self, serve: Serve, version: bytes) -> None:
        port = serve()
        huge = b"GET /huge HTTP/%s\r\nHost: localhost\r\n\r\n" % version
        for pause in (2, 10):  # the longer one for a busy machine
            with Client(port, receive_buffer=4096) as client:
                client.send(huge)
                time.sleep(pause)
                with contextlib.suppress(ConnectionResetError):
                    if len(client.file.read()) >= apps.HUGE:
                        continue
                return
        pytest.fail("it was served after all")

    def test_is_served_while_it_reads(self, serve: Serve) -> None:
        limits = replace(HASTY, reader_seconds=1)
        with Client(serve(limits), receive_buffer=65536) as client:
            client.send(self.flood)
            size = 0
            while size < 4 * 1024 * 1024:
                size += len(client.file.read1(65536))
                time.sleep(0.03)
            client.file.read()
