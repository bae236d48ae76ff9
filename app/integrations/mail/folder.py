"""Mails as files, for who has no mail server."""

import re
import tempfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from anyio import to_thread

from app.integrations.mail.mailer import MailUnavailable

SLUG_MAX = 40


class FolderMailer:
    """Writes ``.eml`` files that only their owner may read: links are in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: EmailMessage) -> None:
        """Write a mail, in place of one with the same reference."""
        try:
            await to_thread.run_sync(self._write, message)
        except OSError as error:
            reason = f"a mail cannot be written ({error.strerror})"
            raise MailUnavailable(reason) from None

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".") as drafts:
            draft = Path(drafts, "draft")
            draft.touch(mode=0o600)
            draft.write_bytes(message.as_bytes())
            draft.replace(self._path_of(message))

    def _path_of(self, message: EmailMessage) -> Path:
        """Name the file by time, subject and reference; `-` stands between them."""
        reference = message["Message-ID"].strip("<>").rpartition("@")[0]
        reference = re.sub(r"[^A-Za-z0-9._-]", "_", reference)
        for earlier in self._folder.glob(f"*-*-{reference}.eml"):
            if earlier.stem.split("-", 2)[2] == reference:
                return earlier
        slug = re.sub(r"[^a-z0-9]+", "_", message["Subject"].lower())[:SLUG_MAX]
        written = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        return self._folder / f"{written}-{slug.strip('_')}-{reference}.eml"
