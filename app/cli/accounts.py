"""Accounts that are made from the command line."""

import secrets
from dataclasses import dataclass

from pydantic import ValidationError

from app.cli.few import open_few
from app.config import Settings, SettingsError
from app.db.errors import DATABASE_ERRORS, translate
from app.db.repositories.users import UserRepository
from app.errors import EmailTaken, OperatorError, ValidationFailed
from app.models.users import FULL_NAME_MAX, User
from app.resources import Resources
from app.schemas.users import UserCreate
from app.services.new_users import NewUsers


@dataclass(frozen=True, slots=True)
class FirstSuperuser:
    """The account that everything else is set up from."""

    email: str
    generated_password: str | None
    """None if the operator chose it."""


def generate_password() -> str:
    return secrets.token_urlsafe(15)


def read_user(
    email: str, password: str, *, superuser: bool, full_name: str = ""
) -> UserCreate:
    """Check what an operator typed as strictly as the API does."""
    name = full_name or email[:FULL_NAME_MAX]
    try:
        return UserCreate(
            email=email, password=password, full_name=name, is_superuser=superuser
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise OperatorError(f"{first['loc'][0]}: {first['msg']}") from None


async def create_user(settings: Settings, new: UserCreate) -> User:
    """Create a user outside of a request, in a transaction of its own."""
    async with open_few(settings) as resources:
        return await _create(resources, new)


async def create_first_superuser(settings: Settings) -> FirstSuperuser | None:
    """Create the superuser of the settings, unless there is one already."""
    async with open_few(settings) as resources:
        if await _superuser_exists(resources):
            return None
        given = settings.FIRST_SUPERUSER_PASSWORD
        generated = None if given else generate_password()
        email = settings.FIRST_SUPERUSER_EMAIL
        password = given.get_secret_value() if given else str(generated)
        try:
            new = read_user(email, password, superuser=True, full_name="Superuser")
            user = await _create(resources, new)
        except EmailTaken as error:
            if await _superuser_exists(resources):
                return None  # another process was faster
            raise SettingsError(f"FIRST_SUPERUSER_EMAIL: {error}") from None
        except ValidationFailed as error:
            reason = error.errors[0].detail
            raise SettingsError(f"FIRST_SUPERUSER_PASSWORD: {reason}") from None
        except OperatorError as error:
            raise SettingsError(f"FIRST_SUPERUSER's {error}") from None
        return FirstSuperuser(user.email, generated)


async def _superuser_exists(resources: Resources) -> bool:
    async with resources.sessions() as session:
        return await UserRepository(session).superuser_exists()


async def _create(resources: Resources, new: UserCreate) -> User:
    new_users = NewUsers(resources.passwords, resources.settings.PROJECT_NAME)
    user = await new_users.make(new)
    try:
        async with resources.sessions.begin() as session:
            return await UserRepository(session).add(user)
    except DATABASE_ERRORS as error:
        raise translate(error) or error from None
