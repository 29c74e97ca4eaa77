"""Starts, watches and ends the supervisor's child processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from capture.supervisor.terminal import Terminal


class Child:
    """One child process of ours: a module run by the same interpreter, its standard error kept in a log file."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], log: Path | None, terminal: Terminal | None = None
    ) -> None:
        self.name = name
        self.process = process
        self.log = log
        self._terminal = terminal

    @classmethod
    def worker(cls, name: str, module: str, task: msgspec.Struct, folder: Path, fds: Sequence[int]) -> Child:
        """Start `module` in a process group of its own, so that Ctrl-C in the terminal does not reach it.

        Args:
            name: For messages and file names.
            module: Run with `python -m`; it finds its task as JSON in the file that is its only argument.
            task: What it is to do.
            folder: Where its task and its log go.
            fds: File descriptors that it inherits.
        """
        task_file = folder / f"{name}.json"
        task_file.write_bytes(msgspec.json.encode(task))
        log = folder / f"{name}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                # -P: the operator's working folder may hold a folder named like one of our packages.
                [sys.executable, "-P", "-m", module, str(task_file)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                pass_fds=tuple(fds),
                start_new_session=True,
            )
        return cls(name, process, log)

    @classmethod
    def on_terminal(cls, name: str, module: str, arguments: Sequence[str], fds: Sequence[int]) -> Child:
        """Start `module` on the operator's terminal, in our own process group."""
        terminal = Terminal()
        process = subprocess.Popen([sys.executable, "-P", "-m", module, *arguments], pass_fds=tuple(fds))
        return cls(name, process, None, terminal)

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.process.poll() is None

    def tidy_up(self) -> None:
        """Give the operator the terminal back where the process was killed and could not."""
        if self._terminal is not None and (self.process.poll() or 0) < 0:
            self._terminal.restore()

    def last_words(self) -> str:
        """How the process ended and the end of its log, on one line."""
        code = self.process.poll()
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with status {code}"
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log else []
        said = f": {lines[-1]}" if lines else ""
        return (
            f"the {self.name} process was {how}{said}" if code and code < 0 else f"the {self.name} process {how}{said}"
        )

    def end(self, grace_s: float) -> None:
        """Wait for the process to end; terminate it, then kill it, when it takes longer than `grace_s` each."""
        for act in (None, self.process.terminate, self.process.kill):
            if act is not None:
                act()
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired:
                continue
            return
