"""Access tokens that must open nothing, from those of beginners to those of thieves.

The ones with a right signature are made with the application's own key: even what it
might have signed by mistake, or for another purpose, is no access token.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from joserfc.jwk import OctKey

from app.resources import Resources
from app.security.api_keys import ApiKeys

Members = dict[str, Any]

ABSENT = object()
_UNSIGNED: tuple[Any, ...] = ("none", "None", "NONE", "nOnE", "", None, [], {}, 0)
HOUR = 3600


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(part: str) -> Members:
    """Read a part of a token without looking at its signature."""
    members: Members = json.loads(base64.urlsafe_b64decode(part + "=="))
    return members


def mac_signed(
    header: Members | bytes,
    claims: Members | bytes,
    *,
    key: bytes,
    digest: str = "sha256",
) -> str:
    """Sign by hand, for a library would refuse most of what is needed here."""
    signed = f"{encode(_json(header))}.{encode(_json(claims))}"
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), digest))}"


class Forger:
    """Changes the parts of a token that was valid when it was issued."""

    def __init__(self, resources: Resources, token: str) -> None:
        self.valid = token
        self.header, self.claims = map(decode, token.split(".")[:2])
        key = resources.keys.signing
        assert isinstance(key, OctKey)
        self._key: bytes = key.raw_value

    def sign(
        self, header: Members | bytes, claims: Members | bytes, **options: Any
    ) -> str:
        return mac_signed(header, claims, **{"key": self._key, **options})

    def with_header(self, **changes: Any) -> str:
        return self.sign(_changed(self.header, changes), self.claims)

    def with_claims(self, **changes: Any) -> str:
        return self.sign(self.header, _changed(self.claims, changes))

    def raw_claims(self, name: str, fragment: str) -> str:
        """Put a piece of JSON text, of whatever kind, into the claims."""
        members = _changed(self.claims, {name: ABSENT})
        text = json.dumps(members)
        return self.sign(self.header, f'{text[:-1]}, "{name}": {fragment}}}'.encode())


def _json(members: Members | bytes) -> bytes:
    return members if isinstance(members, bytes) else json.dumps(members).encode()


def _changed(members: Members, changes: Members) -> Members:
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not ABSENT}


def forgeries(forger: Forger) -> Iterator[tuple[str, str]]:
    """Yield a name and a token for each kind of forgery."""
    yield from _algorithms(forger)
    yield from _headers(forger)
    yield from _claims(forger)
    yield from _times(forger)
    yield from _texts(forger)


def _algorithms(forger: Forger) -> Iterator[tuple[str, str]]:
    header, claims = forger.header, forger.claims
    for none in _UNSIGNED:
        unsigned = forger.sign({**header, "alg": none}, claims).rpartition(".")[0]
        yield f"alg {none!r} without a signature", f"{unsigned}."
        yield f"alg {none!r} with one", forger.with_header(alg=none)
    yield "no alg", forger.with_header(alg=ABSENT)
    for alg in ("ES256", "RS256", "PS256", "EdDSA", "Ed25519", "HS1", "dir", "hs256"):
        yield f"alg {alg} over a MAC", forger.with_header(alg=alg)
    for bits in ("384", "512"):
        other = {**header, "alg": f"HS{bits}"}
        yield f"HS{bits}", forger.sign(other, claims, digest=f"sha{bits}")
    for name, key in {
        "an empty key": b"",
        "a key of zeros": bytes(32),
        "the word secret": b"secret",
        "the key's name": str(header["kid"]).encode(),
        "another installation's key": hashlib.sha256(b"another").digest(),
    }.items():
        yield name, forger.sign(header, claims, key=key)


def _headers(forger: Forger) -> Iterator[tuple[str, str]]:
    kids = (
        ABSENT,
        "",
        "x",
        None,
        1,
        ["x"],
        {"a": 1},
        "../../../../dev/null",
        "' OR 1=1--",
        "\0",
        "\ud800",
    )
    for kid in kids:
        yield f"kid {kid!r}", forger.with_header(kid=kid)
    for typ in (ABSENT, "JWT", "jwt", "rt+jwt", "AT+JWT", "", None, 1, ["at+jwt"]):
        yield f"typ {typ!r}", forger.with_header(typ=typ)
    for crit in (["exp"], ["b64"], ["x"], [], "exp", None, 1, [1], ["alg"]):
        yield f"crit {crit!r}", forger.with_header(crit=crit, x=1)
    yield "b64", forger.with_header(crit=["b64"], b64=False)
    own = {"kty": "oct", "k": encode(b"x" * 32)}
    smuggled = {**forger.header, "jwk": own, "kid": ABSENT}
    key = b"x" * 32
    yield (
        "a key of its own",
        forger.sign(_changed(smuggled, {}), forger.claims, key=key),
    )
    for name in ("jku", "x5u"):
        header = {**forger.header, name: "http://127.0.0.1:1/keys"}
        yield name, forger.sign(header, forger.claims, key=key)
    yield "zip", forger.with_header(zip="DEF", crit=["zip"])


def _claims(forger: Forger) -> Iterator[tuple[str, str]]:
    issuer, audience = forger.claims["iss"], forger.claims["aud"]
    wrong: dict[str, tuple[Any, ...]] = {
        "iss": (f"{issuer}/", issuer.upper(), "https://evil.example", [issuer]),
        "aud": (
            f"{audience}/",
            issuer,
            "https://evil.example",
            [],
            ["x"],
            [audience, 1],
        ),
        "sub": ("", "\0", "me", "*", "0", str(uuid4()), [forger.claims["sub"]]),
        "jti": (["x"],),
    }
    for name, values in wrong.items():
        for value in (ABSENT, None, 1, True, {}, *values):
            yield f"{name} {value!r}", forger.with_claims(**{name: value})
    for claims in (b"", b"{}", b"[]", b"null", b"1", b'"x"', b"\xff", b"{", b"NaN"):
        yield f"claims {claims!r}", forger.sign(forger.header, claims)


def _times(forger: Forger) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    fragments = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "null", "[]", '""')
    for name in ("exp", "iat", "nbf"):
        for fragment in (*fragments, f'"{now}"', "{}", '"never"', "1" * 5000):
            yield f"{name} {fragment[:20]}", forger.raw_claims(name, fragment)
    for exp in (now - 1, now, 0, -1, now - HOUR, float(now) - 1):
        yield f"exp {exp}", forger.with_claims(exp=exp)
    yield "no exp", forger.with_claims(exp=ABSENT)
    yield "no iat", forger.with_claims(iat=ABSENT)
    yield "iat of tomorrow", forger.with_claims(iat=now + 24 * HOUR)
    yield "nbf of tomorrow", forger.with_claims(nbf=now + 24 * HOUR)


def _texts(forger: Forger) -> Iterator[tuple[str, str]]:
    head, claims, signature = forger.valid.split(".")
    flipped = signature[:5] + ("A" if signature[5] != "A" else "B") + signature[6:]
    deep = b"[" * 2000 + b"]" * 2000
    yield from {
        "a signature with another character": f"{head}.{claims}.{flipped}",
        "a signature that is cut": f"{head}.{claims}.{signature[:-4]}",
        "no signature": f"{head}.{claims}",
        "an empty signature": f"{head}.{claims}.",
        "parts in another order": f"{claims}.{head}.{signature}",
        "five parts": f"{forger.valid}.x.y",
        "two dots": "..",
        "one word": "x",
        "a number": "1",
        "spaces inside": forger.valid.replace(".", " . "),
        "a comma behind": f"{forger.valid},",
        "twice": f"{forger.valid}, Bearer {forger.valid}",
        "100 KB": "a" * 100_000,
        "100 KB in three parts": ".".join(["a" * 33_000] * 3),
        "100 KB, signed": forger.with_claims(x="y" * 100_000),
        "dots only": "." * 3000,
        "no base64": "!!!.???.###",
        "a deep header": forger.sign(b'{"alg":' + deep + b"}", forger.claims),
        "a deep claim": forger.raw_claims("x", deep.decode()),
        "a header that is a list": forger.sign(b"[]", forger.claims),
        "a refresh token": encode(hashlib.sha512(b"refresh").digest()),
        "what begins as an API key": "zen_" + encode(hashlib.sha256(b"key").digest()),
        "an API key": ApiKeys([b"of another installation"]).make().text,
    }.items()
