"""The one kind of route: strict about bodies, and run again where that is safe."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from email.message import Message
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.convertors import IntegerConvertor, register_url_convertor
from typing_extensions import override

from app.db.errors import DATABASE_ERRORS, can_be_run_again
from app.errors import FieldError, UnsupportedMediaType, ValidationFailed
from app.middleware.guard import bounded
from app.problems import pointer
from app.web.strict_json import parse

ATTEMPTS = 4
PAUSE_SECONDS = 0.02
MAX_REPEATED = 100  # that are named
_UTF_8 = ("utf-8", "utf8")

ACCEPTED: Mapping[str, Any] = {
    "status_code": HTTPStatus.ACCEPTED,
    "response_class": Response,
}
"""Of an operation that leaves its work to a job, and has nothing to say."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """Reads JSON of the right media type, strictly."""

    async def raw_body(self, *, max_bytes: int | None = None) -> bytes:
        """Read a body of any media type; again, when the request is run again.

        At a path that the guard leaves alone, ``max_bytes`` is its bound.
        """
        if max_bytes is not None:
            self._receive = bounded(self.scope, self._receive, max_bytes=max_bytes)
        return await super().body()

    @override
    async def body(self) -> bytes:
        body = await self.raw_body()
        if body:
            self._require_json()
        return body

    @override
    async def json(self) -> Any:
        return parse(await self.body())

    def _require_json(self) -> None:
        if self.headers.get("content-encoding", "identity") != "identity":
            raise UnsupportedMediaType(
                "Send the body as it is, not compressed.",
                headers={"Accept-Encoding": "identity"},
            )
        message = Message()
        message["content-type"] = self.headers.get("content-type", "")
        charset = str(message.get_param("charset", "utf-8")).lower()
        if message.get_content_type() != "application/json" or charset not in _UTF_8:
            raise UnsupportedMediaType("Send the body as application/json in UTF-8.")


class StrictRoute(APIRoute):
    """A route whose request is one transaction, run again if the database asks for it.

    A deadlock, a serialization failure or a connection that died before the commit
    leaves nothing behind, so the use case is run again, with a pause that grows.
    """

    @override
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        reads_query = _reads_query(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            if reads_query and request.scope["query_string"]:
                _refuse_repeated(strict)
            for attempt in range(1, ATTEMPTS):
                try:
                    return await _in_one_transaction(handle, strict)
                except DATABASE_ERRORS as error:
                    if not can_be_run_again(error):
                        raise
                await asyncio.sleep(random.uniform(0.5, 1.5) * attempt * PAUSE_SECONDS)  # noqa: S311 - jitter
            return await _in_one_transaction(handle, strict)

        return handle_strictly


def _reads_query(dependant: Dependant) -> bool:
    inner = dependant.dependencies
    return bool(dependant.query_params) or any(_reads_query(one) for one in inner)


def _refuse_repeated(request: Request) -> None:
    """Refuse a parameter that stands there twice: FastAPI would take the last one."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in counted.items() if count > 1]
    if repeated:
        detail = "This parameter stands there more than once."
        raise ValidationFailed(
            *(
                FieldError(pointer("query", name), "repeated_parameter", detail)
                for name in repeated[:MAX_REPEATED]
            )
        )


async def _in_one_transaction(handle: Handler, request: Request) -> Response:
    # Dependencies of scope "function", the session among them, end with this stack:
    # FastAPI would end them outside of the route's handler, too late to try again.
    async with AsyncExitStack() as stack:
        request.scope["fastapi_function_astack"] = stack
        return await handle(request)


class NumberConvertor(IntegerConvertor):
    """A number that PostgreSQL may know; Python refuses to read far longer ones."""

    regex = "[0-9]{1,19}"


register_url_convertor("int", NumberConvertor())


class Router(APIRouter):
    """A router of strict routes, whose operations are named after their functions."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            route_class=StrictRoute,
            redirect_slashes=False,
            generate_unique_id_function=lambda route: route.name,
            **options,
        )
