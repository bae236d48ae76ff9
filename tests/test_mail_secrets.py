"""No token of a mail is found in anything but the mail."""

import hashlib
import logging
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from app.db.connections import Connection
from app.models.base import utc_now
from tests.databases import Databases
from tests.factories.organizations import tenant
from tests.factories.users import PASSWORD, account, account_with_password
from tests.links import (
    NEW_PASSWORD,
    RESET,
    followed,
    reset,
    to_change,
    to_reset,
    to_verify,
    verify,
)
from tests.mailbox import Post, post
from tests.routers.test_auth import signed_up
from tests.telemetry.captured import Style, captured_logs

JOIN = "/api/v1/invitations/accept"


async def whole_database(owner: Connection) -> str:
    """Return every row of every table, as text."""
    await owner.execute("SET app.system = 'on'")  # past row-level security
    tables = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    names = {table["name"] for table in tables}
    assert {"jobs.queue", "public.email_tokens", "public.invitations"} <= names
    texts = []
    for table in tables:
        rows = await owner.fetch(f"SELECT t::text FROM {table['name']} t")
        texts += [row[0] for row in rows]
    # What is stored as bytes is shown in hexadecimal digits.
    payloads = await owner.fetch("SELECT convert_from(payload, 'UTF8') FROM jobs.queue")
    return "\n".join([*texts, *(row[0] for row in payloads)])


def spellings(token: str) -> set[str]:
    """Return a token as text and as bytes, and the bytes that it stands for."""
    raw = urlsafe_b64decode(f"{token}=")
    return {token, token.encode().hex(), raw.hex()}


async def use_invitation(mails: Post) -> None:
    """Invite somebody, who follows the link twice."""
    acme = await tenant(mails.app)
    bob = await account(mails.app, email_verified_at=utc_now())
    path, body = f"{acme.path}/invitations", {"email": bob.user.email, "role": "member"}
    assert (await acme.owner.client.post(path, json=body)).status_code == 201
    for status in (200, 409):
        token = {"token": await mails.token(bob.user.email)}
        assert (await bob.client.post(JOIN, json=token)).status_code == status


async def use_links(mails: Post) -> tuple[str, str]:
    """Ask for links of all kinds, and follow some, in right and wrong ways."""
    new = await signed_up(mails.client)
    followed(await verify(mails, await mails.token(new["email"])))
    ada = await account_with_password(mails.app)
    pending = await to_verify(mails, ada)
    void = await to_change(mails, ada)
    changed = await to_change(mails, ada)
    for token in (void, f"{changed}x", changed[:-1]):
        assert (await verify(mails, token)).status_code == 400
    taken = (await account(mails.app)).user.email
    assert (await verify(mails, await to_change(mails, ada, taken))).status_code == 409
    await use_invitation(mails)
    lost = await to_reset(mails, ada)
    assert (await reset(mails, lost, "iloveyou123")).status_code == 422
    broken = f'{{"token": "{lost}", "password": }}'
    headers = {"Content-Type": "application/json"}
    answer = await mails.client.post(RESET, content=broken, headers=headers)
    assert answer.status_code == 400
    body = {"token": lost, "password": NEW_PASSWORD, "more": lost}
    assert (await mails.client.post(RESET, json=body)).status_code == 422
    return pending, lost


@pytest.mark.parametrize("style", get_args(Style))
async def test_none_is_in_logs_or_in_the_database(
    databases: Databases, tmp_path: Path, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.recovery.LONGEST_DELAY", timedelta(0))
    # The server of the tests, which is in this process, logs what it reads.
    monkeypatch.setattr(logging.getLogger("mail.log"), "disabled", True)
    with captured_logs(style) as logs:
        async with post(databases, tmp_path) as mails:
            pending, lost = await use_links(mails)
            mails.server.to_recipients = "550 no such box"
            refused = await signed_up(mails.client)
            assert await mails.to(refused["email"]) == []
            tokens = {mail.token for mail in await mails.all() if mail.links}
            stored = await whole_database(mails.owner)
            hashed = hashlib.sha256(pending.encode()).hexdigest()
            assert {hashed in stored, refused["email"] in stored} == {True}
            followed(await reset(mails, lost))
            stored += await whole_database(mails.owner)
    assert len(tokens) == 7
    told = logs.getvalue()
    assert "mail.send" in told
    secrets = {PASSWORD, NEW_PASSWORD}.union(*map(spellings, tokens))
    for place, text in (("logs", told), ("database", stored)):
        found = [secret for secret in secrets if secret in text]
        assert not found, place
