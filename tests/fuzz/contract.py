"""What every parser keeps to whoever made its input, and the ways to find out that it does not."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from capture.console import run_command
from capture.errors import CaptureError
from capture.recording.blocks import blocks
from capture.recording.reader import Recording
from capture.session_cli import app

LONGEST_S = 20
"""Nothing that small takes longer; what does hangs."""


class Broken(AssertionError):
    """A promise to those who open what somebody else has made was not kept."""


@contextlib.contextmanager
def only_our_errors() -> Iterator[None]:
    """Let errors of ours pass that are one line; everything else is a find."""
    try:
        yield
    except CaptureError as error:
        text = str(error)
        if not text or "\n" in text:
            raise Broken(f"not one line: {text!r}") from error


@contextlib.contextmanager
def bounded_time() -> Iterator[None]:
    """Turn a hang into an error."""

    def hang(_number: int, _frame: object) -> None:
        raise Broken(f"took longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def command(*arguments: object) -> tuple[int, str]:
    """`dfme-session` with these arguments: exit status and standard output; checks that it keeps to its contract."""
    out, err = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run_command(app, [str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    finally:
        signal.signal(signal.SIGTERM, handler)
    said = err.getvalue()
    if status not in (0, 1, 2):
        raise Broken(f"{arguments} ended with {status}")
    if len(said.splitlines()) > 1 or (status == 2 and not said.startswith("error: ")):
        raise Broken(f"{arguments} said {said!r}")
    if status == 1 and not said and arguments[0] != "verify":
        raise Broken(f"{arguments} failed without a word")
    if any(ord(char) < 32 and char not in "\n\t" for char in said + out.getvalue()):
        raise Broken(f"{arguments} lets control characters through")
    if "--json" in arguments:
        json.loads(out.getvalue().splitlines()[-1])
    return int(status), out.getvalue()


def read_all(recording: Recording) -> None:
    """Everything that a reader can be asked."""
    for block in blocks(recording):
        if block.error is None:
            assert block.frames.shape[1:] == (recording.height_px, recording.width_px)
    assert len(recording.times_ns()) == len(recording) == len(recording.crc32c)
    assert recording.seconds == recording.seconds
    for time_ns in (0, 2**70, *recording.times_ns()[:2].tolist()):
        with only_our_errors():
            assert 0 <= recording.frame_at(time_ns) < len(recording)


class Target(ABC):
    """One parser and everything behind it."""

    name: str
    json_files: frozenset[int] = frozenset()
    """Values of the first byte for which the rest is JSON."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inside = folder / "inside"
        self.inside.mkdir(parents=True)
        self.outside = folder / "outside"
        self.outside.mkdir()
        (self.outside / "kept").write_bytes(b"nobody may write here")
        self.prepare()

    def prepare(self) -> None:  # noqa: B027  # most need nothing
        """Make what each run starts from."""

    def close(self) -> None:  # noqa: B027  # most need nothing
        """Let go of what was opened."""

    @abstractmethod
    def seeds(self) -> list[bytes]:
        """Inputs that are all right."""

    @abstractmethod
    def run(self, data: bytes) -> None:
        """Take one input."""

    def __call__(self, data: bytes) -> None:
        with bounded_time():
            self.run(data)
        kept = {file.name: file.read_bytes() for file in self.outside.iterdir()}
        if kept != {"kept": b"nobody may write here"}:
            raise Broken("wrote outside its folder")
        if not {entry.name for entry in self.folder.iterdir()} <= {"inside", "outside", "template"}:
            raise Broken("left something beside its folder")
