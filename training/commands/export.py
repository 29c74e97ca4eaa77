"""`dfme-train export`: makes a bundle for the live service of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capture.console import print_json
from training.commands import options

EPILOG = """
The bundle holds model.onnx (and model_int8.onnx), bundle.json and MODEL_CARD.md. Temperature and the limit of `not
sure` are chosen on validation subjects.

Examples:

  dfme-train export runs/first --out models/first

  dfme-train export runs/first --out models/first --no-int8 --static --licence "for research in our lab"
"""


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="Folder of the bundle.")],
    name: Annotated[str, typer.Option(help="Name of the model. Default: that of the folder.")] = "",
    licence: Annotated[str, typer.Option(help="Under which terms it may be used.")] = "",
    remark: Annotated[list[str] | None, typer.Option(help="Paragraph for the model card; repeatable.")] = None,
    int8: Annotated[bool, typer.Option(help="Quantise as well.")] = True,
    static: Annotated[bool, typer.Option("--static", help="Fix the batch to one clip.")] = False,
    torch_program: Annotated[
        bool, typer.Option("--torch", help="Write model.pt2 for the torch engine as well.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write a trained model as ONNX, checked, quantised and calibrated, with its card."""
    options.need_torch()
    from training.run_export import export_run

    done = export_run(
        run,
        out,
        name=name or out.name,
        licence=licence,
        remarks=remark or (),
        int8=int8,
        static=static,
        torch_program=torch_program,
    )
    record = done.bundle.record
    if as_json:
        print_json(
            {
                "out": str(out),
                "files": dict(done.bytes),
                "difference": done.difference,
                "int8_agreement": done.int8_agreement,
                "int8_problem": done.int8_problem or None,
                "temperature": record.temperature,
                "unsure_below": record.unsure_below,
                "simulated": record.simulated,
            }
        )
        return
    sizes = ", ".join(f"{file} {size / 1e6:.1f} MB" for file, size in done.bytes.items())
    typer.echo(f"{out}: {sizes}; differs from PyTorch by {done.difference:.1e} of the largest output")
    if done.int8_agreement is not None:
        typer.echo(f"  INT8 names the same class for {done.int8_agreement:.1%} of the calibration samples")
    if done.int8_problem:
        typer.echo(f"  no INT8 network: {done.int8_problem}")
    typer.echo(f"  temperature {record.temperature:.3f}, not sure below {record.unsure_below:.2f}")
    if record.simulated:
        typer.echo("  SIMULATED: trained on faces that do not exist")
