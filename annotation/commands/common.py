"""The study that commands point at, and the options by which they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from annotation import catalogue
from annotation.commands.options import Db, Json, Sessions, StudyFile
from annotation.outcomes import Outcomes
from annotation.store import Database
from annotation.store.known import open_database
from annotation.study import Study, load_study

__all__ = ["Db", "Json", "OpenStudy", "Sessions", "StudyFile", "open_study"]


@dataclass
class OpenStudy:
    """A study with its database."""

    root: Path
    study: Study
    database: Database
    outcomes: Outcomes
    problems: tuple[str, ...]
    """Recordings that cannot be coded."""


@contextmanager
def open_study(sessions: Path, db: str | None, study_file: Path | None, *, scan: bool = False) -> Iterator[OpenStudy]:
    """Open the study of a folder; `scan` looks for recordings that are new or gone.

    Raises:
        BadInput: Folder, study file or URL cannot be used.
        DatabaseUnusable: The database cannot be reached.
    """
    study = load_study(sessions, study_file)
    catalogue.checked(sessions)
    found = catalogue.scan(sessions, study) if scan else None
    database = open_database(sessions, db)
    try:
        problems: tuple[str, ...] = ()
        if found is not None:
            problems = found.problems
            with database.write() as session:
                catalogue.enter(session, found)
        yield OpenStudy(sessions, study, database, Outcomes(), problems)
    finally:
        database.close()


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 clip`, `2,000 clips`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
