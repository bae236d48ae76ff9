"""The jobs API, for superusers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query

from app.dependencies import Jobs, SuperusersOnly
from app.errors import Conflict, Forbidden, JobRunning
from app.models.jobs import JobHistory, JobRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.jobs import JobHistoryResponse, JobQuery, JobResponse
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/admin/jobs",
    tags=["admin"],
    dependencies=[SuperusersOnly],
    responses=responses(Forbidden),
)

JobId = Annotated[int, Path(ge=0, le=2**63 - 1)]


@router.get("", response_model=Page[JobResponse])
async def get_jobs(jobs: Jobs, query: Annotated[JobQuery, Query()]) -> Slice[JobRow]:
    """List the jobs that wait, run or are held."""
    return await jobs.page(query)


@router.get("/{job_id:int}", response_model=JobHistoryResponse)
async def get_job(jobs: Jobs, job_id: JobId) -> JobHistory:
    """Get a job and what has happened to it; one that is done, for a week more."""
    return await jobs.history(job_id)


@router.post(
    "/{job_id:int}/retry",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(Conflict, JobRunning),
)
async def retry_job(jobs: Jobs, job_id: JobId) -> None:
    """Let a job that waits or is held begin now."""
    await jobs.retry(job_id)


@router.post(
    "/{job_id:int}/discard",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(JobRunning),
)
async def discard_job(jobs: Jobs, job_id: JobId) -> None:
    """Take a job that waits or is held away; it is not done."""
    await jobs.discard(job_id)
