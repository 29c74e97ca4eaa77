"""Runs the study's commands one after the other: each with its log, its progress, and one clear line when it fails."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from capture.errors import CaptureError

MODULES: Final = {
    "dfme-capture": "capture.cli",
    "dfme-session": "capture.session_cli",
    "dfme-elicit": "elicitation.cli",
    "dfme-annotate": "annotation.cli",
    "dfme-train": "training.cli",
    "dfme-live": "realtime.cli",
}
"""Each command by the module that it is: the same Python as ours, also where commands are not on the path."""
_POLL_S: Final = 0.1
_LINE_EVERY_S: Final = 10.0
_ENDS_WITHIN_S: Final = 30.0
_SHOWN: Final = 90
_ERROR: Final = "error: "
Act = Callable[[], bool]
"""Done by somebody while a command runs, again and again; says whether something was done."""


class StepFailed(CaptureError):
    """A command of the study failed; names the step, the command and its log."""


@dataclass(frozen=True)
class Done:
    """A command that was run."""

    part: str
    """Of the study that it belongs to."""
    command: str
    """As it would be typed in the folder of the study."""
    seconds: float
    said: str
    """What it printed."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """Its JSON object, where it was asked for one."""


class Steps:
    """All commands of one study, in its folder, by name in `log/`."""

    def __init__(self, folder: Path, total: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.done: list[Done] = []
        self._total = total
        self._environment = environment
        self._began_s = time.monotonic()
        (folder / "log").mkdir(parents=True, exist_ok=True)

    def say(self, text: str) -> None:
        """A line of progress."""
        spent = time.monotonic() - self._began_s
        sys.stderr.write(f"{spent // 60:3.0f}:{spent % 60:02.0f}  {text}\n")
        sys.stderr.flush()

    def run(self, part: str, *command: object, act: Act | None = None) -> Done:
        """Run one command to its end, and keep what it said.

        Args:
            part: Of the study.
            command: A command of ours by its name, and its arguments.
            act: What somebody does meanwhile.

        Raises:
            StepFailed: It ended with another status than 0.
        """
        words = [str(word) for word in command]
        with self._started(part, words) as (process, log), _named(part, words, log):
            self._wait(process, log, act)
        return self._over(part, words, process.returncode, log)

    @contextmanager
    def serving(self, part: str, *command: object) -> Iterator[Mapping[str, Any]]:
        """A command that serves until it is told to end; gives the JSON object that it says when it is ready.

        Raises:
            StepFailed: It does not come up, or ends with another status than 0.
        """
        words = [str(word) for word in command]
        with self._started(part, words) as (process, log):
            while process.poll() is None and not (said := _json_line(log.with_suffix(".out"))):
                time.sleep(_POLL_S)
            if process.poll() is not None:
                self._over(part, words, process.returncode or 1, log)
            with _named(part, words, log):
                yield said
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)
        self._over(part, words, process.returncode, log)

    @contextmanager
    def _started(self, part: str, words: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        number = len(self.done) + 1
        self.say(f"[{number:2}/{self._total}] {part}: {_short(shlex.join(words))}")
        log = self.folder / "log" / f"{number:02}-{words[0]}.log"
        environment = {**os.environ, **self._environment}
        arguments = [sys.executable, "-P", "-m", MODULES[words[0]], *words[1:]]
        self._step_began_s = time.monotonic()
        with log.open("wb") as errors, log.with_suffix(".out").open("wb") as output:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
            )
            try:
                yield process, log
            finally:
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(_ENDS_WITHIN_S)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()

    def _wait(self, process: subprocess.Popen[bytes], log: Path, act: Act | None) -> None:
        said_s = time.monotonic()
        while process.poll() is None:
            if act is None or not act():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
            if time.monotonic() - said_s >= _LINE_EVERY_S:
                said_s = time.monotonic()
                if last := _last_line(log):
                    self.say(f"        {_short(last)}")

    def _over(self, part: str, words: Sequence[str], status: int, log: Path) -> Done:
        output = log.with_suffix(".out")
        said = output.read_text(errors="replace")
        if status != 0:
            told = _last_line(log) or _last_line(output) or f"exit status {status}"
            raise _failed(part, words, log, told.removeprefix(_ERROR))
        found = Done(part, shlex.join(words), time.monotonic() - self._step_began_s, said.strip(), _json_line(output))
        self.done.append(found)
        return found


def _failed(part: str, words: Sequence[str], log: Path, told: str) -> StepFailed:
    return StepFailed(f"{part} failed: {told} (command: {shlex.join(words)}; log: {log})")


@contextmanager
def _named(part: str, words: Sequence[str], log: Path) -> Iterator[None]:
    """What goes wrong for those who use a command while it runs is told with its name."""
    try:
        yield
    except CaptureError as error:
        raise _failed(part, words, log, str(error)) from error


def _json_line(path: Path) -> dict[str, Any]:
    """The JSON object in the last line of a file; empty where there is none yet."""
    lines = path.read_text(errors="replace").splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
