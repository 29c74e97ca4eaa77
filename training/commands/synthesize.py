"""`dfme-train synthesize`: renders a data set of simulated participants."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from capture.console import Progress, print_json
from capture.simulator.performed_bank import write_bank
from expression.errors import BadInput
from expression.paper import PARTS
from expression.synthetic.dataset import DatasetSummary, SynthesisPlan
from expression.synthetic.long_recordings import write_recording
from expression.synthetic.parallel import synthesize as make_dataset
from expression.synthetic.performance import MICRO_PER_MIN

_RATES: Final = {part.name: float(part.rate_fps) for part in PARTS}
EPILOG = """
Clips lie in OUT/train_data as numbered PNG files, with the sheet OUT/train_labels.xlsx, as in the DFME release. Long
recordings are Zarr arrays in OUT/long, with OUT/spotting.csv. OUT/truth holds every event and intensity.

Examples:

  dfme-train synthesize --subjects 20 --clips-per-subject 8 --part A --out synthetic

  dfme-train synthesize --subjects 4 --clips-per-subject 2 --fps 200 --seed 7 --jobs 2 --out small --json

  dfme-train synthesize --subjects 3 --long --minutes 0.5 --part C --out to_spot

  dfme-train synthesize --subjects 1 --long --bank --minutes 0.2 --micro-per-minute 20 --part C --out shown
"""


class PartName(StrEnum):
    """Parts of DFME."""

    A = "A"
    B = "B"
    C = "C"


def synthesize(
    out: Annotated[Path, typer.Option(help="Folder of the data set; one begun with the same options is gone on with.")],
    subjects: Annotated[int, typer.Option(help="Participants, each with a face of their own.")] = 10,
    clips_per_subject: Annotated[int, typer.Option(help="Clips of each, with one micro-expression each.")] = 8,
    fps: Annotated[float | None, typer.Option(help="Frames a second. Default: those of the part.")] = None,
    seed: Annotated[int, typer.Option(help="Everything follows from it.")] = 0,
    part: Annotated[
        PartName, typer.Option(help="Part of DFME whose share of emotions is kept: A (500 fps), B (300), C (200).")
    ] = PartName.A,
    long: Annotated[
        bool, typer.Option("--long", help="One long recording per subject instead of clips, to spot expressions in.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="Length of a long recording.")] = 1.0,
    micro_per_minute: Annotated[
        float, typer.Option(help="Micro-expressions in a minute of a long recording, on average.")
    ] = MICRO_PER_MIN,
    bank: Annotated[
        bool,
        typer.Option("--bank", help="Long recordings as frame banks, for dfme-capture --frame-bank, not as arrays."),
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Processes. Default: one per processor.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Render a data set of simulated participants, with the truth about every frame.

    Emotions, action units and lengths follow the tables of the DFME paper. The same seed gives the same bytes.
    """
    if jobs is not None and jobs < 1:
        raise BadInput(f"--jobs {jobs}: give 1 or more")
    if bank and not long:
        raise BadInput("--bank goes with --long")
    plan = SynthesisPlan(
        seed=seed,
        part=part.value,
        rate_fps=_RATES[part.value] if fps is None else fps,
        long=long,
        minutes=minutes if long else 0.0,
        micro_per_min=micro_per_minute,
        banks=bank,
    )
    with Progress("rendering") as progress:
        summary = make_dataset(
            out,
            plan,
            subjects=subjects,
            clips_per_subject=clips_per_subject,
            jobs=jobs or os.cpu_count() or 1,
            progress=progress.update,
            write_long=write_bank if bank else write_recording,
        )
    if as_json:
        print_json(_as_json(summary, plan))
    else:
        shown = ", ".join(f"{name} {count}" for name, count in summary.micro.items())
        what = "long recordings" if plan.long else "clips"
        typer.echo(
            f"{out}: {summary.recordings} {what} of {summary.subjects} subjects, {summary.frames:,} frames\n  {shown}"
        )


def _as_json(summary: DatasetSummary, plan: SynthesisPlan) -> dict[str, Any]:
    return {
        "out": str(summary.out),
        **msgspec.to_builtins(plan),
        "subjects": summary.subjects,
        "recordings": summary.recordings,
        "frames": summary.frames,
        "micro": summary.micro,
        "macro": summary.macro,
    }
