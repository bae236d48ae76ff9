"""Sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.models.base import new_id, utc_now
from app.models.sessions import UserSession
from app.security.refresh_tokens import RefreshToken


def user_session(user_id: UUID, **given: Any) -> UserSession:
    """A session that has just begun; say only what the test is about."""
    token, now = RefreshToken.first(new_id()), utc_now()
    defaults = {
        "id": token.session_id,
        "user_id": user_id,
        "device": "Firefox on Linux",
        "ip": "127.0.0.1",
        "created_at": now,
        "last_used_at": now,
        "expires_at": now + timedelta(days=7),
        "generation": token.generation,
        "token_hash": token.hash,
    }
    return UserSession(**{**defaults, **given})
