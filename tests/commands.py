"""Commands of ours run in the test's process, which saves the time that a new one takes to import its libraries."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any

import pytest
import typer

from capture.console import run_command


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of standard output."""
        said: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return said

    @property
    def error(self) -> str:
        """The only line of standard error."""
        (line,) = self.err.strip().splitlines()
        return line


class Commands:
    """Runs commands; those that play, record or serve need a process of their own."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, app: typer.Typer, *arguments: object) -> Ended:
        """The command `app` with these arguments, to its end."""
        self._captured.readouterr()
        handler = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as end:
                run_command(app, [str(argument) for argument in arguments])
        finally:
            signal.signal(signal.SIGTERM, handler)
        said = self._captured.readouterr()
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, said.out, said.err)
