"""Signing in, and staying signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.devices import DeviceRepository
from app.db.repositories.sessions import LockedSession, SessionRepository
from app.db.repositories.users import Credentials, UserReader, UserRepository
from app.errors import InactiveUser, InvalidGrant, RefreshTokenReused
from app.models.base import new_id, utc_now
from app.models.sessions import UserSession
from app.schemas.auth import PasswordGrant, RefreshTokenGrant, TokenResponse
from app.schemas.types import (
    PASSWORD_TYPED_MAX,
    normalize_email,
    normalize_password,
)
from app.security.devices import describe
from app.security.limits import LOGIN, Limiter, client_key
from app.security.passwords import Passwords
from app.security.refresh_tokens import NONCE_BYTES, RefreshToken, RefreshTokens
from app.security.tokens import AccessTokens
from app.services.account_mails import AccountMails
from app.services.actor import Client, public

_log = structlog.get_logger()

GRACE = timedelta(seconds=10)
"""How long a token that was just used gets its successor again (see `_again`)."""
LONGEST = timedelta(days=90)
"""How long a session lasts at most, however often it is used."""


@dataclass(frozen=True, slots=True)
class TokenService:
    """The grants of the token endpoint (RFC 6749)."""

    session: AsyncSession
    users: UserReader
    passwords: Passwords
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    lifetime: timedelta
    """How long a session lasts that is not used."""
    limiter: Limiter
    client: Client
    mails: AccountMails

    @public("The password, or the refresh token, is the proof.")
    async def issue(self, grant: PasswordGrant | RefreshTokenGrant) -> TokenResponse:
        """Exchange a proof for an access token and a refresh token."""
        if isinstance(grant, PasswordGrant):
            return await self._sign_in(grant)
        return await self._refresh(self.refresh_tokens.read(grant.refresh_token))

    async def _sign_in(self, grant: PasswordGrant) -> TokenResponse:
        """Begin a session.

        Raises `InvalidGrant`, the same and after the same work whether the address or
        the password is wrong; `InactiveUser` only to who knows the password.
        """
        email = _address(grant.username)
        who = (email, client_key(self.client.address))
        async with self.limiter.failures(LOGIN, *who, failure=InvalidGrant):
            verified = await self._verify(email, _password(grant.password))
        return await self._begin(verified)

    async def _verify(self, email: str, password: str) -> Credentials:
        credentials = await self.users.credentials(email)
        hashed = credentials.password_hash if credentials else None
        verdict = await self.passwords.verify(password, hashed)
        if credentials is None or not verdict.is_right:
            raise InvalidGrant("The address or the password is wrong.")
        if not credentials.is_active:
            raise InactiveUser("This account is switched off.")
        if verdict.is_outdated:
            rehashed = await self.passwords.hash(password)
            await UserRepository(self.session).replace_hash(credentials, rehashed)
        return credentials

    async def _begin(self, verified: Credentials) -> TokenResponse:
        # Whoever changes the password or switches the account off ends its sessions
        # after this one is there, or this one is not begun.
        if not await UserRepository(self.session).still_has(verified):
            raise InvalidGrant("The password was changed just now.")
        device = describe(self.client.user_agent)
        if await DeviceRepository(self.session).see(verified.id, device):
            await self.mails.new_device(verified, device=device, ip=self.client.address)
        sessions = SessionRepository(self.session)
        token, now = RefreshToken.first(new_id()), utc_now()
        row = UserSession(
            id=token.session_id,
            user_id=verified.id,
            device=device,
            ip=self.client.address,
            created_at=now,
            last_used_at=now,
            expires_at=now + self.lifetime,
            generation=token.generation,
            token_hash=token.hash,
        )
        return self._response(await sessions.add(row), token)

    async def _refresh(self, token: RefreshToken) -> TokenResponse:
        """Go on with a session: the newest token is exchanged for the next one.

        Raises `InvalidGrant` where there is no such session any more, and
        `RefreshTokenReused`, which ends it, for a token that was exchanged before.
        """
        sessions = SessionRepository(self.session)
        locked = await sessions.lock_live(token.session_id)
        if locked is None or token.generation > locked.row.generation:
            raise InvalidGrant("The session has ended.")
        if token.hash == locked.row.token_hash:
            return await self._rotate(locked, token)
        if again := _again(locked, token):
            return self._response(locked.row, again)
        await sessions.discard(token.session_id)
        _log.warning(
            "a refresh token was used twice; its session is ended",
            session_id=str(locked.row.id),
            user_id=str(locked.row.user_id),
            client=self.client.address,
        )
        raise RefreshTokenReused("This token was used before: the session is ended.")

    async def _rotate(
        self, locked: LockedSession, token: RefreshToken
    ) -> TokenResponse:
        nonce, now = token_bytes(NONCE_BYTES), locked.now
        successor = token.successor(nonce)
        last = locked.row.created_at + LONGEST
        changes = {
            "generation": successor.generation,
            "token_hash": successor.hash,
            "parent_hash": token.hash,
            "nonce": nonce,
            "rotated_at": now,
            "last_used_at": now,
            "expires_at": min(now + self.lifetime, last),
            "ip": self.client.address,
        }
        row = await SessionRepository(self.session).update(locked.row, changes)
        return self._response(row, successor)

    def _response(self, row: UserSession, token: RefreshToken) -> TokenResponse:
        access = self.access_tokens.issue(
            row.user_id, session_id=row.id, until=_seconds(row.expires_at)
        )
        return TokenResponse(
            access_token=access.text,
            refresh_token=self.refresh_tokens.write(token),
            token_type="bearer",  # noqa: S106 - the type's name (RFC 6750), no secret
            expires_in=access.lifetime,
        )


def _again(locked: LockedSession, token: RefreshToken) -> RefreshToken | None:
    """Return the successor that a token has had, to who may be its only holder.

    Several tabs present one token at once, and an answer can be lost on its way.
    Only while the successor is unused: afterwards one of two has what was stolen.
    """
    row = locked.row
    if row.nonce is None or row.rotated_at is None or token.hash != row.parent_hash:
        return None
    return token.successor(row.nonce) if locked.now - row.rotated_at <= GRACE else None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _password(typed: str) -> str:
    """Compose what was typed; what is far too long is nobody's, and takes long."""
    return normalize_password(typed) if len(typed) <= PASSWORD_TYPED_MAX else ""


def _address(username: str) -> str:
    """Normalise what was typed; an impossible address is looked up like any other."""
    try:
        return normalize_email(username)
    except ValueError:
        return ""
