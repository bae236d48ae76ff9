"""Exports of personal data, and what may be found in them."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from httpx2 import Response

from app.config import Settings
from app.jobs.data_exports import export_data
from app.jobs.files import remove_file, remove_folder
from app.jobs.handlers import handle
from app.queue.data_exports import ExportData
from app.queue.files import RemoveFile, RemoveFolder
from app.schemas.data_exports import DataExportResponse
from tests.factories.users import Account
from tests.working import do_jobs

EXPORT = "/api/v1/users/me/export"
_HANDLERS = (
    handle(ExportData, export_data),
    handle(RemoveFile, remove_file),
    handle(RemoveFolder, remove_folder),
)


async def make_exports(app: FastAPI) -> None:
    """Do what requests for exports have left to be done, and clear files away."""
    await do_jobs(app, *_HANDLERS)


async def made(app: FastAPI, who: Account) -> dict[str, Any]:
    pending(await who.client.get(EXPORT))
    await make_exports(app)
    return fetched(await who.client.get(EXPORT))


def pending(answer: Response) -> dict[str, str]:
    assert answer.status_code == 202, answer.text
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, str] = answer.json()
    assert body.keys() == {"status", "requested_at", "expires_at"}
    assert body["status"] == "pending"
    return body


def fetched(answer: Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    named = 'attachment; filename="data-export.json"'
    assert answer.headers["content-disposition"] == named
    document: dict[str, Any] = answer.json()
    # It is written past FastAPI, and still is what OpenAPI says.
    read = DataExportResponse.model_validate_json(answer.content)
    assert read.model_dump(mode="json") == document
    return document


def files_of(who: Account, settings: Settings) -> list[Path]:
    folder = settings.ZENITH_HOME / "files" / "exports" / str(who.user.id)
    return list(folder.glob("*"))
