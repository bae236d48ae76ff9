"""Jobs that clear away what nobody needs any more."""

from enum import StrEnum

from app.queue.base import Job, Retries


class Swept(StrEnum):
    DEVICES = "devices"
    EMAIL_TOKENS = "email_tokens"
    EXPORTS = "exports"
    INVITATIONS = "invitations"
    JOBS = "jobs"
    SESSIONS = "sessions"


class Sweep(Job):
    """Deletes rows of one kind that are out of date."""

    type = "housekeeping.sweep"
    retries = Retries(limit=3)
    priority = -10

    what: Swept
