"""`dfme-train bayes`: how good any model can be on simulated data."""

from __future__ import annotations

from typing import Annotated

import typer

from capture.console import print_json
from expression.paper import PARTS
from training.commands import options
from training.commands.synthesize import PartName

EPILOG = """
The same action units occur with several emotions, so even who sees every unit is often wrong. Compare a model with
these figures and not with 100 %.

Examples:

  dfme-train bayes --part C

  dfme-train bayes --part A --json
"""


def bayes(
    part: Annotated[PartName, typer.Option(help="Part of DFME whose share of emotions is taken.")] = PartName.C,
    as_json: options.AsJson = False,
) -> None:
    """Tell the best accuracy and UF1 that the simulated participants allow."""
    from training.bayes import optimum

    best = optimum(next(known for known in PARTS if known.name == part.value))
    accuracy, uf1 = best.by_accuracy, best.by_uf1
    if as_json:
        print_json({"part": part.value, "by_accuracy": options.as_dict(accuracy), "by_uf1": options.as_dict(uf1)})
        return
    typer.echo(f"part {part.value}, seven emotions, every action unit known:")
    typer.echo(f"  the most accurate answers       {accuracy}")
    typer.echo(f"  the answers of greatest UF1     {uf1}")
