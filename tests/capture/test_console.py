"""How a command ends: which status, and what is said of it."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from pathlib import Path

import pytest
import typer

from capture.console import print_json, run_command
from capture.errors import BadInput, CaptureError


@pytest.fixture(autouse=True)
def signals():
    """A command takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ending(capsys, error: BaseException) -> tuple[int, str]:
    """Status and line of a command that fails with this."""
    app = typer.Typer()

    @app.command()
    def command(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_command(app, ["--json"])
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert json.loads(said.out) == {"error": line.removeprefix("error: "), "exit_status": ended.value.code}
    return ended.value.code, line


@pytest.mark.parametrize(
    ("number", "status", "remedy"),
    [
        (errno.ENOENT, 2, "check the path"),
        (errno.EISDIR, 2, "give a file"),
        (errno.EACCES, 2, "permissions"),
        (errno.EROFS, 2, "can be written"),
        (errno.ENAMETOOLONG, 2, "name too long"),
        (errno.ENOSPC, 1, "make room"),
        (errno.EIO, 1, "error"),
    ],
)
def test_what_the_system_refuses_names_the_path_and_the_remedy(capsys, number, status, remedy):
    code, line = ending(capsys, OSError(number, os.strerror(number), "/data/study one"))
    assert code == status
    assert line.startswith("error: /data/study one: ")
    assert remedy in line.casefold()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (BadInput("no such\nthing"), 2, "no such thing"),
        (CaptureError("the disk failed"), 1, "the disk failed"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_of_ours_is_one_line_with_its_status(capsys, error, status, text):
    code, line = ending(capsys, error)
    assert (code, text in line) == (status, True)


@pytest.mark.parametrize("streams", ["stdout", "stderr"])
def test_a_command_does_its_work_though_a_stream_is_closed(monkeypatch, capsys, streams):
    done = []
    app = typer.Typer()

    @app.command()
    def command() -> None:
        done.append(True)
        print_json({"frames": 1})
        typer.echo("said", err=True)

    monkeypatch.setattr(f"sys.{streams}", None)
    with pytest.raises(SystemExit) as ended:
        run_command(app, [])
    getattr(sys, streams).close()
    assert (done, ended.value.code) == ([True], 0)


def test_a_full_disk_behind_the_output_is_told_by_the_status(tmp_path, monkeypatch):
    app = typer.Typer()

    @app.command()
    def command(as_json: bool = typer.Option(False, "--json")) -> None:
        print_json({"frames": 1})

    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(SystemExit) as ended:
            run_command(app, ["--json"])
    assert ended.value.code == 1
