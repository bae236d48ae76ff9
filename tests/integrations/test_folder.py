"""Mails as files: whole ones, one for each mail, for their owner alone."""

import asyncio
import email
import email.policy
import stat
from pathlib import Path

import pytest

from app.integrations.mail import mailer_of
from app.integrations.mail.folder import FolderMailer
from app.integrations.mail.mailer import MailUnavailable
from app.mail.composer import Composer
from app.mail.messages import AnyMail
from app.mail.rendering import load
from app.mail.samples import SAMPLES, TOKEN
from tests.conftest import settings_for

COMPOSER = Composer(
    project_name="../Zenith/\0", public_url="https://a.example", sender="a@a.example"
)


@pytest.fixture(autouse=True, scope="module")
def templates() -> None:
    """Read the templates, as whoever starts to write mails does in a thread."""
    load()


async def write(folder: Path, reference: str, mail: AnyMail = SAMPLES[0]) -> None:
    message = COMPOSER.compose(mail, token=TOKEN, reference=reference)
    await FolderMailer(folder).send(message)


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_mail_can_be_opened_again(tmp_path: Path) -> None:
    await write(tmp_path, "one")
    (path,) = files_in(tmp_path)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)
    assert message["To"] == "Ada Lovelace <ada@example.com>"
    text = message.get_body(("plain",))
    assert text is not None
    assert TOKEN in text.get_content()


async def test_names_sort_by_time_and_stay_in_the_folder(tmp_path: Path) -> None:
    for number, mail in enumerate(SAMPLES):
        await write(tmp_path / "mail", str(number), mail)
    names = [path.name for path in files_in(tmp_path / "mail")]
    endings = [name.rpartition("-")[2] for name in names]
    assert endings == [f"{number}.eml" for number in range(len(SAMPLES))]
    assert all(name.isascii() for name in names)
    assert "welcome_to_zenith_verify" in names[0]


async def test_a_mail_that_is_written_twice_is_one_file(tmp_path: Path) -> None:
    for reference in ("one", "a-one", "one", "a-one"):
        await write(tmp_path, reference)
    assert len(files_in(tmp_path)) == 2


async def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "mail"
    folder.mkdir(parents=True, mode=0o755)
    await write(folder, "one")
    (path,) = files_in(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_many_may_be_written_at_once(tmp_path: Path) -> None:
    await asyncio.gather(*(write(tmp_path, f"mail-{n}") for n in range(30)))
    assert len(files_in(tmp_path)) == 30


async def test_a_folder_that_cannot_be_is_told_without_its_name(tmp_path: Path) -> None:
    (tmp_path / "hidden-value").write_text("a file")
    with pytest.raises(MailUnavailable) as caught:
        await write(tmp_path / "hidden-value", "one")
    assert "hidden-value" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_without_a_server_they_are_in_the_home(tmp_path: Path) -> None:
    mailer = mailer_of(settings_for(ZENITH_HOME=tmp_path))
    await mailer.send(COMPOSER.compose(SAMPLES[0], token=TOKEN, reference="one"))
    assert len(files_in(tmp_path / "mail")) == 1
