"""Users, their passwords and log-ins."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from annotation.api_models import NewUser, Role
from annotation.store.schema import LoginRow, UserRow, now
from capture.errors import BadInput

_COST: Final = 2**14
_BLOCK: Final = 8
_SALT_BYTES: Final = 16
_TOKEN_BYTES: Final = 32
_PASSWORD_BYTES: Final = 12


@dataclass(frozen=True)
class LoggedIn:
    """Who asks."""

    id: int
    name: str
    roles: frozenset[Role]


def hash_password(password: str) -> str:
    """`scrypt$cost$salt$hash`; takes some 50 ms and 16 MB on purpose."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${_COST}${salt.hex()}${_scrypt(password, salt, _COST).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether it is the password that `hash_password` hashed."""
    try:
        kind, cost, salt, digest = stored.split("$")
        return kind == "scrypt" and hmac.compare_digest(
            _scrypt(password, bytes.fromhex(salt), int(cost)), bytes.fromhex(digest)
        )
    except ValueError:
        return False


@cache
def _nobody() -> str:
    """Compared against where there is no such user, so that the answer takes as long."""
    return hash_password(secrets.token_hex(_SALT_BYTES))


def random_password() -> str:
    """Sixteen letters and digits that nobody guesses."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def add_user(session: Session, name: str, roles: Iterable[Role], password: str | None = None) -> tuple[UserRow, str]:
    """Enter a user; gives back the password, a random one unless given.

    Raises:
        BadInput: The name is taken, or name or password cannot be used.
    """
    password = password or random_password()
    try:
        asked = NewUser(name=name, roles=sorted(set(roles)), password=password)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        hint = "letters, digits, dots, dashes and underscores, at most 40" if field == "name" else first["msg"]
        raise BadInput(f"{field} cannot be used: {hint}") from None
    taken = select(UserRow).where(func.lower(UserRow.name) == name.lower())
    if session.scalar(taken) is not None:
        raise BadInput(f"there is a user {name!r} already: choose another name")
    row = UserRow(
        name=asked.name,
        password_hash=hash_password(password),
        roles=_written(asked.roles),
        active=True,
        created=now(),
    )
    session.add(row)
    session.flush()
    return row, password


def change_user(
    session: Session,
    user: UserRow,
    *,
    roles: Iterable[Role] | None = None,
    active: bool | None = None,
    password_hash: str | None = None,
) -> None:
    """Change a user. A new password (`hash_password`) and a deactivation end all log-ins of theirs.

    Raises:
        BadInput: Nobody would be left who leads the study.
    """
    if roles is not None:
        user.roles = _written(roles)
    if active is not None:
        user.active = active
    if password_hash is not None:
        user.password_hash = password_hash
    if password_hash is not None or active is False:
        session.execute(delete(LoginRow).where(LoginRow.user_id == user.id))
    session.flush()
    users = session.scalars(select(UserRow).where(UserRow.active)).all()
    if not any(Role.LEAD in roles_of(one) for one in users):
        raise BadInput("this is the last active lead: make another one first")


def roles_of(user: UserRow) -> frozenset[Role]:
    """What a user may do."""
    return frozenset(Role(role) for role in user.roles.split(",") if role)


def checked_user(session: Session, name: str, password: str) -> UserRow | None:
    """The active user of this name and password; None where there is none. Takes some 50 ms on purpose.

    A reading transaction will do, and should: writers would wait for each other meanwhile.
    """
    user = session.scalar(select(UserRow).where(func.lower(UserRow.name) == name.lower(), UserRow.active))
    matches = password_matches(password, user.password_hash if user else _nobody())
    return user if matches else None


def begin_login(session: Session, checked: UserRow, hours: float) -> str | None:
    """Log a user in whom `checked_user` gave; gives a token, or None where the user was changed meanwhile."""
    user = session.get(UserRow, checked.id)
    if user is None or not user.active or user.password_hash != checked.password_hash:
        return None
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    made = now()
    session.execute(delete(LoginRow).where(LoginRow.expires < made))
    expires = made + timedelta(hours=hours)
    session.add(LoginRow(token_hash=_token_hash(token), user_id=user.id, created=made, expires=expires))
    return token


def user_of_token(session: Session, token: str) -> LoggedIn | None:
    """Who holds a token; None where it is not one, has run out, or the user is no longer active."""
    found = session.execute(
        select(UserRow)
        .join(LoginRow, LoginRow.user_id == UserRow.id)
        .where(LoginRow.token_hash == _token_hash(token), LoginRow.expires > now(), UserRow.active)
    ).scalar()
    return None if found is None else LoggedIn(found.id, found.name, roles_of(found))


def log_out(session: Session, token: str) -> None:
    """End a log-in."""
    session.execute(delete(LoginRow).where(LoginRow.token_hash == _token_hash(token)))


def _scrypt(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=_BLOCK, p=1, maxmem=64 << 20)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _written(roles: Iterable[Role]) -> str:
    return ",".join(role.value for role in Role if role in set(roles))
