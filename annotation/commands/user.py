"""`dfme-annotate user`: who may log in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annotation.api_models import Role
from annotation.commands.common import Db, Json, Sessions, StudyFile, open_study
from annotation.store.schema import UserRow
from annotation.users import add_user, change_user, hash_password, random_password, roles_of
from capture.console import output, print_json
from capture.errors import BadInput

app = typer.Typer(rich_markup_mode=None, help="Enter users, list them, change their roles and passwords.")

Name = Annotated[str, typer.Argument(help="Name to log in with.", show_default=False)]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="What they do; repeatable.", show_default=False)]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]

_ADD_EPILOG = """
Examples:

  dfme-annotate user add /data/study1 ana --role keyframe --role emotion

  dfme-annotate user add /data/study1 boss --role lead --password-stdin < password.txt
"""


@app.command(epilog=_ADD_EPILOG)
def add(
    sessions: Sessions,
    name: Name,
    role: Roles = None,
    password_stdin: FromStdin = False,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Enter a user; without a password of yours a random one is made and printed once."""
    if not role:
        raise BadInput(f"give at least one --role: {', '.join(Role)}")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with open_study(sessions, db, study) as opened, opened.database.write() as session:
        row, used = add_user(session, name, role, password)
        _tell(row, used if password is None else None, json_output)


@app.command("set", epilog="Example:\n\n  dfme-annotate user set /data/study1 ana --role au --new-password\n")
def change(
    sessions: Sessions,
    name: Name,
    role: Roles = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether they may log in.")] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Make a random one, and print it once.")] = False,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Change roles, activity or password of a user."""
    with open_study(sessions, db, study) as opened, opened.database.write() as session:
        row = _user(session, name)
        password = random_password() if new_password else None
        hashed = hash_password(password) if password else None
        change_user(session, row, roles=role, active=active, password_hash=hashed)
        _tell(row, password, json_output)


@app.command("ls", epilog="Example:\n\n  dfme-annotate user ls /data/study1\n")
def list_(sessions: Sessions, db: Db = None, study: StudyFile = None, json_output: Json = False) -> None:
    """List all users."""
    with open_study(sessions, db, study) as opened, opened.database.read() as session:
        rows = session.scalars(select(UserRow).order_by(UserRow.name)).all()
    if json_output:
        print_json({"users": [_facts(row) for row in rows]})
        return
    table = Table("name", "roles", "", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.name, row.roles.replace(",", ", "), "" if row.active else "inactive")
    output().print(table)


def _user(session: Session, name: str) -> UserRow:
    row = session.scalar(select(UserRow).where(func.lower(UserRow.name) == name.lower()))
    if row is None:
        known = ", ".join(session.scalars(select(UserRow.name).order_by(UserRow.name))) or "nobody"
        raise BadInput(f"there is no user {name!r}; there are {known}")
    return row


def _tell(row: UserRow, password: str | None, json_output: bool) -> None:
    if json_output:
        print_json({**_facts(row), "password": password})
        return
    said = f", password {password} (shown this once)" if password else ""
    output().print(f"{row.name}: {row.roles.replace(',', ', ')}{'' if row.active else ', inactive'}{said}")


def _facts(row: UserRow) -> dict[str, object]:
    return {"name": row.name, "roles": sorted(role.value for role in roles_of(row)), "active": row.active}
