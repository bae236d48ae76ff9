"""Where mails go: to a server, or to a folder where there is none."""

from app.config import Settings
from app.integrations.mail.folder import FolderMailer
from app.integrations.mail.mailer import Mailer

__all__ = ["Mailer", "mailer_of"]


def mailer_of(settings: Settings) -> Mailer:
    """Choose by SMTP_URL."""
    if settings.SMTP_URL is None:
        return FolderMailer(settings.ZENITH_HOME / "mail")
    from app.integrations.mail.smtp import (  # noqa: PLC0415 - slow to import
        SmtpMailer,
        server_of,
    )

    url = settings.SMTP_URL.get_secret_value()
    return SmtpMailer(server_of(url, in_production=settings.in_production))
