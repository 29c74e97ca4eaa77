"""Takes a participant out of everything that annotation keeps: databases, and curves made of their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from annotation.store import Database
from annotation.store.erasure import Kept, erase, kept_of
from annotation.store.known import KNOWN_FILE, known_urls, shown, sqlite_file
from capture.errors import CaptureError
from capture.study.coding import WORK_FOLDER


@dataclass(frozen=True)
class DatabaseReport:
    """What one database had of a participant, or why that is not known."""

    database: str
    """Its URL without the password."""
    kept: Kept = field(default_factory=Kept)
    problem: str = ""
    """Why it could not be looked into, or emptied."""


@dataclass(frozen=True)
class CodingReport:
    """What annotation kept of a participant."""

    databases: tuple[DatabaseReport, ...]
    curves: tuple[Path, ...]
    """Files of motion curves."""

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each database that could not be reached."""
        return tuple(one.problem for one in self.databases if one.problem)


def withdraw_from_coding(sessions: Path, participant: str, url: str | None = None, *, dry_run: bool) -> CodingReport:
    """Find what there is of a participant, and remove it unless this is a dry run.

    Args:
        sessions: Folder of the study's sessions.
        participant: Pseudonym.
        url: A database beside those that the study knows of, or one of those with its password.
        dry_run: Only look.
    """
    reports = tuple(_in_databases(sessions, participant, url, dry_run=dry_run))
    # Numbers of recordings are those of one database, and the curves lie beside the sessions: all that may be theirs.
    numbers = {number for report in reports for number in report.kept.recordings}
    folder = sessions / WORK_FOLDER / "motion"
    curves = tuple(file for number in sorted(numbers) for file in sorted(folder.glob(f"{number}-*.npz")))
    if not dry_run:
        for file in curves:
            file.unlink(missing_ok=True)
    return CodingReport(reports, curves)


def _in_databases(sessions: Path, participant: str, url: str | None, *, dry_run: bool) -> Iterator[DatabaseReport]:
    for known in known_urls(sessions, url):
        name, file = shown(known), sqlite_file(known)
        if file is not None and not file.exists():
            yield DatabaseReport(name, problem=f"the database {name} is not there any more: {_what_to_do(sessions)}")
            continue
        try:
            database = Database.open(known)
        except CaptureError as error:
            yield DatabaseReport(name, problem=f"{error}: {_what_to_do(sessions)}")
            continue
        try:
            if dry_run:
                with database.read() as session:
                    kept = kept_of(session, participant)
            else:
                kept = erase(database, participant)
        finally:
            database.close()
        yield DatabaseReport(name, kept)


def _what_to_do(sessions: Path) -> str:
    file = sessions / WORK_FOLDER / KNOWN_FILE
    return f"make it reachable or give its URL with the password; if it is gone for good, remove its line in {file}"
