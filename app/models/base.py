"""What every table has."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from uuid_utils.compat import uuid7


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): unique, and sorted by time of creation."""
    return uuid7()


class Base(DeclarativeBase):
    """Base of all tables; named constraints keep migrations reversible."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, Any] = {datetime: DateTime(timezone=True)}

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


def _created_at(context: Any) -> Any:
    """Let a new row be updated when it was created, to the microsecond."""
    return context.get_current_parameters()["created_at"]


class TimestampMixin:
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=_created_at, onupdate=utc_now)


class VersionMixin:
    """Counts the changes of a row; conditional requests compare the count.

    Every UPDATE through the session raises it and fails if it has moved meanwhile.
    """

    version: Mapped[int] = mapped_column(default=1, server_default="1")

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy gives the class
        return {"version_id_col": cls.version}
