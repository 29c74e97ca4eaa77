"""`dfme-annotate`."""

from __future__ import annotations

import typer

from annotation.commands import agreement, export, import_, serve, stats, user, withdraw
from capture.console import run_command

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Code what was recorded: rounds by many coders, agreement, export.",
    epilog="Every command has examples: dfme-annotate serve --help",
)
app.command("serve", epilog=serve.EPILOG)(serve.serve)
app.command("import", epilog=import_.EPILOG)(import_.import_)
app.command("agreement", epilog=agreement.EPILOG)(agreement.agreement)
app.command("export", epilog=export.EPILOG)(export.export)
app.command("stats", epilog=stats.EPILOG)(stats.stats)
app.command("withdraw", epilog=withdraw.EPILOG)(withdraw.withdraw)
app.add_typer(user.app, name="user")


def main() -> None:
    """Entry point of `dfme-annotate`."""
    run_command(app)


if __name__ == "__main__":
    main()
