"""Bodies of the profile API."""

from datetime import datetime
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import MISSING, AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.models.profiles import LOCALE_MAX, TIME_ZONE_MAX
from app.schemas.base import Output, Patch

# Language, script, region and variants; registers of what these mean grow by the year.
_LOCALE = (
    "^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    "(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*$"
)
_NO_PLACES = frozenset({"Factory", "localtime"})  # files beside the zones

_REGION, _SCRIPT = 2, 4  # by their lengths


@cache
def known_time_zones() -> frozenset[str]:
    """Return the names of IANA's time zones; the first call reads many files."""
    return frozenset(available_timezones() - _NO_PLACES)


def _canonical(tag: str) -> str:
    """Write a language tag as RFC 5646 recommends: ``pt-BR``, ``zh-Hant-TW``."""
    language, *others = tag.lower().split("-")
    cased = {_REGION: str.upper, _SCRIPT: str.title}
    return "-".join([language, *(cased.get(len(o), str)(o) for o in others)])


def _known(name: str) -> str:
    if name not in known_time_zones():
        raise PydanticCustomError("time_zone", "Not a time zone of the IANA database")
    return name


Locale = Annotated[
    str,
    StringConstraints(max_length=LOCALE_MAX, pattern=_LOCALE),
    AfterValidator(_canonical),
    Field(description="A language tag (BCP 47).", examples=["pt-BR"]),
]
TimeZone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TIME_ZONE_MAX),
    AfterValidator(_known),
    Field(description="A name of the IANA database.", examples=["Europe/Berlin"]),
]


class ProfileUpdate(Patch):
    locale: Locale | MISSING = MISSING
    time_zone: TimeZone | MISSING = MISSING


class ProfileResponse(Output):
    locale: str
    time_zone: str
    avatar_url: str | None = Field(
        description="Asks for the access token, too; another picture has another one."
    )
    updated_at: datetime = Field(
        description="When the account was created, while nothing has been changed."
    )
