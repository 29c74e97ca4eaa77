"""`dfme-annotate`."""

from __future__ import annotations

import typer

from capture.console import run_command

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Code what was recorded: rounds by many coders, agreement, export.",
)


@app.callback()
def _commands() -> None:
    """Keeps the commands' names where there is only one."""


def main() -> None:
    """Entry point of `dfme-annotate`."""
    run_command(app)


if __name__ == "__main__":
    main()
