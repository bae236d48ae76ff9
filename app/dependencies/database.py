"""What lives as long as the process, and the transaction of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import ZenithError
from app.integrations.http import HttpClients
from app.resources import Resources


async def get_resources(request: Request) -> Resources:
    return resources_of(request)


def resources_of(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


async def get_http(request: Request) -> HttpClients:
    return resources_of(request).http


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    """One request, one transaction: commit on return, roll back on an error.

    An expected failure that says so is committed, and answered only then.
    """
    failure: ZenithError | None = None
    async with resources_of(request).sessions() as session:
        try:
            yield session
        except ZenithError as error:
            if not error.commits:
                raise
            failure = error
        if session.in_transaction():  # none was begun if nothing was asked
            await session.commit()
    if failure is not None:
        raise failure


# scope="function" commits BEFORE the response is sent: with FastAPI's default scope a
# client would read "201 Created" of a row whose commit then fails.
DBSession = Annotated[AsyncSession, Depends(get_db, scope="function")]
SharedResources = Annotated[Resources, Depends(get_resources)]
HTTPClient = Annotated[HttpClients, Depends(get_http)]
