"""Which frame of which stimulus was on the screen when: `stimulus_frames.parquet`, a row for each frame shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np
import numpy.typing as npt

from capture.errors import BadInput, RecordingInvalid
from capture.recording.files import read_document, write_whole

STIMULUS_FRAMES_FILE: Final = "stimulus_frames.parquet"
_MOST_BYTES = 1 << 30


class StimulusFrame(msgspec.Struct, frozen=True):
    """One frame of a stimulus, shown or left out."""

    stim_id: str
    trial: str
    stim_frame: int
    """From 0, in the order of presentation."""
    pts_s: float
    """Presentation time in the stimulus."""
    due_ns: int
    """When it should have appeared, CLOCK_MONOTONIC."""
    host_ns: int
    """When it appeared, CLOCK_MONOTONIC; 0 where it was left out."""
    source: str
    """Where that time comes from, such as `swap return`."""
    late: bool
    dropped: bool


COLUMNS: Final = StimulusFrame.__struct_fields__


@dataclass(frozen=True)
class StimulusPlace:
    """What was on the screen at one moment."""

    stim_id: str
    stim_frame: int
    """The frame that was on the screen."""
    time_s: float
    """The moment of the stimulus, between its frames."""


@dataclass(frozen=True)
class _Shown:
    """The frames of one stimulus that were shown in one trial, in order."""

    stim_id: str
    trial: str
    stim_frame: npt.NDArray[np.int64]
    pts_s: npt.NDArray[np.float64]
    host_ns: npt.NDArray[np.int64]

    @property
    def frame_s(self) -> float:
        """How long a frame stays: the usual distance of two, which the last one is taken to have, too."""
        return float(np.median(np.diff(self.pts_s))) if len(self.pts_s) > 1 else 0.04


class StimulusFrames:
    """All frames that a session showed; `open` reads them once."""

    def __init__(self, shown: Sequence[_Shown], path: Path) -> None:
        self._shown = tuple(shown)
        self._path = path

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The frames of the session in `folder`.

        Raises:
            BadInput: It has none: no stimulus was shown.
            RecordingInvalid: The file is damaged.
        """
        path = folder / STIMULUS_FRAMES_FILE
        rows = read_stimulus_frames(path)
        by_trial: dict[tuple[str, str], list[StimulusFrame]] = {}
        for row in rows:
            if not row.dropped:
                by_trial.setdefault((row.stim_id, row.trial), []).append(row)
        return cls([_shown(stim_id, trial, frames) for (stim_id, trial), frames in by_trial.items()], path)

    @property
    def stimuli(self) -> tuple[tuple[str, str], ...]:
        """Stimulus id and trial of everything shown, in order."""
        return tuple((one.stim_id, one.trial) for one in self._shown)

    def time_of(self, stim_id: str, time_s: float) -> tuple[str, int]:
        """When a moment of a stimulus was on the screen: the trial, and CLOCK_MONOTONIC in nanoseconds.

        Args:
            stim_id: Shown in this session; the last time counts where it was shown twice.
            time_s: From the stimulus's first frame.

        Raises:
            BadInput: The stimulus was not shown, or not at that time.
        """
        shown = next((one for one in reversed(self._shown) if one.stim_id == stim_id), None)
        if shown is None:
            known = ", ".join(dict.fromkeys(one.stim_id for one in self._shown)) or "none"
            raise BadInput(f"{self._path.parent} did not show {stim_id!r}; it showed {known}")
        first_s, last_s = float(shown.pts_s[0]), float(shown.pts_s[-1])
        if not first_s <= time_s <= last_s + shown.frame_s:
            raise BadInput(f"{stim_id} was shown from {first_s:.3f} s to {last_s:.3f} s of it, and not at {time_s:g} s")
        beyond_ns = round(max(0.0, time_s - last_s) * 1e9)
        base_ns = int(shown.host_ns[0])
        inside_ns = float(np.interp(time_s, shown.pts_s, (shown.host_ns - base_ns).astype(np.float64)))
        return shown.trial, base_ns + round(inside_ns) + beyond_ns

    def at(self, trial: str, host_ns: int) -> StimulusPlace:
        """What was on the screen at a moment of a trial; the inverse of `time_of`.

        Raises:
            BadInput: No stimulus was on the screen then.
        """
        for shown in self._shown:
            end_ns = int(shown.host_ns[-1]) + round(shown.frame_s * 1e9)
            if shown.trial != trial or not int(shown.host_ns[0]) <= host_ns <= end_ns:
                continue
            base_ns = int(shown.host_ns[0])
            since = (shown.host_ns - base_ns).astype(np.float64)
            time_s = float(np.interp(host_ns - base_ns, since, shown.pts_s))
            time_s += max(0, host_ns - int(shown.host_ns[-1])) / 1e9
            place = int(np.searchsorted(shown.host_ns, host_ns, side="right")) - 1
            return StimulusPlace(shown.stim_id, int(shown.stim_frame[place]), time_s)
        raise BadInput(f"no stimulus was on the screen at {host_ns} ns of {trial} in {self._path.parent}")


def write_stimulus_frames(path: Path, frames: Sequence[StimulusFrame]) -> None:
    """Write the file, whole or not at all."""
    import pyarrow as pa  # noqa: PLC0415  half a second that recording alone need not wait for
    import pyarrow.parquet  # noqa: PLC0415

    types = {"stim_frame": pa.int32(), "pts_s": pa.float64(), "due_ns": pa.int64(), "host_ns": pa.int64()}
    arrays: dict[str, Any] = {}
    for name in COLUMNS:
        values = [getattr(frame, name) for frame in frames]
        kind = types.get(name, pa.bool_() if name in ("late", "dropped") else pa.string())
        arrays[name] = pa.array(values, kind)
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays), out, compression="zstd")
    write_whole(path, out.getvalue())


def read_stimulus_frames(path: Path) -> list[StimulusFrame]:
    """Every row of the file.

    Raises:
        BadInput: There is no such file.
        RecordingInvalid: It is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    try:
        content = read_document(path, _MOST_BYTES)
    except FileNotFoundError:
        raise BadInput(f"{path.parent} has no {path.name}: no stimulus was shown in it") from None
    except OSError as error:
        raise RecordingInvalid(f"cannot read {path}: {error.strerror}") from None
    try:
        rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
        return msgspec.convert(rows, list[StimulusFrame])
    except (pa.ArrowException, OSError, msgspec.ValidationError, ValueError) as error:
        raise RecordingInvalid(f"{path} is damaged: {error}") from None


def _shown(stim_id: str, trial: str, frames: Sequence[StimulusFrame]) -> _Shown:
    ordered = sorted(frames, key=lambda frame: frame.stim_frame)
    return _Shown(
        stim_id,
        trial,
        np.array([frame.stim_frame for frame in ordered], np.int64),
        np.array([frame.pts_s for frame in ordered], np.float64),
        np.array([frame.host_ns for frame in ordered], np.int64),
    )
