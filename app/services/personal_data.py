"""Puts together what Zenith knows of a person."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.personal_data import PersonalDataRepository
from app.db.tenancy import enter
from app.models.base import utc_now
from app.models.profiles import DEFAULT_LOCALE, DEFAULT_TIME_ZONE
from app.schemas.base import Output
from app.schemas.data_exports import (
    ExportedAccount,
    ExportedActor,
    ExportedApiKey,
    ExportedAuditEvent,
    ExportedDevice,
    ExportedInvitation,
    ExportedLink,
    ExportedMembership,
    ExportedProfile,
    ExportedSession,
    ExportedTarget,
)

_log = structlog.get_logger()


class _Document:
    """JSON that is written piece by piece, so that lists need not be in memory."""

    def __init__(self) -> None:
        self._file = BytesIO()
        self._next = b"{\n"

    def add(self, name: str, value: object) -> None:
        self._file.write(self._next + to_json(name) + b": " + to_json(value))
        self._next = b",\n"

    def add_list(self, name: str, items: Iterable[Output]) -> None:
        self.begin_list(name)
        self.add_items(items)
        self.end_list()

    def begin_list(self, name: str) -> None:
        self._file.write(self._next + to_json(name) + b": [")
        self._next = b"\n"

    def add_items(self, items: Iterable[Output]) -> None:
        for item in items:
            self._file.write(self._next + to_json(item))
            self._next = b",\n"

    def end_list(self) -> None:
        self._file.write(b"\n]")
        self._next = b",\n"

    def end(self) -> bytes:
        self._file.write(b"\n}\n")
        return self._file.getvalue()


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Everything about one person, organization by organization."""

    session: AsyncSession
    user_id: UUID

    async def document(self) -> bytes | None:
        """Write the JSON of `DataExportResponse`; None for who may not sign in."""
        await enter(self.session, user_id=self.user_id)
        known = PersonalDataRepository(self.session, self.user_id)
        user = await known.account()
        if user is None:
            return None
        document = _Document()
        document.add("exported_at", utc_now())
        document.add("account", ExportedAccount.model_validate(user))
        document.add("profile", await _profile(known))
        document.add_list("sessions", map(_session, await known.sessions()))
        devices = map(ExportedDevice.model_validate, await known.devices())
        document.add_list("devices", devices)
        links = map(ExportedLink.model_validate, await known.mailed_links())
        document.add_list("mailed_links", links)
        organizations = [
            ExportedMembership.model_validate(row)
            for row in await known.organizations()
        ]
        document.add_list("organizations", organizations)
        invitations = await known.invitations(user.email)
        document.add_list(
            "invitations", map(ExportedInvitation.model_validate, invitations)
        )
        await self._add_of_organizations(
            document, known, [organization.id for organization in organizations]
        )
        return document.end()

    async def _add_of_organizations(
        self, document: _Document, known: PersonalDataRepository, ids: list[UUID]
    ) -> None:
        document.begin_list("api_keys")
        async for id_ in self._each(ids):
            keys = await known.api_keys(id_)
            document.add_items(map(ExportedApiKey.model_validate, keys))
        document.end_list()
        document.begin_list("audit_events")
        written = 0
        async for id_ in self._each(ids):
            async for batch in known.audit_events(id_):
                document.add_items(self._event(row) for row in batch)
                written += len(batch)
                _log.info(
                    "exporting personal data",
                    user_id=str(self.user_id),
                    audit_events=written,
                )
        document.end_list()

    async def _each(self, ids: list[UUID]) -> AsyncIterator[UUID]:
        """Enter one organization after the other."""
        for id_ in ids:
            await enter(self.session, organization_id=id_)
            yield id_

    def _event(self, row: Any) -> ExportedAuditEvent:
        """Show a change, without the address of somebody else."""
        by_superuser = row.impersonator_id is not None
        is_own = row.actor_id == self.user_id and not by_superuser
        return ExportedAuditEvent(
            id=row.id,
            organization_id=row.organization_id,
            action=row.action,
            actor=ExportedActor(
                type=row.actor_type, id=row.actor_id, by_superuser=by_superuser
            ),
            target=ExportedTarget(
                type=row.target_type, id=row.target_id, label=row.target_label
            ),
            changes=row.changes,
            request_id=row.request_id,
            ip=row.ip if is_own else None,
            created_at=row.created_at,
        )


async def _profile(known: PersonalDataRepository) -> ExportedProfile:
    row = await known.profile()
    return ExportedProfile(
        locale=row.locale if row else DEFAULT_LOCALE,
        time_zone=row.time_zone if row else DEFAULT_TIME_ZONE,
        has_avatar=row is not None and row.avatar_key is not None,
    )


def _session(row: Any) -> ExportedSession:
    by_superuser = row.impersonator_id is not None
    return ExportedSession(
        id=row.id,
        device=row.device,
        ip=None if by_superuser else row.ip,
        by_superuser=by_superuser,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
