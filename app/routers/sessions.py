"""The sessions API."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import AuthLimit, Sessions
from app.errors import Forbidden, TooManyRequests
from app.models.sessions import SessionRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.sessions import SessionQuery, SessionResponse
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/auth/sessions",
    tags=["auth"],
    dependencies=[AuthLimit],
    responses=responses(TooManyRequests),
)


@router.get("", response_model=Page[SessionResponse])
async def get_sessions(
    sessions: Sessions, query: Annotated[SessionQuery, Query()]
) -> Slice[SessionRow]:
    """List one's sessions that have not ended."""
    return await sessions.page(query)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, responses=responses(Forbidden))
async def end_other_sessions(sessions: Sessions) -> None:
    """End all of one's sessions but this one."""
    await sessions.end_others()


@router.delete(
    "/{session_id:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(Forbidden),
)
async def end_session(sessions: Sessions, session_id: UUID) -> None:
    """End one of one's sessions, this one or another."""
    await sessions.end(session_id)
