"""What all commands share: errors as one line with an exit status, the JSON line, progress bars on standard error."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self, TextIO, cast

import rich.progress
import typer
from rich.console import Console

from capture.errors import BadInput, CaptureError
from capture.recording.files import finite

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells know it."""
_INTERRUPTED_TEXT = "interrupted; everything written so far is valid"
_SHOW_AFTER_S = 2.0
_LINE_EVERY_S = 10.0
_CONTROL = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")
"""Control characters, but for tabs, line ends, and the colours that we write ourselves."""

_OF_THE_PATH = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENOTEMPTY,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENAMETOOLONG,
        errno.ELOOP,
    }
)
"""What the operating system says of a path that was ill chosen."""
_REMEDIES = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "give a path whose parts are folders",
    errno.EISDIR: "give a file",
    errno.EEXIST: "choose another name",
    errno.ENOTEMPTY: "choose another name",
    errno.EACCES: "choose a place where you may read and write, or have its permissions changed",
    errno.EPERM: "choose a place where you may read and write, or have its permissions changed",
    errno.EROFS: "choose a place that can be written",
    errno.ENOSPC: "make room, or choose another disk",
    errno.EDQUOT: "make room, or choose another disk",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.EADDRINUSE: "end what uses it, or choose another",
}


def run_command(app: typer.Typer, args: Sequence[str] | None = None) -> NoReturn:
    """Run a command line to its end.

    Errors of ours, bad usage and refused files become one line on standard error and an exit status: 2 for bad usage
    or input, 1 for failure, 130 after Ctrl-C. With `--json` among the arguments, the error is the JSON object.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    # Whoever starts us with closed streams does not want to hear from us, but wants the work done.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - lives as long as we do
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    # A command that is asked to end tidies up as it does after Ctrl-C.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = app(args=arguments, standalone_mode=False)
    except CaptureError as error:
        _fail(str(error), error.exit_code, arguments)
    except (KeyboardInterrupt, typer.Abort):
        _fail(_INTERRUPTED_TEXT, INTERRUPTED, arguments)
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        _fail(*_of_system(error), arguments)
    except Exception as error:
        # Typer's usage errors have no public base class; `format_message` is what they share over its versions.
        message = getattr(error, "format_message", None)
        if message is None:
            # Errors of other packages of ours say themselves which status they end with.
            status = getattr(error, "exit_code", None)
            if not isinstance(status, int):
                raise
            _fail(str(error), status, arguments)
        _fail(f"{message().rstrip('.')} (see --help)", BadInput.exit_code, arguments)
    # Newer versions of Typer turn Ctrl-C into this status by themselves.
    if result == INTERRUPTED:
        _fail(_INTERRUPTED_TEXT, INTERRUPTED, arguments)
    raise SystemExit(result if isinstance(result, int) else 0)


def print_json(content: Mapping[str, Any]) -> None:
    """Print `content` as one line on standard output; must be the last thing that a command prints there.

    Numbers that JSON does not have become null.
    """
    sys.stdout.write(json.dumps(finite(content), allow_nan=False) + "\n")
    sys.stdout.flush()


def output() -> Console:
    """Standard output for people: colours only on a terminal and without `NO_COLOR`, never wrapped in a pipe."""
    wide = None if sys.stdout.isatty() else 200
    return Console(file=cast(TextIO, _Harmless(sys.stdout)), width=wide, highlight=False, soft_wrap=False)


class _Harmless(io.TextIOBase):
    """Passes text on without control characters: names in a folder from elsewhere must not drive our terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property in the base class as well, typed as an attribute
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        harmless = _CONTROL.sub("?", text).encode(self.encoding, "replace").decode(self.encoding)
        return self._stream.write(harmless)

    def flush(self) -> None:
        self._stream.flush()


class Progress:
    """Says on standard error how far a piece of work is, once it has taken two seconds: a bar, or lines in a log.

    Use as a context manager and hand `update` to the function that does the work.
    """

    def __init__(self, label: str, unit: str = "frames") -> None:
        self._label = label
        self._unit = unit
        self._started = self._said = time.monotonic()
        self._bar: rich.progress.Progress | None = None
        self._task = rich.progress.TaskID(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int, text: str = "") -> None:
        """`done` of `total` are done; `text`, where given, takes the label's place."""
        label = text or self._label
        now = time.monotonic()
        if now - self._started < _SHOW_AFTER_S:
            return
        if not sys.stderr.isatty():
            if now - self._said >= _LINE_EVERY_S:
                self._said = now
                sys.stderr.write(f"{label}: {done:,} of {total:,} {self._unit}\n")
                sys.stderr.flush()
            return
        if self._bar is None:
            self._bar = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}"),
                rich.progress.BarColumn(bar_width=None),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeRemainingColumn(compact=True),
                console=Console(file=sys.stderr),
                transient=True,
                expand=True,
            )
            self._task = self._bar.add_task(label, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total, description=label)


def _of_system(error: OSError) -> tuple[str, int]:
    """One line and the exit status for what the operating system refused, where nobody who knows more has caught it."""
    what = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0)
    line = f"{what}{error.strerror or error}" + (f": {remedy}" if remedy else "")
    return line, BadInput.exit_code if error.errno in _OF_THE_PATH else CaptureError.exit_code


def _fail(message: str, status: int, arguments: Sequence[str]) -> NoReturn:
    line = _CONTROL.sub("?", " ".join(message.split()))
    try:
        sys.stdout.flush()
        sys.stderr.write(f"error: {line}\n")
        if "--json" in arguments:
            print_json({"error": line, "exit_status": status})
    except OSError:
        # Nothing can be said to a reader that is gone, or to a full disk; the status still can.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(status)
