"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotation.store.known import DATABASE_VARIABLE

Sessions = Annotated[Path, typer.Argument(help="Folder in which the sessions are.", show_default=False)]
Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar=DATABASE_VARIABLE,
        help="URL of the database; SQLite in SESSIONS/annotation if not given.",
        show_default=False,
    ),
]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", help="Study file. Default: SESSIONS/annotation.toml.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
