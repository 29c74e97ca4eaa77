"""Options that several commands share, and the study that they point at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from annotation import catalogue
from annotation.outcomes import Outcomes
from annotation.server.context import default_url
from annotation.store import Database
from annotation.study import Study, load_study

Sessions = Annotated[Path, typer.Argument(help="Folder in which the sessions are.", show_default=False)]
Db = Annotated[
    str | None,
    typer.Option("--db", help="URL of the database; SQLite in SESSIONS/annotation if not given.", show_default=False),
]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", help="Study file. Default: SESSIONS/annotation.toml.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


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
    database = Database.open(db or default_url(sessions))
    try:
        problems: tuple[str, ...] = ()
        if found is not None:
            problems = found.problems
            with database.write() as session:
                catalogue.enter(session, found)
        yield OpenStudy(sessions, study, database, Outcomes(), problems)
    finally:
        database.close()
