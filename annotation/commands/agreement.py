"""`dfme-annotate agreement`: how far the coders of closed rounds agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from annotation.agreement.plots import draw
from annotation.agreement.report import RoundAnswers, report
from annotation.api_models import RoundKind
from annotation.commands.common import Db, Json, Sessions, StudyFile, counted, open_study
from annotation.lead_models import AgreementReport, Cell, Figure
from annotation.store.schema import RoundRow
from capture.console import Progress, output, print_json
from capture.errors import BadInput
from capture.recording.files import write_whole

EPILOG = """
Examples:

  dfme-annotate agreement /data/study1

  dfme-annotate agreement /data/study1 --round 3 --plots figures --json
"""


def agreement(
    sessions: Sessions,
    round_number: Annotated[int | None, typer.Option("--round", help="Only this round.", show_default=False)] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for plots, as SVG and PNG.", show_default=False)] = None,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Print how far coders agree: R, kappas, alpha, spread of key-frames, and a table per coder."""
    drawn: list[str] = []
    with open_study(sessions, db, study) as opened, opened.database.read() as session:
        rows = session.scalars(
            select(RoundRow)
            .where(RoundRow.closed.is_not(None), RoundRow.kind != RoundKind.SELECTION, RoundRow.coders > 0)
            .order_by(RoundRow.id)
        ).all()
        if round_number is not None:
            rows = [row for row in rows if row.id == round_number]
        if not rows:
            which = (
                f"round {round_number} is not closed, or was not coded" if round_number else "no round is closed yet"
            )
            raise BadInput(f"{which}: answers are seen when a round has been closed")
        reports = []
        with Progress("agreement", "rounds") as progress:
            for done, row in enumerate(rows, start=1):
                found = report(session, opened.outcomes, row, opened.study.bootstrap_draws)
                reports.append(found)
                if plots is not None:
                    drawn += _draw(RoundAnswers(session, opened.outcomes, row), found, plots)
                progress.update(done, len(rows))
    if json_output:
        print_json({"rounds": [one.model_dump(mode="json") for one in reports], "plots": drawn})
        return
    console = output()
    for one in reports:
        _print(console, one)
    for file in drawn:
        console.print(f"plot: {escape(file)}")


def _draw(answers: RoundAnswers, found: AgreementReport, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in found.plots:
        for kind in ("svg", "png"):
            file = folder / f"round-{found.round}-{found.kind.value}-{name}.{kind}"
            write_whole(file, draw(answers, name, "svg" if kind == "svg" else "png"))
            files.append(str(file))
    return files


def _print(console: Console, found: AgreementReport) -> None:
    coded = f"{counted(found.clips, 'clip')}, {counted(len(found.coders), 'coder')}"
    console.print(f"[bold]round {found.round}, {found.kind.value}[/]: {coded}")
    grid = Table.grid(padding=(0, 2))
    for figure in found.figures:
        grid.add_row(escape(figure.name), _value(figure), escape(figure.about))
    console.print(grid)
    for table in found.tables:
        console.print(f"\n{escape(table.title)}")
        shown = Table(*table.columns, box=None, pad_edge=False, header_style="dim")
        for row in table.rows:
            shown.add_row(*(_cell(cell) for cell in row))
        console.print(shown)
    console.print()


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    unit = {"share": ""}.get(figure.unit, f" {figure.unit}" if figure.unit else "")
    value = f"{figure.value:.0%}" if figure.unit == "share" else f"{figure.value:.3g}{unit}"
    interval = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low is not None and figure.high is not None else ""
    return escape(f"{value}{interval} {figure.reading}".rstrip())


def _cell(cell: Cell) -> str:
    return "-" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else escape(str(cell))
