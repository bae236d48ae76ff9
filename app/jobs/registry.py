"""Which handler does which kind of job, and what is done at which times."""

from dataclasses import dataclass

from app.jobs.accounts import mail_reset
from app.jobs.data_exports import export_data
from app.jobs.files import remove_file, remove_folder
from app.jobs.handlers import Handler, handle
from app.jobs.housekeeping import sweep
from app.jobs.mail import send_mail
from app.jobs.organizations import delete_organization
from app.queue import Job
from app.queue.data_exports import ExportData
from app.queue.files import RemoveFile, RemoveFolder
from app.queue.housekeeping import Sweep, Swept
from app.queue.mails import MailReset, SendMail
from app.queue.organizations import DeleteOrganization


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that is enqueued by the clock, once for all workers together."""

    name: str
    expression: str
    """When, in UTC, as crontab(5) writes it."""
    job: Job


HANDLERS: tuple[Handler, ...] = (
    handle(SendMail, send_mail),
    handle(MailReset, mail_reset),
    handle(RemoveFile, remove_file),
    handle(RemoveFolder, remove_folder),
    handle(DeleteOrganization, delete_organization),
    handle(ExportData, export_data),
    handle(Sweep, sweep),
)
SCHEDULE: tuple[Periodic, ...] = (
    Periodic("sweep-jobs", "*/10 * * * *", Sweep(what=Swept.JOBS)),
    Periodic("sweep-sessions", "17 * * * *", Sweep(what=Swept.SESSIONS)),
    Periodic("sweep-email-tokens", "27 * * * *", Sweep(what=Swept.EMAIL_TOKENS)),
    Periodic("sweep-exports", "47 * * * *", Sweep(what=Swept.EXPORTS)),
    Periodic("sweep-invitations", "47 3 * * *", Sweep(what=Swept.INVITATIONS)),
    Periodic("sweep-devices", "37 3 * * *", Sweep(what=Swept.DEVICES)),
)
