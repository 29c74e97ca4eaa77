"""`dfme-annotate import`: labels that a lab already has, into a study or into one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annotation.commands.common import Db, Json, StudyFile, counted, open_study
from annotation.export.table import csv_table
from annotation.imports.into_study import enter_samples
from annotation.imports.sheets import Source, read_labels
from capture.console import output, print_json
from capture.errors import BadInput
from capture.recording.files import write_whole

EPILOG = """
With --into, expressions are matched to recordings by name: a folder of numbered pictures or a Zarr array below the
study's folder, or SESSION/TRIAL as `dfme-annotate export --format csv` writes it. They count as coded and decided.

Examples:

  dfme-annotate import CASME2-coding-20140508.xlsx --out casme2.csv

  dfme-annotate import train_labels.xlsx --into /data/dfme_part_a --fps 500

  dfme-annotate import P07_session_trial-001.eaf --into /data/study1 --fps 500 --json
"""
_SHOWN = 10


def import_(
    file: Annotated[Path, typer.Argument(help="Label sheet (.xlsx, .csv) or ELAN file (.eaf).", show_default=False)],
    into: Annotated[Path | None, typer.Option(help="Study to enter them into.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write them to.", show_default=False)] = None,
    source: Annotated[Source, typer.Option("--format", help="Whose labels they are.")] = Source.AUTO,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, where they do not say.", min=1, max=100_000)
    ] = None,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Read labels of DFME, CASME II, SAMM, CAS(ME)^3, SMIC, ELAN or CSV."""
    if into is None and out is None:
        raise BadInput("give --into STUDY to enter the labels, or --out FILE.csv to convert them")
    read = read_labels(file, source, fps)
    entered = None
    if into is not None:
        with open_study(into, db, study, scan=True) as opened, opened.database.write() as session:
            entered = enter_samples(session, into, read.samples, file.name)
        if entered.clips + entered.known == 0:
            raise BadInput(
                f"none of {counted(len(read.samples), 'expression')} in {file} has a recording in {into}; "
                f"the first one is {entered.unmatched[0]}"
            )
    if out is not None:
        write_whole(out, csv_table(read.samples))
    figures = {
        "file": str(file),
        "format": read.source.value,
        "expressions": len(read.samples),
        "micro": sum(sample.micro for sample in read.samples),
        "remarks": list(read.remarks),
        "out": str(out) if out else None,
        "entered": entered.clips if entered else None,
        "known": entered.known if entered else None,
        "unmatched": list(entered.unmatched) if entered else None,
    }
    if json_output:
        print_json(figures)
        return
    console = output()
    console.print(f"{file.name}, read as {read.source.value}: {counted(len(read.samples), 'expression')}")
    if entered is not None:
        console.print(f"{entered.clips} entered into {into}, {entered.known} were there already")
    if out is not None:
        console.print(f"written to {out}")
    for line in (*read.remarks, *(entered.unmatched if entered else ()))[:_SHOWN]:
        console.print(f"  [yellow]note[/]  {line}")
    rest = len(read.remarks) + (len(entered.unmatched) if entered else 0) - _SHOWN
    if rest > 0:
        console.print(f"  and {rest} more; --json lists all")
