"""What annotation keeps of a participant: asked for, and removed, by its own command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from capture.errors import CaptureError

WORK_FOLDER: Final = "annotation"
"""Beside the sessions: annotation's database, and curves made of pictures."""
_MODULE: Final = "annotation.commands.withdraw"
_DATABASE_VARIABLE: Final = "DFME_DATABASE"


class CodingDatabase(msgspec.Struct, frozen=True):
    """What one database has of a participant."""

    database: str
    """Its URL without the password."""
    rows: dict[str, int] = {}
    """By table, how many."""
    folders: tuple[str, ...] = ()
    """Recordings that belong to no session, and seem to be theirs by their names."""
    coders: tuple[str, ...] = ()
    """Who was dealt work on them."""
    problem: str = ""
    """Why it could not be looked into, or emptied."""

    @property
    def summary(self) -> str:
        """In a few words."""
        return f"{self.database}: {', '.join(f'{count} {name}' for name, count in self.rows.items())}"


class Coding(msgspec.Struct, frozen=True):
    """What annotation keeps of a participant, as `dfme-annotate withdraw --json` says."""

    databases: tuple[CodingDatabase, ...] = ()
    files: tuple[str, ...] = ()
    """Motion curves."""
    error: str = ""
    """Why nothing could be looked into at all."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Why some of it could not be reached."""
        return tuple(one.problem for one in self.databases if one.problem)


def withdraw_from_coding(study: Path, participant: str, database: str | None = None, *, dry_run: bool) -> Coding:
    """Find what annotation keeps of a participant, and have it removed unless this is a dry run.

    Args:
        study: Folder of the sessions.
        participant: Pseudonym.
        database: URL of a database, beside those that the study knows of.
        dry_run: Only look.

    Raises:
        CaptureError: Annotation cannot be started here, or does not answer.
    """
    if database is None and not (study / WORK_FOLDER).is_dir():
        return Coding()
    what = "--dry-run" if dry_run else "--yes"
    # By the environment: a command line, with a password in it, can be read by everybody on the machine.
    told = {_DATABASE_VARIABLE: database} if database is not None else {}
    done = subprocess.run(
        [sys.executable, "-P", "-m", _MODULE, str(study), participant, what, "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **told},
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    try:
        coding = msgspec.json.decode(lines[-1] if lines else "", type=Coding)
    except msgspec.DecodeError:
        said = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        coding = Coding(error=said)
    if coding.error:
        raise CaptureError(
            f"what was coded cannot be looked into: {coding.error}; mend that, or where annotation is installed run "
            f"`dfme-annotate withdraw {study} {participant}`"
        )
    return coding
