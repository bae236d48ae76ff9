"""ASGI applications that behave in the ways a server must live with."""

import asyncio
import json
import os
import threading
import time
from typing import Any

HUGE = 32 * 1024 * 1024

draining = threading.Event()
gone = threading.Event()
"""Set when a client that was written to has gone."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    handle = ROUTES.get(scope["path"], echo)
    await handle(scope, receive, send)


async def live(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def create() -> Any:
    return app


async def stillborn(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("no database")


async def answer(send: Any, body: bytes, status: int = 200) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Any) -> bytes | None:
    """Read a body; None stands for a client that went away."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        if not message["more_body"]:
            return bytes(body)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = await read(receive)
    if body is None:
        return
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": [name.decode("latin-1") for name, _ in scope["headers"]],
        "body": len(body),
        "pid": os.getpid(),
    }
    await answer(send, json.dumps(seen).encode())


async def mirror(_scope: Any, receive: Any, send: Any) -> None:
    body = await read(receive)
    if body is not None:
        await answer(send, body)


async def ready(_scope: Any, _receive: Any, send: Any) -> None:
    await answer(send, b"ready", 503 if draining.is_set() else 200)


async def slow(_scope: Any, _receive: Any, send: Any) -> None:
    """Take longer than any deadline of the tests."""
    print("slow begun", flush=True)  # noqa: T201 -- what the parent process waits for
    await asyncio.sleep(1.5)
    await answer(send, b"slow")


async def hang(_scope: Any, _receive: Any, send: Any) -> None:
    print("hang begun", flush=True)  # noqa: T201 -- as above
    await asyncio.sleep(600)
    await answer(send, b"hung")


async def block(_scope: Any, _receive: Any, _send: Any) -> None:
    print("block begun", flush=True)  # noqa: T201 -- as above
    time.sleep(600)  # noqa: ASYNC251 -- an application that nobody can cancel


async def lazy(_scope: Any, receive: Any, send: Any) -> None:
    """Read the body only after a while."""
    await asyncio.sleep(1.5)
    body = await read(receive)
    if body is not None:
        await answer(send, b"%d" % len(body))


async def early(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer without reading the body."""
    await answer(send, b"early", 413)


async def stream(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(10):
        await send({"type": "http.response.body", "body": b"drop", "more_body": True})
        await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": b"end"})


async def flood(_scope: Any, receive: Any, send: Any) -> None:
    """Write 4 MiB in small pieces, and tell when the client has gone."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1024):
        piece = {"type": "http.response.body", "body": b"x" * 4096, "more_body": True}
        await send(piece)
    await send({"type": "http.response.body", "body": b""})
    message = await receive()
    if message["type"] == "http.disconnect":
        gone.set()


async def huge(_scope: Any, _receive: Any, send: Any) -> None:
    """Write 32 MiB at once, and be done."""
    await answer(send, b"x" * HUGE)


async def wait(_scope: Any, receive: Any, _send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def die(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("a fault")


async def say_nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    return


ROUTES = {
    "/mirror": mirror,
    "/ready": ready,
    "/slow": slow,
    "/hang": hang,
    "/block": block,
    "/lazy": lazy,
    "/early": early,
    "/stream": stream,
    "/flood": flood,
    "/huge": huge,
    "/wait": wait,
    "/die": die,
    "/silence": say_nothing,
}
