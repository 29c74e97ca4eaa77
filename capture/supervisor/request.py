"""What the operator asked for, whether there is room for it, and what came of it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from capture.errors import CaptureError, FolderUnusable, NoSpace
from capture.recording.layout import ShardGeometry
from capture.remote.address import Endpoint
from capture.settings import HardwareSettings
from capture.supervisor.trials import TrialResult

_FREE_SHARDS_TO_START = 2


@dataclass(frozen=True)
class ElicitOptions:
    """A participant's session that is run beside the recording."""

    protocol: str
    """Protocol file, or the name of one that comes along."""
    stimuli: str = ""
    """Folder of the lab's videos; empty for the one that the protocol names."""
    seed: int | None = None
    resume: bool = True
    """Go on with an unfinished session of the same participant."""
    lsl: bool = False


@dataclass(frozen=True)
class CaptureRequest:
    """What the operator asked for."""

    settings: HardwareSettings
    out: Path
    """Folder that gets the session folder."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Camera features set after everything else."""
    participant: str | None = None
    """Pseudonym; never a name."""
    max_frames: int | None = None
    max_seconds: float | None = None
    monitor: bool = False
    """Draw the Textual monitor on this terminal; otherwise progress lines on standard error."""
    live: bool = True
    """Read expressions out live, where that part is installed."""
    live_model: Path | None = None
    """Model bundle of the readout; None for the one that comes along."""
    live_publish: str = ""
    """Endpoint at which the readout publishes; empty for the usual one."""
    lsl: bool = False
    """Send the readout to the Lab Streaming Layer, too."""
    hardware: str = ""
    """Name of the hardware file, for the session's record."""
    remote: Endpoint | None = None
    """Where the storage machine listens; None records on this machine's disk."""
    keys: Path | None = None
    """This machine's key file; goes with `remote`."""
    elicit: ElicitOptions | None = None
    """Run a participant's session, which starts and ends the trials."""
    capture: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Unique name of this run, by which the storage machine knows it again."""
    news: Callable[[], Iterable[tuple[Literal["info", "warning"], str]]] = tuple
    """Asked ten times a second for lines of the operator's event log; must not block."""

    @property
    def bounded(self) -> bool:
        """Whether the first trial ends by itself, and the command with it."""
        return self.max_frames is not None or self.max_seconds is not None

    @property
    def limit_s(self) -> float | None:
        """Planned length of a trial in seconds; None when the operator ends it."""
        if self.max_seconds is not None:
            return self.max_seconds
        return self.max_frames / self.settings.rate_fps if self.max_frames is not None else None

    @property
    def geometry(self) -> ShardGeometry:
        """How the frames lie on disk."""
        return ShardGeometry(self.settings.height_px, self.settings.width_px)

    @property
    def shard_bytes(self) -> int:
        """Length of a full shard file."""
        return self.geometry.shard_bytes(self.geometry.frames_per_shard)

    def check_room(self, storage_free_bytes: int | None = None) -> None:
        """Make sure that `out` can be written and has room for a trial, as far as its length is known.

        Args:
            storage_free_bytes: Room on the storage machine, where frames go there; None before that is known.

        Raises:
            FolderUnusable: It cannot be made or written.
            NoSpace: There is too little room.
        """
        check_folder(self.out)
        if self.remote is not None and storage_free_bytes is None:
            return
        frames = (self.limit_s or 0.0) * self.settings.rate_fps
        needed = int(frames * self.geometry.stride) + _FREE_SHARDS_TO_START * self.shard_bytes
        free = shutil.disk_usage(self.out).free if self.remote is None else storage_free_bytes or 0
        where = self.out if self.remote is None else self.remote
        if free < needed:
            raise NoSpace(
                f"{where} has {free / 1e9:.1f} GB left and the recording needs {needed / 1e9:.1f} GB: "
                "make room, record shorter, or choose another disk with --out"
            )


def check_folder(out: Path) -> None:
    """Make the folder that gets the sessions, and make sure that it can be written.

    Raises:
        FolderUnusable: It cannot be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise FolderUnusable(f"cannot write to {out} ({error.strerror}): choose another folder with --out") from error


@dataclass(frozen=True)
class CaptureResult:
    """What came of it."""

    session: Path
    trials: tuple[TrialResult, ...]
    live: Mapping[str, Any]
    """`frames_analysed`, `frames_skipped` and `spotted` of the live service, and how it did."""
    elicitation: Mapping[str, Any] | None = None
    """Of a participant's session: its protocol, whether it is finished, stimuli shown, frames dropped."""

    @classmethod
    def of(
        cls,
        session: Path,
        trials: Sequence[TrialResult],
        live: Mapping[str, Any],
        elicitation: Mapping[str, Any] | None = None,
    ) -> Self:
        """The result, where every trial is as it should be.

        Raises:
            CaptureError: A trial ended with an error; what was recorded is valid.
        """
        bad = [trial for trial in trials if trial.error]
        if bad:
            raise CaptureError(f"{bad[-1].recording}: {bad[-1].error}")
        return cls(session, tuple(trials), live, elicitation)
