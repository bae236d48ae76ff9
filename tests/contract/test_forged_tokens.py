"""Forged access tokens at every operation that wants one."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fastapi import FastAPI
from httpx2 import Response

from app.config import Settings
from tests.conftest import running
from tests.contract.answers import without_identity
from tests.contract.conftest import Complaints, every, send
from tests.contract.forgeries import Forger, decode, forgeries, mac_signed
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import Scene, scene_of

SECURED = [operation for operation in OPERATIONS if operation.is_secured]
ME = "/api/v1/users/me"


@pytest.fixture
def forger(probed: FastAPI, scene: Scene) -> Forger:
    return Forger(probed.state.resources, scene.caller.token)


@pytest.fixture(scope="module")
def private_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@pytest.fixture(scope="module")
async def asymmetric(
    settings: Settings,
    private_key: EllipticCurvePrivateKey,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[FastAPI]:
    """An application that signs with a private key."""
    file = tmp_path_factory.mktemp("keys") / "key.pem"
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem)
    update = {"ALGORITHM": "ES256", "JWT_PRIVATE_KEY_FILE": file}
    async with running(settings.model_copy(update=update)) as app:
        yield app


async def ask(scene: Scene, token: str) -> Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await scene.caller.client.get(ME, headers=headers)


# All forgeries are tried at one operation of each router, a few of them at each.
FIRST = {one.definition["tags"][0]: one.id for one in reversed(SECURED)}
SAMPLED = 25


class TestForgedTokens:
    async def test_the_forger_knows_how_to_sign(
        self, scene: Scene, forger: Forger
    ) -> None:
        for token in (forger.sign(forger.header, forger.claims), forger.with_claims()):
            assert (await ask(scene, token)).status_code == 200

    @every(SECURED)
    async def test_all_open_nothing_and_are_told_the_same(
        self, operation: Operation, scene: Scene, forger: Forger, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        credentials: list[tuple[str, str | bytes]] = [
            (name, f"Bearer {token}") for name, token in forgeries(forger)
        ]
        valid = scene.caller.token
        credentials += [
            ("none", ""),
            ("a scheme alone", "Bearer"),
            ("a scheme and a space", "Bearer "),
            ("no scheme", valid),
            ("Basic", "Basic YTpi"),
            ("another scheme", f"Token {valid}"),
            ("another scheme's name", f"BearerX {valid}"),
            ("Latin-1", "Bearer é".encode("latin-1")),
            ("UTF-8", "Bearer é\u2028".encode()),
            ("all bytes", b"Bearer " + bytes(range(128, 256))),
            ("a NUL", b"Bearer \0"),
            ("a valid token and é", f"Bearer {valid}é".encode()),
        ]
        every_one = FIRST[operation.definition["tags"][0]] == operation.id
        answers = []
        for name, value in credentials if every_one else credentials[::SAMPLED]:
            headers = {"Authorization": value}
            response = await send(scene, operation, sample, headers=headers)
            found.about(name, response, status=401)
            answers.append(without_identity(response))
        found.assert_none()
        assert all(answer == answers[0] for answer in answers)
        assert len(answers) > (150 if every_one else 5)

    @every(SECURED)
    async def test_without_a_header_the_answer_is_the_same(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        del scene.caller.client.headers["Authorization"]
        response = await send(scene, operation, sample)
        found.about("no header", response, status=401)
        found.assert_none()


class TestAsymmetricKeys:
    async def test_a_public_key_is_no_secret(
        self, asymmetric: FastAPI, private_key: EllipticCurvePrivateKey
    ) -> None:
        scene = await scene_of(asymmetric)
        assert (await ask(scene, scene.caller.token)).status_code == 200
        header, claims = map(decode, scene.caller.token.split(".")[:2])
        public = private_key.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in (pem, pem.strip(), der):
            forged = mac_signed({**header, "alg": "HS256"}, claims, key=key)
            assert (await ask(scene, forged)).status_code == 401

    async def test_a_token_of_one_kind_of_key_is_no_token_of_the_other(
        self, asymmetric: FastAPI, scene: Scene
    ) -> None:
        other = await scene_of(asymmetric)
        assert (await ask(other, scene.caller.token)).status_code == 401
        assert (await ask(scene, other.caller.token)).status_code == 401

    async def test_the_public_key_is_published_and_the_private_one_is_not(
        self, asymmetric: FastAPI
    ) -> None:
        scene = await scene_of(asymmetric)
        answer = await scene.caller.client.get("/.well-known/jwks.json")
        (key,) = answer.json()["keys"]
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert key["kid"] == decode(scene.caller.token.split(".")[0])["kid"]
