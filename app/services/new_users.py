"""Making accounts, for whoever may."""

from dataclasses import dataclass

from app.models.users import User
from app.schemas.auth import RegisterRequest
from app.schemas.users import UserCreate
from app.security.new_passwords import hash_new_password
from app.security.passwords import Passwords


@dataclass(frozen=True, slots=True)
class NewUsers:
    """Makes accounts whose passwords are hard to guess."""

    passwords: Passwords
    service_name: str

    async def make(self, new: RegisterRequest | UserCreate) -> User:
        """Make a user to be stored."""
        hashed = await hash_new_password(
            self.passwords,
            new.password,
            pointer="/body/password",
            context=(new.email, new.full_name, self.service_name),
        )
        fields = new.model_dump(exclude={"password"})
        return User(**fields, password_hash=hashed)
