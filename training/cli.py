"""`dfme-train`: makes data to learn from, trains on it and tells how good it is."""

from __future__ import annotations

import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import typer

from capture.console import run_command
from training.commands import bayes, crossval, evaluate, export, fit, from_sessions, reproduce, synthesize

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Make data sets, train models on them, and tell how good they are.",
    epilog="Every command has examples: dfme-train fit --help",
)
app.command(epilog=synthesize.EPILOG)(synthesize.synthesize)
app.command(epilog=fit.EPILOG)(fit.fit)
app.command(epilog=crossval.EPILOG)(crossval.crossval)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=reproduce.EPILOG)(reproduce.reproduce)
app.command(epilog=export.EPILOG)(export.export)
app.command("from-sessions", epilog=from_sessions.EPILOG)(from_sessions.from_sessions)
app.command(epilog=bayes.EPILOG)(bayes.bayes)


def main() -> None:
    """Entry point of `dfme-train`."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        # One of the processes that the first one starts, one for each device: results are told once.
        with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
            run_command(app)
    run_command(app)


if __name__ == "__main__":
    main()
