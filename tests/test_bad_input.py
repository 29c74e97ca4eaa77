"""Whatever a path turns out to be, every command says in one line what is wrong with it, and ends with status 2."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from capture.console import run_command
from tests.test_examples import COMMANDS


def text(path: Path) -> None:
    path.write_text("hello\nworld\n")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "something.txt").write_text("x")


def missing(path: Path) -> None:
    assert not path.exists()


FILES = (missing, text, noise, empty)
ALL = (*FILES, folder)
NO_FOLDER = (text, noise, empty)
"""In place of a folder that is made where it is missing."""

LINES: list[tuple[str, tuple[Callable[[Path], None], ...]]] = [
    ("dfme-capture --hw {path}", ALL),
    ("dfme-capture --no-tui --frames 1 --frame-bank {path}", ALL),
    ("dfme-capture --no-tui --frames 1 --live-model {path}", ALL),
    ("dfme-capture --no-tui --frames 1 --remote tcp://10.0.0.2:5599 --keys {path}", ALL),
    ("dfme-capture --no-tui --elicit dfme --participant P7KQ2M --out {path}", ALL),
    ("dfme-record keys --out {path}", NO_FOLDER),
    ("dfme-session ls {path}", FILES),
    ("dfme-session info {path}", ALL),
    ("dfme-session verify {path}", ALL),
    ("dfme-session repair {path}", ALL),
    ("dfme-session clip {path} --frames 0:2 --out {out}.zarr", ALL),
    ("dfme-session transcode {path}", ALL),
    ("dfme-session export-bids {path} --out {out}", ALL),
    ("dfme-session withdraw P7KQ2M --study {path}", ALL),
    ("dfme-elicit run {path} --stimuli videos --rehearse", ALL),
    ("dfme-elicit run dfme --stimuli {path} --rehearse", ALL),
    ("dfme-elicit rate --stimuli {path} --out {out}.tsv", ALL),
    ("dfme-elicit validate --stimuli {path}", FILES),
    ("dfme-elicit placeholders --seconds 0.2 --out {out} --manifest {path}", ALL),
    ("dfme-elicit select {path}", ALL),
    ("dfme-elicit plan {path}", ALL),
    ("dfme-elicit participant add --study {path}", NO_FOLDER),
    ("dfme-elicit participant list --study {path}", FILES),
    ("dfme-elicit participant consent P7KQ2M --form {path} --agree recording --study {out}", (missing, noise, folder)),
    ("dfme-elicit participant withdraw P7KQ2M --study {path}", ALL),
    ("dfme-live --replay {path}", ALL),
    ("dfme-live score {path} {path}", ALL),
    ("dfme-annotate serve {path} --port 0", FILES),
    ("dfme-annotate import {path} --out {out}", ALL),
    ("dfme-annotate agreement {path}", FILES),
    ("dfme-annotate export {path} --out {out}", ALL),
    ("dfme-annotate stats {path}", ALL),
    ("dfme-annotate user ls {path}", FILES),
    ("dfme-train synthesize --subjects 1 --clips-per-subject 1 --out {path}", NO_FOLDER),
    ("dfme-train fit --data {path} --out {out}", ALL),
    ("dfme-train fit --data simulated:4x2 --recipe {path} --out {out}", ALL),
    ("dfme-train crossval --data {path} --out {out}", ALL),
    ("dfme-train reproduce --data {path} --out {out}", ALL),
    ("dfme-train evaluate {path}", ALL),
    ("dfme-train export {path} --out {out}", ALL),
    ("dfme-train from-sessions {path} --out {out}", ALL),
]


OPTIONS = [
    ("dfme-capture --fps -5", "--fps -5"),
    ("dfme-capture --fps nan", "--fps nan"),
    ("dfme-capture --duration 0", "--duration 0"),
    ("dfme-capture --frames -1", "--frames -1"),
    ("dfme-capture --participant ../x --out {out} --no-tui --frames 1 --frame-bank test", "../x"),
    ("dfme-capture --set Foo --out {out}", "--set Foo"),
    ("dfme-capture --remote http://x --out {out}", "http://x"),
    ("dfme-capture --remote tcp://10.0.0.2:5599 --out {out}", "--keys"),
    ("dfme-capture --live-publish tcp://0.0.0.0:5588", "tcp://0.0.0.0:5588"),
    ("dfme-capture --live-publish nowhere", "nowhere"),
    ("dfme-capture --elicit dfme --seed -1 --participant P07", "--seed"),
    ("dfme-record --listen tcp://10.0.0.2:5599", "--keys"),
    ("dfme-elicit plan --seed -1", "--seed"),
    ("dfme-elicit validate --stimuli {out} --refresh nan", "--refresh nan"),
    ("dfme-live", "--replay"),
    ("dfme-annotate import x.csv --out {out} --fps 1e308", "--fps"),
    ("dfme-train synthesize --out {out} --subjects 0", "0 subjects"),
    ("dfme-train synthesize --out {out} --long --minutes inf", "inf minutes"),
    ("dfme-train fit --out {out} --data simulated:999999999x9", "999999999x9"),
    ("dfme-train fit --out {out} --data simulated:4x2 --accelerator tpu", "--accelerator tpu"),
    ("dfme-train fit --out {out} --data simulated:4x2 --devices -1", "--devices -1"),
    ("dfme-train fit --out {out} --data simulated:4x2 --folds 0", "--folds"),
    ("dfme-train fit --out {out} --data simulated:4x2 --seed -1", "--seed"),
]
"""What is asked, and what the line must name."""


@pytest.fixture(autouse=True)
def signals():
    """A command takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("line", [line for line, _ in LINES])
def test_a_path_of_no_use_is_named_in_one_line(line, tmp_path, capsys):
    for make in dict(LINES)[line]:
        path, out = tmp_path / f"a {make.__name__} ñ", tmp_path / f"out-{make.__name__}"
        make(path)
        assert str(path) in refused(line.format(path=shlex.quote(str(path)), out=shlex.quote(str(out))), capsys)


def test_a_participant_who_is_called_by_name_is_warned_of(tmp_path, capsys):
    """And nothing is recorded here, since the picture is not there."""
    words = ["--participant", "Anna", "--frame-bank", str(tmp_path / "none.mp4"), "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        run_command(import_module(COMMANDS["dfme-capture"]).app, words)
    assert "warning: Anna looks like a name" in capsys.readouterr().err


@pytest.mark.parametrize(("line", "named"), OPTIONS)
def test_an_option_without_sense_is_named_in_one_line(line, named, tmp_path, capsys):
    assert named in refused(line.format(out=tmp_path), capsys)
    assert not list(tmp_path.iterdir()), "nothing was begun"


def refused(line: str, capsys) -> str:
    """The one line that is said to this command line, which ends with status 2 and the same line as JSON."""
    words = shlex.split(line)
    with pytest.raises(SystemExit) as ended:
        run_command(import_module(COMMANDS[words[0]]).app, [*words[1:], "--json"])
    said = capsys.readouterr()
    (error,) = said.err.splitlines()
    assert error.startswith("error: ")
    assert ended.value.code == 2, error
    assert json.loads(said.out.splitlines()[-1]) == {"error": error.removeprefix("error: "), "exit_status": 2}
    return error
