"""The keys that sign and verify access tokens."""

from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OctKey

from app.config import Settings, SettingsError
from app.security.secret_key import derive, previous_secret_key, secret_key

LABEL = "access-token"


class SigningKeys:
    """One key signs; it and the ones before it verify, each found by its ``kid``.

    With HS256 the keys come from SECRET_KEY and SECRET_KEY_PREVIOUS. With ES256 they
    are PEM files: rotate by adding the next public key, then signing with it, then
    removing the old one when its last token has expired.
    """

    def __init__(self, algorithm: str, signing: OctKey | ECKey, *older: Any) -> None:
        self.algorithm = algorithm
        self.signing = signing
        self.verifying = KeySet([signing, *older])

    @classmethod
    def of(cls, settings: Settings) -> "SigningKeys":
        """Load the keys that the settings name; raise `SettingsError` on a bad one."""
        if settings.ALGORITHM == "HS256":
            previous = previous_secret_key(settings)
            older = [_secret_key(previous)] if previous else []
            return cls("HS256", _secret_key(secret_key(settings)), *older)
        assert settings.JWT_PRIVATE_KEY_FILE is not None
        signing = _pem("JWT_PRIVATE_KEY_FILE", settings.JWT_PRIVATE_KEY_FILE)
        if not signing.is_private:
            raise SettingsError("JWT_PRIVATE_KEY_FILE: holds no private key")
        own = signing.thumbprint()
        files = settings.JWT_PUBLIC_KEY_FILES
        public = [_pem("JWT_PUBLIC_KEY_FILES", path) for path in files]
        return cls("ES256", signing, *(k for k in public if k.thumbprint() != own))

    def jwks(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517); none when the keys are secrets."""
        keys = [key for key in self.verifying if isinstance(key, ECKey)]
        members = {"alg": self.algorithm, "use": "sig"}
        return {"keys": [{**key.as_dict(private=False), **members} for key in keys]}


def _secret_key(secret: bytes) -> OctKey:
    key = OctKey.import_key(derive(secret, LABEL))
    key.ensure_kid()
    return key


def _pem(setting: str, path: Path) -> ECKey:
    try:
        key = ECKey.import_key(path.read_bytes())
    except (OSError, ValueError, JoseError) as error:
        reason = type(error).__name__
        raise SettingsError(f"{setting}: cannot read {path} ({reason})") from None
    if key.curve_name != "P-256":
        raise SettingsError(f"{setting}: {path} is no P-256 key, which ES256 needs")
    key.ensure_kid()
    return key
