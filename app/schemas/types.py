"""Types that more than one body is made of."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.models.users import EMAIL_MAX, FULL_NAME_MAX

EMAIL_TYPED_MAX = 320  # before it is composed and its domain is encoded
PASSWORD_MIN, PASSWORD_MAX = 8, 128
PASSWORD_TYPED_MAX = 2 * PASSWORD_MAX  # decomposed characters shrink when composed

_FORGING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters that show nothing
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def normalize_email(text: str) -> str:
    """Return the one spelling of an address: NFC, IDNA, lower case.

    Raises `ValueError` for what is no address by RFC 5322 and RFC 6531.
    """
    if len(text) > EMAIL_TYPED_MAX:  # looking into it would take seconds
        raise ValueError("too long for an e-mail address")
    if "=?" in text:  # the standard library would decode it where it writes a mail
        raise ValueError("not an e-mail address")
    try:
        address = validate_email(
            text, check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None
    # Lower-casing may leave a decomposed character (as of U+0130): compose again.
    normalized = unicodedata.normalize("NFC", address.normalized.lower())
    if len(normalized) > EMAIL_MAX:
        raise ValueError("too long for an e-mail address")
    return normalized


def normalize_password(text: str) -> str:
    """Compose a password (NFC), so that every keyboard types the same one."""
    return unicodedata.normalize("NFC", text)


def _email(text: str) -> str:
    try:
        return normalize_email(text)
    except ValueError:
        # The library's message quotes the input.
        raise PydanticCustomError("email", "Not a valid e-mail address") from None


def _password(text: str) -> str:
    password = normalize_password(text)
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        message = f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters"
        raise PydanticCustomError("password_length", message)
    return password


class NameRules:
    """Refuses what forges lines elsewhere, turns text around, or shows nothing."""

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, text: str) -> str:
        name = unicodedata.normalize("NFC", text)
        if len(name) > self._most:  # composing can lengthen
            message = f"A name has at most {self._most} characters"
            raise PydanticCustomError("string_too_long", message)
        return _printable(name)


def _printable(name: str) -> str:
    if any(unicodedata.category(c) in _FORGING or c in _TURNING for c in name):
        raise PydanticCustomError("unprintable", "Control characters are not allowed")
    if not any(unicodedata.category(c)[0] in "LNPS" for c in name if c not in _BLANK):
        raise PydanticCustomError("unprintable", "A name has a visible character")
    return name


Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=EMAIL_TYPED_MAX),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}, examples=["ada@example.com"]),
]
Password = Annotated[
    str,
    StringConstraints(max_length=PASSWORD_TYPED_MAX),
    AfterValidator(_password),
    Field(
        json_schema_extra={
            "format": "password",
            "minLength": PASSWORD_MIN,
            "maxLength": PASSWORD_MAX,
        },
        examples=["correct horse battery staple"],
    ),
]
PresentPassword = Annotated[
    str,
    StringConstraints(min_length=1, max_length=PASSWORD_TYPED_MAX),
    AfterValidator(normalize_password),
    Field(
        json_schema_extra={"format": "password"},
        examples=["correct horse battery staple"],
    ),
]
"""A password to compare, whatever the rules were when it was chosen."""
FullName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=FULL_NAME_MAX),
    AfterValidator(NameRules(FULL_NAME_MAX)),
    Field(examples=["Ada Lovelace"]),
]
