"""The page that the participant is to see now, with everything that it needs; browsers follow it."""

from __future__ import annotations

import math
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns as now_ns
from typing import Final

import numpy as np

from capture.errors import CaptureError
from capture.recording.frame_pictures import FramePictures, NoSuchFrame
from capture.session.stimulus_frames import STIMULUS_FRAMES_FILE, read_stimulus_frames
from elicitation.errors import ElicitationError
from elicitation.stills import VideoStills
from elicitation.web.answer_book import Moment
from elicitation.web.in_step import InStep
from elicitation.web.messages import Show

SILENT_AFTER_S: Final = 20.0
"""A page asks again within half of this; nobody is there when nothing has asked for so long."""
_WAIT_S: Final = 10.0


@dataclass(frozen=True)
class Replay:
    """What a self-report is made on."""

    pictures: FramePictures
    name: str
    """Path of the recording, relative to the session folder where it lies in there."""
    stimulus: VideoStills | None
    in_step: InStep

    def moment(self, frame: int) -> Moment:
        """A frame of the recording with its times.

        Raises:
            NoSuchFrame: The recording does not have it.
        """
        if not 0 <= frame < self.pictures.count:
            raise NoSuchFrame(f"{self.name} has no frame {frame}: its frames are 0 to {self.pictures.count - 1}")
        recording = self.pictures.recording
        host_ns = int(recording.times_ns()[frame]) if recording is not None else 0
        return Moment(self.name, frame, host_ns, self.in_step.at(frame))


@dataclass(frozen=True)
class Scene:
    """One order, carried out."""

    sequence: str
    """Differs from that of every other scene, also of a server that ran before."""
    show: Show
    replay: Replay | None = None
    shown_ns: int = field(default_factory=now_ns)

    @property
    def seconds_left(self) -> float | None:
        """Until the countdown is over; None where there is none."""
        if self.show.seconds is None:
            return None
        return max(0.0, self.show.seconds - (now_ns() - self.shown_ns) / 1e9)


class NotBegun(Exception):
    """No order was given yet: what a page shows from an earlier run stays until there is one."""


class Stage:
    """Holds the scene of now, for many threads."""

    def __init__(self, session: Path) -> None:
        self._session = session.absolute()
        self._changed = threading.Condition()
        self._count = 0
        self._run = f"{os.getpid():x}-{time.time_ns():x}"
        self._scene = Scene(f"{self._run}-0", Show(page="blank"))
        self._waiting = 0
        self._last_asked_s = -math.inf
        self._closed = False

    @property
    def scene(self) -> Scene:
        """What is to be seen now.

        Raises:
            NotBegun: No order was given yet.
        """
        if not self._count:
            raise NotBegun
        return self._scene

    @property
    def followed(self) -> bool:
        """Whether a page asked lately what is to be seen."""
        with self._changed:
            return self._waiting > 0 or time.monotonic() - self._last_asked_s < SILENT_AFTER_S

    def show(self, show: Show) -> None:
        """Change to another page.

        Raises:
            CaptureError: What the page needs cannot be read; the page stays as it was.
        """
        replay = self._open_replay(show) if show.page == "self_report" else None
        with self._changed:
            before = self._scene.replay
            self._count += 1
            self._scene = Scene(f"{self._run}-{self._count}", show, replay)
            self._changed.notify_all()
        if before is not None and before.stimulus is not None:
            before.stimulus.close()

    def wait_other(self, sequence: str) -> Scene:
        """The scene of now: at once where it is not `sequence`, else when it changes, or after some seconds.

        Raises:
            NotBegun: No order was given yet, after some seconds.
        """

        def other() -> bool:
            return self._closed or (self._count > 0 and self._scene.sequence != sequence)

        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(other, _WAIT_S)
            finally:
                self._waiting -= 1
                self._last_asked_s = time.monotonic()
            return self.scene

    def close(self) -> None:
        """Let go of those who wait."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _open_replay(self, show: Show) -> Replay:
        if not show.recording:
            raise ElicitationError("a self-report needs the recording that it is made on")
        path = (self._session / show.recording).absolute()
        pictures = FramePictures(path)
        if not pictures.count:
            raise ElicitationError(f"{path} has no frames to report on")
        name = path.relative_to(self._session) if path.is_relative_to(self._session) else path
        stimulus = VideoStills(self._session / show.stimulus) if show.stimulus else None
        try:
            return Replay(pictures, name.as_posix(), stimulus, self._in_step(show, pictures))
        except CaptureError:
            if stimulus is not None:
                stimulus.close()
            raise

    def _in_step(self, show: Show, pictures: FramePictures) -> InStep:
        if show.in_step:
            return InStep.from_pairs(show.in_step, pictures.count)
        recording = pictures.recording
        file = self._session / STIMULUS_FRAMES_FILE
        if recording is None or not file.is_file():
            return InStep.nothing(pictures.count)
        shown = sorted(
            (row.host_ns, row.pts_s)
            for row in read_stimulus_frames(file)
            if (row.trial, row.stim_id) == (show.trial, show.stim_id) and not row.dropped and row.host_ns > 0
        )
        host_ns = np.array([row[0] for row in shown], np.int64)
        pts_s = np.array([row[1] for row in shown], np.float64)
        return InStep.from_shown(host_ns, pts_s, recording.times_ns())
