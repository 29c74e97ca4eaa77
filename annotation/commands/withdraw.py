"""`dfme-annotate withdraw`: takes a participant out of what was coded.

Also to be run as a module, by `dfme-session withdraw`: it then loads none of the other commands.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from annotation.commands.options import Db, Json, Sessions
from annotation.withdrawal import CodingReport, withdraw_from_coding
from capture.console import output, print_json, run_command
from capture.errors import BadInput, CaptureError
from capture.participants import PSEUDONYM

EPILOG = """
dfme-session withdraw does this among other things: it removes recordings and exports as well. A server that runs
meanwhile goes on; nobody can open the participant's pictures from then on.

Examples:

  dfme-annotate withdraw /data/study1 P7KQ2M --dry-run

  dfme-annotate withdraw /data/study1 P7KQ2M --yes --db postgresql://dfme@dbhost/study1
"""


def withdraw(
    sessions: Sessions,
    participant: Annotated[str, typer.Argument(help="The participant's pseudonym.", show_default=False)],
    db: Db = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_output: Json = False,
) -> None:
    """Remove a participant's recordings, clips, answers and decisions from every database of the study."""
    if not sessions.is_dir():
        raise BadInput(f"{sessions} is not a folder: give the folder in which the sessions are")
    if not PSEUDONYM.fullmatch(participant):
        raise BadInput(f"participant {participant!r}: give the pseudonym, such as P7KQ2M")
    if not dry_run and not yes and sys.stdin.isatty():
        _tell(withdraw_from_coding(sessions, participant, db, dry_run=True), participant, "has")
        if not typer.confirm("Remove all of this for good?"):
            raise CaptureError("nothing was removed")
    report = withdraw_from_coding(sessions, participant, db, dry_run=dry_run)
    if json_output:
        print_json(_as_json(report, participant, sessions, dry_run=dry_run))
    else:
        _tell(report, participant, "has" if dry_run else "had, and has no more,")
        for problem in report.problems:
            typer.echo(f"error: {problem}", err=True)
    if report.problems:
        raise typer.Exit(1)


def _tell(report: CodingReport, participant: str, verb: str) -> None:
    for one in report.databases:
        if not one.problem:
            rows = ", ".join(f"{count} {name}" for name, count in one.kept.rows.items()) or "nothing"
            output().print(f"{one.database} {verb} of {participant}: {rows}", markup=False, soft_wrap=True)
    for curve in report.curves:
        output().print(f"motion curve {curve}", markup=False, soft_wrap=True)


def _as_json(report: CodingReport, participant: str, sessions: Path, *, dry_run: bool) -> dict[str, object]:
    return {
        "participant": participant,
        "dry_run": dry_run,
        "databases": [
            {
                "database": one.database,
                "rows": dict(one.kept.rows),
                "folders": [str(sessions / path) for path in one.kept.paths_elsewhere],
                "coders": list(one.kept.coders),
                "problem": one.problem,
            }
            for one in report.databases
        ],
        "files": [str(path) for path in report.curves],
    }


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(withdraw)
    run_command(app)
