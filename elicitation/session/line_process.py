"""A child process that takes orders and answers as lines of JSON: the stimulus player, and the participant's pages."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from elicitation.errors import ElicitationError

Reply = TypeVar("Reply")
_READ_BYTES = 65_536


class LineProcess(Generic[Reply]):
    """One child; nothing here waits for it but `close`."""

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        decoder: msgspec.json.Decoder[Reply],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start `python -m module`; its standard error goes where ours goes, and `environment` on top of ours."""
        self.name = name
        self._decoder = decoder
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **(environment or {})},
        )
        os.set_blocking(self.fd, False)

    @property
    def fd(self) -> int:
        """Readable when there is an answer, or when the process is gone."""
        stdout = self._process.stdout
        if stdout is None:
            raise ElicitationError(f"the {self.name} has no output")
        return stdout.fileno()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, order: msgspec.Struct) -> None:
        """Give an order; one that is gone does not hear it, which `running` tells."""
        with contextlib.suppress(BrokenPipeError):
            if self._process.stdin is not None:
                self._process.stdin.write(msgspec.json.encode(order) + b"\n")

    def received(self) -> list[Reply]:
        """Every answer that is there."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.fd, _READ_BYTES):
                self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        replies = []
        for line in lines:
            try:
                replies.append(self._decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                sys.stderr.write(f"{self.name}: {line[:200].decode(errors='replace')}\n")
        return replies

    def close(self, order: msgspec.Struct, grace_s: float = 5.0) -> None:
        """Tell it to quit; terminate it, then kill it, where it takes longer than `grace_s` each."""
        self.send(order)
        for act in (None, self._process.terminate, self._process.kill):
            if act is not None:
                act()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
                break
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
