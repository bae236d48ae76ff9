"""Passwords that somebody has just chosen."""

import asyncio
from collections.abc import Iterable

from app.errors import FieldError, ValidationFailed
from app.security.passwords import Passwords
from app.security.weak_passwords import weakness


async def hash_new_password(
    passwords: Passwords, password: str, *, pointer: str, context: Iterable[str]
) -> str:
    """Hash a password that is hard to guess; else raise `ValidationFailed`.

    ``context`` is what others know of its owner; ``pointer`` is where the error points.
    """
    # In a thread, for the first time loads a long list.
    reason = await asyncio.to_thread(weakness, password, context=tuple(context))
    if reason is not None:
        raise ValidationFailed(FieldError(pointer, "password_too_weak", reason))
    return await passwords.hash(password)
