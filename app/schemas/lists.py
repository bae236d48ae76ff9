"""Queries of lists: which page, in which order, of which rows."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    MISSING,
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.pagination import (
    DEFAULT_SIZE,
    MAX_CURSOR,
    MAX_ROWS,
    MAX_SIZE,
    MAX_SORT_KEYS,
    PageRequest,
)
from app.schemas.base import BaseSchema

MAX_SEARCH = 200

_DIGITS = re.compile(r"[0-9]{1,18}")  # less than 2^63
_BOOLEAN = re.compile(r"true|false")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _spelled(pattern: re.Pattern[str], code: str, detail: str) -> BeforeValidator:
    """Refuse other spellings that Pydantic takes, as ``1_000``, ``yes`` or a date."""

    def check(text: Any) -> Any:
        if isinstance(text, str) and not pattern.fullmatch(text):
            raise PydanticCustomError(code, detail)
        return text

    return BeforeValidator(check)


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:  # in the first or the last hours that there are
        raise PydanticCustomError("datetime_parsing", _NO_TIME) from None


_NO_TIME = "Write a time of RFC 3339, with Z or an offset (whose + is %2B in a URL)"

DIGITS = _spelled(_DIGITS, "int_parsing", "Write a whole number in digits only")
"""Marks an integer of a query: ``Annotated[int, Field(ge=0, le=9), DIGITS]``."""

QueryBool = Annotated[bool, _spelled(_BOOLEAN, "bool_parsing", "Write true or false")]
QueryTime = Annotated[
    datetime,
    _spelled(_TIME, "datetime_parsing", _NO_TIME),
    AfterValidator(_in_utc),
    Field(examples=["2026-01-31T12:00:00Z"]),
]
SearchText = Annotated[
    str,
    StringConstraints(max_length=MAX_SEARCH, pattern=r"^[^\x00]*$"),
    Field(
        description="Words, each of which begins a word of what is found; case and"
        " accents do not matter. Without a letter or digit it finds nothing.",
        examples=["ada lov"],
    ),
]


def sortable(*names: str) -> Any:
    """Let ``sort`` name these fields."""
    key = f"-?({'|'.join(names)})"
    return Field(
        pattern=f"^{key}(,{key}){{0,{MAX_SORT_KEYS - 1}}}$",
        description=f"At most {MAX_SORT_KEYS} fields, comma-separated, each once;"
        " `-` before one sorts it downwards.",
    )


class ListQuery(BaseSchema):
    """The query of a list; a resource adds its own ``sort`` and its filters.

    A filter is ``is_active: QueryBool | MISSING = MISSING``: what is not sent is no
    condition.
    """

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=1, le=MAX_SIZE), DIGITS] = Field(
        default=DEFAULT_SIZE, description="Items on a page."
    )
    cursor: str | MISSING = Field(
        default=MISSING,
        min_length=1,
        max_length=MAX_CURSOR,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The `next_cursor` of a page: goes on behind it, at any depth."
        " Then there is no `page`, and no `total`.",
    )
    # After the cursor, for its check looks at that.
    page: Annotated[
        int, Field(ge=1, json_schema_extra={"maximum": MAX_ROWS}), DIGITS
    ] = Field(
        default=1,
        description=f"Pages by number end at row {MAX_ROWS:,} (page x size): from"
        " there, go on with the cursor.",
    )
    sort: Annotated[str, sortable("created_at")] = "-created_at"

    @field_validator("page")
    @classmethod
    def _check_page(cls, page: int, info: ValidationInfo) -> int:
        """Judge a page that was sent; the default is not checked."""
        if isinstance(info.data.get("cursor"), str):
            message = "Give a page or a cursor, not both"
            raise PydanticCustomError("page_with_cursor", message)
        if page * info.data.get("size", 1) > MAX_ROWS:
            message = f"Pages by number end at row {MAX_ROWS}: go on with the cursor"
            raise PydanticCustomError("page_too_deep", message)
        return page

    @field_validator("sort")
    @classmethod
    def _check_sort(cls, sort: str) -> str:
        names = sort.replace("-", "").split(",")
        if len(set(names)) < len(names):
            message = "A field to sort by is named twice"
            raise PydanticCustomError("repeated_field", message)
        return sort

    def request(self) -> PageRequest:
        """Return what is asked for, in terms that know nothing of HTTP."""
        own = ListQuery.model_fields.keys()
        return PageRequest(
            size=self.size,
            page=self.page,
            cursor=self.cursor if isinstance(self.cursor, str) else None,
            order=tuple(
                (key.removeprefix("-"), key.startswith("-"))
                for key in self.sort.split(",")
            ),
            filters=self.model_dump(exclude_unset=True, exclude=set(own)),
        )
