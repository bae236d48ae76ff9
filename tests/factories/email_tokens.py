"""Tokens of links in mails."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.models.base import new_id, utc_now
from app.models.email_tokens import EmailToken, Purpose
from app.models.users import User


async def email_token(app: FastAPI, user: User, purpose: Purpose, **given: Any) -> str:
    """Store a token that is good for an hour, and return what a mail would show."""
    tokens, now = app.state.resources.email_tokens, utc_now()
    id_ = new_id()
    defaults = {
        "id": id_,
        "user_id": user.id,
        "purpose": purpose,
        "email": user.email,
        "token_hash": tokens.make(id_),
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    row = EmailToken(**{**defaults, **given})
    async with app.state.resources.sessions.begin() as session:
        session.add(row)
    text: str = tokens.text(id_, hash=row.token_hash)
    return text
