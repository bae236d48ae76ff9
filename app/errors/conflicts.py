"""Failures that come of what is stored."""

from http import HTTPStatus

from app.errors.base import ZenithError


class Conflict(ZenithError):
    """The change contradicts what is stored."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class EmailTaken(Conflict):
    """Another account has this e-mail address."""

    code = "email_taken"


class LimitReached(Conflict):
    """There are as many of these as there may be."""

    code = "limit_reached"


class SlugTaken(Conflict):
    """Another organization has this slug."""

    code = "slug_taken"


class LastOwner(Conflict):
    """An organization is never without an owner."""

    code = "last_owner"


class AlreadyMember(Conflict):
    """Whom the request is about is a member already."""

    code = "already_member"


class AlreadyInvited(Conflict):
    """There is an open invitation to this address; it can be sent again."""

    code = "already_invited"


class InvitationUsed(Conflict):
    """The invitation was accepted or declined before."""

    code = "invitation_used"


class JobRunning(Conflict):
    """A worker is doing this job now."""

    code = "job_running"


class LastSuperuser(Conflict):
    """Somebody has to stay who may see to everything."""

    code = "last_superuser"


class Gone(ZenithError):
    """It was here, and is no more."""

    status = HTTPStatus.GONE
    code = "gone"


class InvitationExpired(Gone):
    """The invitation is too old; whoever sent it can send it again."""

    code = "invitation_expired"
