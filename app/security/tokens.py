"""Access tokens: JSON Web Tokens of the profile of RFC 9068."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from app.errors import Unauthorized
from app.models.base import new_id
from app.security.keys import SigningKeys

TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, no secret
MAX_LENGTH = 4096
CACHED_TOKENS = 10_000

# What a header or a claim of the wrong JSON type, or nested deeply, can make of itself.
_HOSTILE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says."""

    user_id: UUID
    session_id: UUID
    expires_at: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that was issued now."""

    text: str
    lifetime: int
    """Seconds."""


class AccessTokens:
    """Issues and verifies access tokens; ``lifetime`` is in seconds.

    Verified tokens are remembered until they expire, for a signature costs more than
    the rest of a small request; whether the user may still come in is read each time.
    """

    def __init__(
        self, keys: SigningKeys, *, issuer: str, audience: str, lifetime: int
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._header = {
            "alg": keys.algorithm,
            "typ": TOKEN_TYPE,
            "kid": keys.signing.kid,
        }
        self._algorithms = [keys.algorithm]
        self._verified: dict[str, Claims] = {}
        self._lifetime = lifetime

    def issue(
        self,
        user_id: UUID,
        *,
        session_id: UUID,
        until: int | None = None,
        impersonator_id: UUID | None = None,
    ) -> AccessToken:
        """Write a token of a session, which ends at ``until`` (seconds since 1970).

        Who acts as the user is named as well (RFC 8693, 4.1).
        """
        now = int(time.time())
        lifetime = min(self._lifetime, until - now if until else self._lifetime)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": now,
            "exp": now + lifetime,
            "jti": str(new_id()),
        }
        if impersonator_id is not None:
            claims["act"] = {"sub": str(impersonator_id)}
        key, algorithms = self._keys.signing, self._algorithms
        text = jwt.encode(self._header, claims, key, algorithms=algorithms)
        return AccessToken(text, lifetime)

    def verify(self, token: str) -> Claims:
        """Return the claims of a token that is valid now, else raise `Unauthorized`."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            self._remember(token, claims)
        if claims.expires_at <= time.time():
            self._verified.pop(token, None)
            raise Unauthorized
        return claims

    def _decode(self, token: str) -> Claims:
        if len(token) > MAX_LENGTH or not token.isascii():
            raise Unauthorized
        try:
            decoded = jwt.decode(
                token, self._keys.verifying, algorithms=self._algorithms
            )
            # joserfc falls back to any key that fits where a token names none.
            if decoded.header.get("typ") != TOKEN_TYPE or "kid" not in decoded.header:
                raise Unauthorized
            self._registry().validate(decoded.claims)
            claims = decoded.claims
            user_id, session_id = UUID(claims["sub"]), UUID(claims["sid"])
            return Claims(user_id, session_id, int(claims["exp"]))
        except (JoseError, *_HOSTILE):
            raise Unauthorized from None

    def _registry(self) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            sid={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        )

    def _remember(self, token: str, claims: Claims) -> None:
        if len(self._verified) >= CACHED_TOKENS:
            self._verified.pop(next(iter(self._verified)))
        self._verified[token] = claims
