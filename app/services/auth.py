"""Signing up and signing in."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.repositories.users import Credentials, UserReader, UserRepository
from app.errors import FieldError, InactiveUser, InvalidGrant, ValidationFailed
from app.models.users import User
from app.schemas.auth import RegisterRequest, TokenRequest, TokenResponse
from app.schemas.types import (
    PASSWORD_TYPED_MAX,
    normalize_email,
    normalize_password,
)
from app.security.passwords import Passwords
from app.security.tokens import AccessTokens
from app.security.weak_passwords import weakness
from app.services.actor import public


@dataclass(frozen=True, slots=True)
class AuthService:
    """The use cases of people who have not proved yet who they are."""

    session: AsyncSession
    users: UserReader
    passwords: Passwords
    tokens: AccessTokens
    settings: Settings

    @public("Anybody may sign up.")
    async def register(self, new: RegisterRequest, *, superuser: bool = False) -> User:
        """Create an account; raise `EmailTaken` if the address has one."""
        context = (new.email, new.full_name, self.settings.PROJECT_NAME)
        # In a thread, for the first time loads a long list.
        reason = await asyncio.to_thread(weakness, new.password, context=context)
        if reason is not None:
            raise ValidationFailed(
                FieldError("/body/password", "password_too_weak", reason)
            )
        user = User(
            email=new.email,
            full_name=new.full_name,
            password_hash=await self.passwords.hash(new.password),
            is_active=True,
            is_superuser=superuser,
        )
        return await UserRepository(self.session).add(user)

    @public("The password is the proof.")
    async def issue_token(self, request: TokenRequest) -> TokenResponse:
        """Exchange a password for an access token.

        Raises `InvalidGrant`, the same and after the same work whether the address or
        the password is wrong; `InactiveUser` only to who knows the password.
        """
        password = _password(request.password)
        credentials = await self.users.credentials(_address(request.username))
        hashed = credentials.password_hash if credentials else None
        verdict = await self.passwords.verify(password, hashed)
        if credentials is None or not verdict.is_right:
            raise InvalidGrant("The address or the password is wrong.")
        if not credentials.is_active:
            raise InactiveUser("This account is switched off.")
        if verdict.is_outdated:
            await self._rehash(credentials, password)
        return TokenResponse(
            access_token=self.tokens.issue(credentials.user_id),
            token_type="bearer",  # noqa: S106 - the type's name (RFC 6750), no secret
            expires_in=self.tokens.lifetime,
        )

    async def _rehash(self, verified: Credentials, password: str) -> None:
        """Store a hash of today's parameters, now that the password is at hand."""
        users = UserRepository(self.session)
        await users.replace_hash(verified, await self.passwords.hash(password))


def _password(typed: str) -> str:
    """Compose what was typed; what is far too long is nobody's, and takes long."""
    return normalize_password(typed) if len(typed) <= PASSWORD_TYPED_MAX else ""


def _address(username: str) -> str:
    """Normalise what was typed; an impossible address is looked up like any other."""
    try:
        return normalize_email(username)
    except ValueError:
        return ""
