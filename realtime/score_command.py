"""`dfme-live score`: what was spotted against what is true."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from capture.console import print_json
from capture.errors import BadInput
from realtime.scoring import IOU, read_spotted, read_truth, score

EPILOG = """
A recording's lines are found by its name: long/sub0001_01.zarr goes with sub0001_01.jsonl or sub0001_01.live.jsonl. A
single file serves for a table of one recording, whatever its name. A recording without lines counts as missed.

Examples:

  dfme-live score synthetic/long synthetic/spotting.csv

  dfme-live score sub0001_01.jsonl synthetic/spotting.csv --kind all --json
"""


class Kind(StrEnum):
    """Which expressions count."""

    MICRO = "micro"
    MACRO = "macro"
    ALL = "all"


def score_command(
    spotted: Annotated[Path, typer.Argument(help="File that dfme-live wrote, or a folder of such.")],
    truth: Annotated[Path, typer.Argument(help="Table with file, onset, offset, kind and emotion.")],
    kind: Annotated[Kind, typer.Option(help="Which expressions count.")] = Kind.MICRO,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Score spotting and recognition as the Micro-Expression Grand Challenge does.

    A prediction is right when it overlaps a truth by half of what they cover together; each truth counts once; F1 is
    over all recordings together. STRS is that F1 by the mean F1 of emotions among what was found.
    """
    truths, found = read_truth(truth), read_spotted(spotted)
    if len(truths) == len(found) == 1:
        found = dict(zip(truths, found.values(), strict=True))
    unknown = sorted(set(found) - set(truths))
    if len(unknown) == len(found):
        raise BadInput(f"{truth} tells of none of these recordings: {', '.join(unknown[:5])}; it has {_some(truths)}")
    result = score(truths, found, kind.value)
    if as_json:
        print_json(
            {
                "recordings": result.recordings,
                "kind": kind.value,
                "iou": IOU,
                "truths": result.truths,
                "spotted": result.spotted,
                "found": result.found,
                "missed": result.missed,
                "false_alarms": result.false_alarms,
                "named": result.named,
                "precision": round(result.precision, 4),
                "recall": round(result.recall, 4),
                "f1": round(result.f1, 4),
                "recognition_f1": round(result.recognition_f1, 4),
                "strs": round(result.strs, 4),
            }
        )
        return
    typer.echo(
        f"{result.recordings} recordings, {result.truths} true, {result.spotted} spotted, {result.found} right, "
        f"{result.missed} missed, {result.false_alarms} false\n"
        f"  spotting F1 {result.f1:.3f} at IoU {IOU:g}; {result.named} named rightly, recognition F1 "
        f"{result.recognition_f1:.3f}; STRS {result.strs:.3f}"
    )


def _some(names: Iterable[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:5]) + (", …" if len(first) > 5 else "")
