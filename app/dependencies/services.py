"""The use cases, each with what it needs."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.data_exports import DataExportReader
from app.db.repositories.email_tokens import EmailTokenReader
from app.db.repositories.jobs import JobReader
from app.db.repositories.organizations import AllOrganizationsReader
from app.db.repositories.profiles import ProfileReader
from app.db.repositories.sessions import SessionReader
from app.db.repositories.users import UserReader
from app.dependencies.caller import CurrentActor, CurrentClient
from app.dependencies.database import DBSession, SharedResources
from app.resources import Resources
from app.services.account_mails import AccountMails
from app.services.accounts import AccountService
from app.services.auth import AuthService
from app.services.avatars import AvatarFiles, AvatarService
from app.services.data_exports import DataExportFiles, DataExportService
from app.services.email_addresses import EmailAddressService, VerificationService
from app.services.health import HealthService
from app.services.jobs import JobService
from app.services.new_users import NewUsers
from app.services.own_password import OwnPassword
from app.services.profiles import ProfileService
from app.services.recovery import RecoveryService
from app.services.sessions import SessionService
from app.services.support import SupportService
from app.services.tokens import TokenService
from app.services.users import UserService
from app.web.pictures import AVATAR_PATH


async def get_auth(session: DBSession, resources: SharedResources) -> AuthService:
    mails = _mails(session, resources)
    return AuthService(session, _new_users(resources), mails)


async def get_tokens(
    session: DBSession, resources: SharedResources, client: CurrentClient
) -> TokenService:
    return TokenService(
        session=session,
        users=UserReader(resources.reader),
        passwords=resources.passwords,
        access_tokens=resources.tokens,
        refresh_tokens=resources.refresh_tokens,
        lifetime=timedelta(days=resources.settings.REFRESH_TOKEN_EXPIRE_DAYS),
        limiter=resources.limiter,
        client=client,
        mails=_mails(session, resources),
    )


async def get_verification(
    session: DBSession, resources: SharedResources
) -> VerificationService:
    return VerificationService(
        session=session,
        reader=EmailTokenReader(resources.reader),
        mails=_mails(session, resources),
    )


async def get_recovery(
    session: DBSession, resources: SharedResources
) -> RecoveryService:
    return RecoveryService(
        session=session,
        reader=EmailTokenReader(resources.reader),
        passwords=resources.passwords,
        limiter=resources.limiter,
        mails=_mails(session, resources),
        service_name=resources.settings.PROJECT_NAME,
    )


async def get_own_password(
    resources: SharedResources, client: CurrentClient
) -> OwnPassword:
    return OwnPassword(
        reader=UserReader(resources.reader),
        passwords=resources.passwords,
        limiter=resources.limiter,
        client=client,
    )


ProofOfPassword = Annotated[OwnPassword, Depends(get_own_password)]


async def get_email_addresses(
    session: DBSession,
    resources: SharedResources,
    actor: CurrentActor,
    password: ProofOfPassword,
) -> EmailAddressService:
    return EmailAddressService(
        session=session,
        limiter=resources.limiter,
        mails=_mails(session, resources),
        password=password,
        actor=actor,
    )


async def get_sessions(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> SessionService:
    return SessionService(session, SessionReader(resources.reader), actor)


async def get_accounts(
    session: DBSession,
    resources: SharedResources,
    actor: CurrentActor,
    password: ProofOfPassword,
) -> AccountService:
    return AccountService(
        session=session,
        passwords=resources.passwords,
        password=password,
        mails=_mails(session, resources),
        actor=actor,
        service_name=resources.settings.PROJECT_NAME,
    )


async def get_users(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> UserService:
    return UserService(
        session=session,
        reader=UserReader(resources.reader),
        new_users=_new_users(resources),
        mails=_mails(session, resources),
        actor=actor,
    )


async def get_profiles(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> ProfileService:
    settings = resources.settings
    return ProfileService(
        session=session,
        reader=ProfileReader(resources.reader),
        actor=actor,
        avatar_url=f"{settings.PUBLIC_URL}{settings.API_V1_STR}{AVATAR_PATH}",
    )


async def get_avatars(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> AvatarService:
    return AvatarService(
        session=session,
        reader=ProfileReader(resources.reader),
        actor=actor,
        files=AvatarFiles(resources.storage),
        pictures=resources.pictures,
    )


async def get_data_exports(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> DataExportService:
    return DataExportService(
        session=session,
        reader=DataExportReader(resources.reader),
        limiter=resources.limiter,
        files=DataExportFiles(resources.storage),
        actor=actor,
    )


async def get_jobs(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> JobService:
    return JobService(session, JobReader(resources.reader), actor)


async def get_support(
    session: DBSession,
    resources: SharedResources,
    client: CurrentClient,
    actor: CurrentActor,
) -> SupportService:
    return SupportService(
        session=session,
        organizations=AllOrganizationsReader(resources.reader, actor.caller.id),
        tokens=resources.tokens,
        client=client,
        actor=actor,
    )


async def get_health(resources: SharedResources) -> HealthService:
    return HealthService(resources.reader, resources.redis)


def _mails(session: AsyncSession, resources: Resources) -> AccountMails:
    return AccountMails(session, resources.email_tokens, resources.limiter)


def _new_users(resources: Resources) -> NewUsers:
    return NewUsers(resources.passwords, resources.settings.PROJECT_NAME)


Auth = Annotated[AuthService, Depends(get_auth)]
Tokens = Annotated[TokenService, Depends(get_tokens)]
Sessions = Annotated[SessionService, Depends(get_sessions)]
Accounts = Annotated[AccountService, Depends(get_accounts)]
Verification = Annotated[VerificationService, Depends(get_verification)]
Recovery = Annotated[RecoveryService, Depends(get_recovery)]
EmailAddresses = Annotated[EmailAddressService, Depends(get_email_addresses)]
Users = Annotated[UserService, Depends(get_users)]
DataExports = Annotated[DataExportService, Depends(get_data_exports)]
Jobs = Annotated[JobService, Depends(get_jobs)]
Support = Annotated[SupportService, Depends(get_support)]
Profiles = Annotated[ProfileService, Depends(get_profiles)]
Avatars = Annotated[AvatarService, Depends(get_avatars)]
Health = Annotated[HealthService, Depends(get_health)]
