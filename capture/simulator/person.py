"""The person whom the simulated camera shows: a frame bank rendered once by a process of its own, played meanwhile."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Self

import psutil

import expression.synthetic
from capture.errors import BadInput
from capture.simulator.bank_file import FrameBank, FrameBankError
from capture.simulator.frame_bank import default_cache

VARIABLE: Final = "DFME_SIMULATOR_PICTURE"
"""Environment variable: what the simulated camera shows when nothing else is asked for, `person` or `test`."""
WIDTH_PX: Final = 1024
HEIGHT_PX: Final = 768
RATE_FPS: Final = 200.0
SECONDS: Final = 8.0
IDENTITY: Final = 5
"""Seed of a face with brows and forehead in view."""
PERFORMANCE: Final = (2023, 763)
"""Seed of a loop with happiness, disgust and surprise, plain to see, two blinks and seven gaze shifts."""
FRAMES_TO_BEGIN: Final = 10
"""A trial begins when as many frames are there; played to and fro they look alive."""
PATIENCE_S: Final = 30.0
"""The longest wait for them; where it takes longer the test picture is shown."""

_MODULE = "capture.simulator.person_renderer"
_NICE = 19
_POLL_S = 0.02
_NO_PERSON = "the simulated camera shows its test picture, since no person could be rendered"
_QUARTERS = 4

News = tuple[Literal["info", "warning"], str]
"""A line for the operator."""


@dataclass(frozen=True)
class ShownPicture:
    """What a camera is told to show, and who says how that goes."""

    features: Mapping[str, Any] = field(default_factory=dict)
    """Camera features; none leave the camera as it is."""
    news: Callable[[], Iterable[News]] = tuple


def default_picture() -> Literal["person", "test"]:
    """What the simulated camera shows when nothing else is asked for.

    Raises:
        BadInput: `DFME_SIMULATOR_PICTURE` holds something else than `person` or `test`.
    """
    match os.environ.get(VARIABLE) or "person":
        case "person":
            return "person"
        case "test":
            return "test"
        case other:
            raise BadInput(f"{VARIABLE}={other}: write person or test, or unset it")


def give_way(pid: int) -> None:
    """Let a rendering process have what all others leave, of processors and of the disk."""
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICE)
    # Desktops weigh sessions against each other, whatever the niceness within each.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_NICE))
    with suppress(OSError, psutil.Error):
        psutil.Process(pid).ionice(psutil.IOPRIO_CLASS_IDLE)


class PersonOnCamera:
    """Has the person's bank rendered, as far as it is missing, while a context is open, and says how far that is.

    Recording never depends on it: when the person cannot be shown, `features` is empty, the camera shows its test
    picture, and `news` says why.

    Args:
        cache: Where the bank is kept; `default_cache()` unless given.
        seconds: Length of the loop.
    """

    def __init__(self, cache: Path | None = None, seconds: float = SECONDS) -> None:
        self.path = (default_cache() if cache is None else cache) / _bank_name(seconds)
        self._seconds = seconds
        self._frames = round(seconds * RATE_FPS)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._said_quarters = -1
        self._news: list[News] = []
        self.features: dict[str, Any] = {}
        """Camera features that show the person."""

    def __enter__(self) -> Self:
        if self.frames_ready < self._frames:
            self._start()
        else:
            # The cache drops what was used longest ago.
            with suppress(OSError):
                os.utime(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._log is not None:
            self._log.close()

    @property
    def frames_ready(self) -> int:
        """Frames that can be played."""
        with suppress(FrameBankError), FrameBank.open(self.path) as bank:
            return bank.frames_ready
        return 0

    def wait(
        self, progress: Callable[[int, int], None] = lambda done, total: None, patience_s: float = PATIENCE_S
    ) -> None:
        """Wait until there is enough of the person to begin, or it is clear that there will not be.

        Args:
            progress: Told again and again how many frames there are, and how many are needed.
            patience_s: The longest wait.
        """
        needed = min(FRAMES_TO_BEGIN, self._frames)
        deadline = time.monotonic() + patience_s
        while (ready := self.frames_ready) < needed and self._rendering and time.monotonic() < deadline:
            progress(ready, needed)
            time.sleep(_POLL_S)
        if ready:
            self.features = {
                "SimulationBankPath": str(self.path),
                "SimulationSource": "Bank",
                "SimulationStamp": True,
            }
        elif self._process is not None and self._rendering:
            give_way(self._process.pid)
            self._news.append(
                (
                    "warning",
                    f"the simulated camera shows its test picture: the person took more than {patience_s:g} s to begin "
                    "and goes on being rendered for next time",
                )
            )

    def news(self) -> Iterator[News]:
        """What has happened since the last call, a line each; cheap enough for ten calls a second."""
        yield from self._news
        self._news.clear()
        if self._process is None:
            return
        ready = self.frames_ready
        if ready >= self._frames:
            if self._said_quarters < _QUARTERS:
                self._said_quarters = _QUARTERS
                how = "played round and round" if self.features else "shown at the next start"
                yield "info", f"the simulated person is complete: {self._seconds:g} s, {how}"
            return
        if not self._rendering:
            yield "warning", self._failure(ready)
            self._process = None
            return
        quarters = ready * _QUARTERS // self._frames
        if self.features and quarters > self._said_quarters:
            self._said_quarters = quarters
            yield (
                "info",
                f"the simulated person is rendered in the background: {100 * ready // self._frames} % of "
                f"{self._seconds:g} s, played to and fro until all is there",
            )

    @property
    def _rendering(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed when the context ends
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(self.path), str(self._seconds)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                env={**os.environ, **single},
                # Ctrl-C in the terminal ends the recording, and that ends the rendering.
                start_new_session=True,
            )
        except OSError as error:
            self._news.append(("warning", f"{_NO_PERSON}: {error.strerror}"))

    def _failure(self, ready: int) -> str:
        said = ""
        if self._log is not None:
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines()
            said = f": {lines[-1]}" if lines else ""
        if self.features:
            return f"the simulated person stays at {ready / RATE_FPS:.1f} s, played to and fro{said}"
        return f"{_NO_PERSON}{said}"


def _bank_name(seconds: float) -> str:
    """A name that changes when other pixels would be rendered."""
    digest = hashlib.sha256(repr((IDENTITY, PERFORMANCE, RATE_FPS, seconds)).encode())
    for folder in expression.synthetic.__path__:
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix in (".py", ".npz", ".npy", ".so"):
                digest.update(file.read_bytes())
    return f"person-{digest.hexdigest()[:24]}.bank"
