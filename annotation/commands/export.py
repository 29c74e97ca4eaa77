"""`dfme-annotate export`: what was coded, as data sets that others can read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from annotation.coded import CodedSample
from annotation.coded.from_study import study_samples
from annotation.commands.common import Db, Json, Sessions, StudyFile, counted, open_study
from annotation.export.bids import bids_label, session_numbers, write_derivatives
from annotation.export.consent import Purpose, check_consent
from annotation.export.dfme import CLIPS, LABELS, MANIFEST, TABLE, Clip, empty_folder, lay_out, write_dataset
from annotation.export.elan import eaf
from annotation.export.table import csv_table
from capture.console import Progress, output, print_json
from capture.errors import BadInput
from capture.recording.files import write_whole
from capture.study.export_ledger import Exported, ExportLedger, now_utc

EPILOG = """
`dfme` is what `dfme-train` reads: OUT/train_data/<subject>_<nn>/00000.png, OUT/train_labels.xlsx, and OUT/manifest.json
with the recording that each clip is from. Only participants who agreed to what the export is for are in it.

Examples:

  dfme-annotate export /data/study1 --out /data/exports/first

  dfme-annotate export /data/study1 --out for_partners --for sharing --context 50 --json

  dfme-annotate export /data/study1 --out tables --format bids --format elan --format csv
"""


CSV = "expressions.csv"


class Format(StrEnum):
    """What can be written."""

    DFME = "dfme"
    BIDS = "bids"
    ELAN = "elan"
    CSV = "csv"


@dataclass(frozen=True)
class _Plan:
    """What goes where."""

    samples: list[CodedSample]
    """For tables: with units and emotion as far as they are settled."""
    clips: list[Clip]
    """With pictures: decided expressions alone."""


def export(
    sessions: Sessions,
    out: Annotated[Path, typer.Option(help="New or empty folder.", show_default=False)],
    format_: Annotated[
        list[Format] | None, typer.Option("--format", help="What to write; repeatable. Default: dfme.")
    ] = None,
    purpose: Annotated[Purpose, typer.Option("--for", help="What it is for; decides who is in it.")] = Purpose.ANALYSIS,
    context: Annotated[
        int | None,
        typer.Option(help="Frames before onset and after offset; the clip as it was cut if not given.", min=0),
    ] = None,
    macro: Annotated[bool, typer.Option("--macro", help="Write pictures of macro-expressions as well.")] = False,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Write what was coded as a data set, with the pictures of those who agreed."""
    formats = format_ or [Format.DFME]
    with open_study(sessions, db, study, scan=True) as opened, opened.database.read() as session:
        samples = study_samples(session, opened.outcomes)
        name = opened.study.name
    if not samples:
        raise BadInput(f"{sessions} has no settled expression yet: close a key-frame round first")
    consent = check_consent(sessions, (sample.subject for sample in samples), purpose)
    agreed = [sample for sample in samples if sample.subject not in consent.left_out]
    undecided = sum(sample.emotion is None for sample in agreed)
    if purpose is not Purpose.ANALYSIS:
        agreed = _without_dates(agreed)
    shown = [sample for sample in agreed if sample.emotion is not None and (macro or sample.micro)]
    plan = _Plan(agreed, lay_out(shown, context) if Format.DFME in formats else [])
    _refuse_empty(plan, formats, consent.left_out)
    empty_folder(out)
    # Entered before the first file is written: a withdrawal must find every copy.
    ExportLedger(sessions).add(_ledger_entry(plan, formats, out, purpose))
    with Progress("writing pictures") as progress:
        if Format.DFME in formats:
            facts = {"study": name, "purpose": purpose.value}
            if purpose is Purpose.ANALYSIS:
                # What is trained on it is entered in the study's ledger.
                facts["sessions"] = str(sessions.absolute())
            write_dataset(sessions, out, plan.clips, facts, progress.update)
    _write_tables(plan, formats, out, name)
    figures = {
        "out": str(out),
        "formats": [one.value for one in formats],
        "purpose": purpose.value,
        "expressions": len(plan.samples),
        "clips": len(plan.clips),
        "frames": sum(clip.frames for clip in plan.clips),
        "participants": len({sample.subject for sample in plan.samples}),
        "left_out": dict(consent.left_out),
        "without_emotion": undecided,
        "warning": consent.warning,
    }
    _tell(figures, json_output)


def _refuse_empty(plan: _Plan, formats: Sequence[Format], left_out: object) -> None:
    if not plan.samples:
        raise BadInput(f"nobody agreed to this use, so nothing is written: {left_out}")
    if Format.DFME in formats and not plan.clips:
        raise BadInput(
            f"none of {len(plan.samples)} expressions is a micro-expression with a settled emotion: close an emotion "
            "round, add --macro, or choose --format csv"
        )


def _without_dates(samples: list[CodedSample]) -> list[CodedSample]:
    """For others: the name of a session's folder holds the day and the minute of the visit."""
    numbers = session_numbers(samples)
    renamed = []
    for sample in samples:
        session, slash, trial = sample.name.rpartition("/")
        visit = f"ses-{numbers[sample.subject, session]:02d}" if slash else session
        renamed.append(replace(sample, name=f"{visit}{slash}{trial}"))
    return renamed


def _ledger_entry(plan: _Plan, formats: Sequence[Format], out: Path, purpose: Purpose) -> Exported:
    paths: dict[str, list[str]] = defaultdict(list)
    for clip in plan.clips:
        paths[clip.sample.subject].append(f"{CLIPS}/{clip.folder}")
    for sample in plan.samples:
        if Format.BIDS in formats:
            paths[sample.subject].append(f"derivatives/dfme/sub-{bids_label(sample.subject)}")
        if Format.ELAN in formats:
            paths[sample.subject].append(f"elan/{sample.subject}")
        paths[sample.subject] += []
    tables = [TABLE, LABELS, MANIFEST] if Format.DFME in formats else []
    tables += [CSV] if Format.CSV in formats else []
    return Exported(
        what=f"annotation: {', '.join(formats)}, for {purpose.value}",
        time=now_utc(),
        out=str(out.absolute()),
        paths={subject: list(dict.fromkeys(theirs)) for subject, theirs in paths.items()},
        tables=tuple(tables),
        names={subject: subject for subject in paths},
    )


def _eaf_name(sample: CodedSample) -> str:
    return f"elan/{sample.subject}/{sample.subject}_{sample.name.replace('/', '_')}.eaf"


def _write_tables(plan: _Plan, formats: Sequence[Format], out: Path, name: str) -> None:
    if Format.BIDS in formats:
        write_derivatives(out / "derivatives" / "dfme", plan.samples, name)
    if Format.ELAN in formats:
        by_file: dict[str, list[CodedSample]] = defaultdict(list)
        for sample in plan.samples:
            by_file[_eaf_name(sample)].append(sample)
        for file, theirs in by_file.items():
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            write_whole(out / file, eaf(theirs))
    if Format.CSV in formats:
        write_whole(out / CSV, csv_table(plan.samples))


def _tell(figures: dict[str, object], json_output: bool) -> None:
    if json_output:
        print_json(figures)
        return
    console = output()
    expressions, participants, frames = (int(str(figures[key])) for key in ("expressions", "participants", "frames"))
    console.print(
        f"{figures['out']}: {counted(expressions, 'expression')} of {counted(participants, 'participant')}, "
        f"{figures['clips']} with pictures ({counted(frames, 'frame')})"
    )
    if figures["without_emotion"]:
        console.print(f"{figures['without_emotion']} have no settled emotion and are in tables alone")
    if figures["warning"]:
        console.print(f"[yellow]note[/]  {figures['warning']}")
    left_out = figures["left_out"]
    if isinstance(left_out, dict) and left_out:
        console.print("left out:")
        for subject, reason in left_out.items():
            console.print(f"  {subject}: {reason}")
