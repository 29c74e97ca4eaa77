"""`dfme-session export-bids` and `dfme-session withdraw`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from capture.console import Progress, output, print_json
from capture.errors import BadInput, CaptureError
from capture.study.bids_export import ExportReport, export_bids
from capture.study.withdrawal import Found, find_participant, remove_participant

EXPORT_EPILOG = """
Examples:

  dfme-session export-bids /data/study1 --out /data/bids

  dfme-session export-bids /data/study1/2026-11-23T10-00-00_P07 --out bids --images --json
"""
WITHDRAW_EPILOG = """
Examples:

  dfme-session withdraw P7KQ2M --study /data/study1 --dry-run

  dfme-session withdraw P7KQ2M --study /data/study1 --models /data/models --yes

  dfme-session withdraw P7KQ2M --study /data/study1 --database postgresql://dfme@dbhost/study1

A URL with a password in it is better given as DFME_DATABASE: others cannot read it there.
"""
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def export(
    path: Annotated[Path, typer.Argument(help="A session folder, or the folder of a study.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the data set; a new one, or an earlier export.")],
    images: Annotated[
        bool, typer.Option("--images", help="With the videos of those who agreed that images may be published.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write sessions as a BIDS data set.

    Dates are moved, what the operator wrote is left out, and nothing is exported of those who gave no consent or took
    it back. Where copies went is kept in exports.jsonl of the study, for a later withdrawal.
    """
    if not path.is_dir():
        raise BadInput(f"{path} is not there: give a session folder, or the folder of a study")
    with Progress("exporting", "trials") as progress:
        report = export_bids(path, out, images=images, progress=progress.update)
    if as_json:
        print_json(asdict(report))
    else:
        output().print(_exported(report), markup=False, soft_wrap=True)


def withdraw(
    participant: Annotated[str, typer.Argument(help="The participant's pseudonym.", show_default=False)],
    study: Annotated[Path, typer.Option(help="Folder of the study's sessions.")],
    models: Annotated[
        list[Path] | None, typer.Option(help="Folder with models to look through, besides the study; repeatable.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="DFME_DATABASE",
            help="URL of annotation's database, where it needs a password or the study does not know of it.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything of a participant: sessions, copies, exports, what was coded, and crops for training.

    Models that have seen them are listed, and must be trained again. What cannot be reached from here, such as the
    storage machine, is listed with what to do there. A tombstone stays in the registry.
    """
    if not study.is_dir():
        raise BadInput(f"{study} is not a folder: give that of the study's sessions")
    missing = next((folder for folder in models or () if not folder.is_dir()), None)
    if missing is not None:
        raise BadInput(f"--models {missing} is not a folder")
    found = find_participant(participant, study, models or (), database=database)
    if not as_json:
        output().print(_listed(found), markup=False, soft_wrap=True)
    if dry_run:
        if as_json:
            print_json({**_as_json(found), "dry_run": True, "removed": None})
        return
    if not yes and not found.running and sys.stdin.isatty() and not typer.confirm("Remove all of this for good?"):
        raise CaptureError("nothing was removed")
    with Progress("removing", "folders") as progress:
        removal = remove_participant(found, study, progress.update)
    if removal.failed and not as_json:
        raise CaptureError(f"not everything could be removed, run this again: {'; '.join(removal.failed)}")
    if as_json:
        removed = {name: value for name, value in asdict(removal).items() if name != "participant"}
        print_json({**_as_json(found), "dry_run": False, "removed": removed})
    else:
        lines = [f"removed {removal.files:,} files, {removal.bytes / 1e6:,.1f} MB, {removal.rows:,} rows in databases"]
        lines += [f"  still to be done: {text}" for text in found.left]
        output().print("\n".join(lines), markup=False, soft_wrap=True)
    if removal.failed:
        raise typer.Exit(1)


def _exported(report: ExportReport) -> str:
    lines = [f"{report.out}: {len(report.participants)} participants, {report.runs} runs, {report.videos} videos"]
    return "\n".join([*lines, *(f"  left out: {text}" for text in report.left_out)])


def _as_json(found: Found) -> dict[str, object]:
    return {
        "participant": found.participant,
        "sessions": [str(path) for path in found.sessions],
        "exports": [str(path) for path in found.exports],
        "tables": [str(path) for path, _ in found.tables],
        "caches": [str(path) for path in found.caches],
        "coding": [
            {"database": one.database, "rows": one.rows, "problem": one.problem} for one in found.coding.databases
        ],
        "must_be_retrained": [str(path) for path in found.models],
        "elsewhere": list(found.elsewhere),
        "running": list(found.running),
        "unreachable": list(found.unreachable),
    }


def _listed(found: Found) -> str:
    lines = [f"{found.participant}:"]
    lines += [f"  session  {path}" for path in found.sessions]
    lines += [f"  export   {path}" for path in found.exports]
    lines += [f"  lines in {path}" for path, _ in found.tables]
    lines += [f"  crops    {path}" for path in found.caches]
    lines += [f"  coded    {one.summary}" for one in found.coding.databases if one.rows]
    lines += [f"  curve    {path}" for path in found.coding.files]
    lines += [f"  must be retrained: {path}" for path in found.models]
    lines += [f"  see to it by hand: {text}" for text in found.elsewhere]
    lines += [f"  must end first: {text}" for text in found.running]
    lines += [f"  cannot be reached: {text}" for text in found.unreachable]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing is kept of them here"])
