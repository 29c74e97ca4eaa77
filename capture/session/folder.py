"""`Session`: makes, reads and keeps up the folder of one participant's visit, and turns its times into frames."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self, overload

import msgspec

from capture.elicited import Elicited
from capture.errors import BadInput, FolderUnusable, RecordingInvalid
from capture.messages import Event
from capture.participants import checked_pseudonym
from capture.recording.attributes import MonitorLedger
from capture.recording.layout import write_json
from capture.recording.output import sync_folder
from capture.recording.reader import Recording
from capture.session.events import EventLog, EventRow
from capture.session.record import (
    SESSION_FILE,
    SESSION_FORMAT,
    ElicitationEntry,
    FramePlace,
    SessionRecord,
    TrialEntry,
    ended_as_recorded,
    read_record,
)
from capture.session.stimulus_frames import StimulusFrames, StimulusPlace
from capture.statistics import LossLedger
from capture.version import software

DEFAULT_OUT = Path("sessions")
_KEPT_OPEN = 4
"""Recordings whose times are kept at hand; a session can have hundreds."""


class Session:
    """A session folder, made by `create` or found by `open`.

    One process writes a session: the supervisor of `dfme-capture`. Others read it, or send it events.
    """

    def __init__(self, path: Path, record: SessionRecord, raw: Mapping[str, Any]) -> None:
        self.path = path
        self.record = record
        self._raw = dict(raw)
        self._recordings: dict[str, Recording] = {}
        self._events = EventLog(path)
        self._stimuli: StimulusFrames | None = None

    @classmethod
    def create(
        cls,
        out: Path = DEFAULT_OUT,
        participant: str | None = None,
        *,
        hardware: str | Mapping[str, Any] = "",
        now: datetime | None = None,
    ) -> Self:
        """Make a new session folder under `out`, named for the time and the participant.

        Args:
            out: Folder of sessions, made if need be.
            participant: Pseudonym: letters, digits, dots and dashes.
            hardware: The hardware file used, or what it says.
            now: Wall clock time of the session, local time if None.

        Raises:
            BadInput: The pseudonym cannot be part of a file name.
            FolderUnusable: The folder cannot be made.
        """
        if participant is not None:
            checked_pseudonym(participant)
        now = (now or datetime.now()).astimezone()
        name = now.strftime("%Y-%m-%dT%H-%M-%S") + (f"_{participant}" if participant else "")
        path = _make_folder(Path(out), name)
        record = SessionRecord(
            format=SESSION_FORMAT,
            software=software(),
            created=now.isoformat(timespec="seconds"),
            host=socket.gethostname(),
            participant=participant,
            hardware=hardware if isinstance(hardware, str) else dict(hardware),
        )
        session = cls(path, record, {})
        try:
            session.recordings.mkdir()
            session.log.mkdir()
            session._events.create()
            session._save(record)
        except OSError as error:
            raise FolderUnusable(f"cannot write {path}: {error.strerror}") from error
        return session

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The session at `path`, or the one that `path` lies in.

        Raises:
            RecordingInvalid: There is none, or its `session.json` is damaged.
        """
        start = Path(path).absolute()
        folder = next((p for p in (start, *start.parents) if (p / SESSION_FILE).is_file()), None)
        if folder is None:
            raise RecordingInvalid(f"{path} is not in a session folder: no {SESSION_FILE} there or above")
        record, raw = read_record(folder)
        # As given where possible: shorter in messages than the absolute path.
        return cls(Path(path) if folder == start else folder, record, raw)

    @property
    def recordings(self) -> Path:
        """Folder of the recordings."""
        return self.path / "recordings"

    @property
    def log(self) -> Path:
        """Folder of the processes' logs."""
        return self.path / "log"

    @property
    def trials(self) -> tuple[TrialEntry, ...]:
        """The trials so far, in order."""
        return self.record.trials

    def trial(self, name: str) -> TrialEntry:
        """The trial called `name`.

        Raises:
            BadInput: There is none.
        """
        for trial in self.record.trials:
            if trial.name == name:
                return trial
        known = ", ".join(trial.name for trial in self.record.trials) or "none"
        raise BadInput(f"{self.path} has no trial {name!r}; it has {known}")

    def next_trial_name(self) -> str:
        """`trial-001` for the first, and so on; a name whose recording exists is never given again."""
        number = len(self.record.trials) + 1
        taken = {trial.name for trial in self.record.trials}
        while (name := f"trial-{number:03d}") in taken or self._place(name).exists():
            number += 1
        return name

    def begin_trial(
        self, name: str, *, kind: str = "", stimulus: str | None = None, now: datetime | None = None
    ) -> Path:
        """Enter a trial into `session.json`; returns where its recording goes, which is for the recorder to make."""
        place = self._place(name)
        started = (now or datetime.now()).astimezone().isoformat(timespec="milliseconds")
        relative = str(place.relative_to(self.path))
        self._upsert(TrialEntry(name, relative, started, kind=kind, stimulus=stimulus))
        return place

    def enter_elicitation(self, entry: ElicitationEntry) -> None:
        """Enter into `session.json` what the participant is to be shown, or that all of it was."""
        self._save(msgspec.structs.replace(self.record, elicitation=entry))

    def end_trial(
        self,
        name: str,
        *,
        seconds: float,
        frames: int,
        fps: float,
        lost: LossLedger | Mapping[str, int],
        reason: str,
        monitor: MonitorLedger | Mapping[str, Any] | None = None,
    ) -> TrialEntry:
        """Enter how a trial ended, and give its events their onsets.

        Args:
            name: The trial.
            seconds: Its length.
            frames: Frames on disk.
            fps: Rate measured.
            lost: Frames lost, by cause.
            reason: Why it ended.
            monitor: What the monitor showed last: `frames` and `losses`.

        Raises:
            BadInput: The trial was never begun.
        """
        entry = msgspec.structs.replace(
            self.trial(name),
            seconds=seconds,
            frames=frames,
            fps=fps,
            lost=lost if isinstance(lost, LossLedger) else msgspec.convert(dict(lost), LossLedger),
            reason=reason,
            monitor=msgspec.convert(dict(monitor), MonitorLedger) if isinstance(monitor, Mapping) else monitor,
        )
        self._upsert(entry)
        self.settle_events()
        return entry

    def adopt_interrupted_trials(self) -> int:
        """Enter what the recordings say of trials that were never ended here; returns how many.

        A supervisor that is killed cannot end its trial in `session.json`; its recording knows most of it.
        """
        adopted = 0
        for entry in self.record.trials:
            if entry.seconds is not None:
                continue
            try:
                recording = Recording.open(self.path / entry.recording)
            except RecordingInvalid:
                continue
            if recording.attributes.state == "recording":
                continue
            self._upsert(ended_as_recorded(entry, recording))
            adopted += 1
        if adopted:
            self.settle_events()
        return adopted

    def log_event(
        self,
        host_ns: int,
        level: str,
        source: str,
        text: str,
        *,
        trial: str | None = None,
        trial_type: str = "note",
        duration_s: float | None = None,
        frames: int | None = None,
        frame_ids: tuple[tuple[int, int], ...] = (),
        elicited: Elicited | None = None,
    ) -> None:
        """Append one line to `events.tsv`.

        The onset counts from the first frame of the trial's recording. While a trial runs that frame may not be on disk
        yet; the onset is then `n/a` until the trial ends.
        """
        row = EventRow(host_ns, level, source, text, trial, trial_type, duration_s, frames, frame_ids, elicited)
        self._events.append(row, self._ended_recording(trial))

    def keep_event(self, event: Event, trial: str | None) -> None:
        """Append an event as a process reported it; it belongs to `trial` where it names none itself."""
        self.log_event(
            event.host_ns,
            event.level,
            event.source,
            event.text,
            trial=event.trial or trial,
            trial_type=event.kind,
            duration_s=event.duration_s,
            frames=event.frames,
            frame_ids=event.frame_ids,
            elicited=event.elicited,
        )

    def problems(self) -> list[str]:
        """What is wrong with the session's own files, a line each; recordings are checked one by one."""
        return self._events.problems()

    def settle_events(self) -> int:
        """Fill in onset and sample of events whose recording is now known; returns how many changed."""
        return self._events.settle(self._ended_recording)

    def recording(self, trial: str) -> Recording:
        """The recording of a trial.

        Raises:
            BadInput: There is no such trial.
            RecordingInvalid: The recording cannot be opened.
        """
        entry = self.trial(trial)
        recording = self._recordings.get(trial)
        if recording is None:
            recording = Recording.open(self.path / entry.recording)
            if entry.seconds is not None:
                while len(self._recordings) >= _KEPT_OPEN:
                    self._recordings.pop(next(iter(self._recordings)))
                self._recordings[trial] = recording
        return recording

    def recording_paths(self) -> list[Path]:
        """All recordings in the folder, those that `session.json` names first."""
        named = [self.path / trial.recording for trial in self.record.trials]
        found = sorted(self.recordings.glob("*.zarr")) + sorted(self.recordings.glob("*.ffv1"))
        return [*dict.fromkeys([path for path in named if path.exists()] + found)]

    def monitor_of(self, recording: Path) -> MonitorLedger | None:
        """What the monitor said of a recording, if it is one of this session's trials."""
        target = recording.resolve()
        for trial in self.record.trials:
            if (self.path / trial.recording).resolve() == target:
                return trial.monitor
        return None

    @overload
    def frame_at(self, at: int) -> FramePlace: ...
    @overload
    def frame_at(self, at: str, stimulus_time_s: float) -> FramePlace: ...
    def frame_at(self, at: int | str, stimulus_time_s: float = 0.0) -> FramePlace:
        """The frame that was taken nearest to a moment, given as a time or as a place in a stimulus.

        Args:
            at: A time in nanoseconds (CLOCK_MONOTONIC), looked for in all trials; or a stimulus id.
            stimulus_time_s: With a stimulus id, seconds from its first frame.

        Raises:
            BadInput: No trial was recorded at that time, or the stimulus was not shown then.
        """
        if isinstance(at, str):
            name, time_ns = self._stimulus_frames().time_of(at, stimulus_time_s)
            recording = self.recording(name)
            return FramePlace(name, recording.frame_at(time_ns), recording.path)
        for trial in self.record.trials:
            try:
                recording = self.recording(trial.name)
                return FramePlace(trial.name, recording.frame_at(at), recording.path)
            except (BadInput, RecordingInvalid):
                continue
        raise BadInput(f"{at} ns lies in no trial of {self.path}")

    def stimulus_at(self, trial: str, frame: int) -> StimulusPlace:
        """What was on the participant's screen when a frame was taken: the inverse of `frame_at` for stimuli.

        Raises:
            BadInput: No stimulus was shown then, or there is no such trial.
            IndexError: There is no such frame.
        """
        return self._stimulus_frames().at(trial, self.time_of(trial, frame))

    def time_of(self, trial: str, frame: int) -> int:
        """When a frame was taken, in nanoseconds (CLOCK_MONOTONIC).

        Raises:
            BadInput: There is no such trial.
            IndexError: There is no such frame.
        """
        return self.recording(trial).time_of(frame)

    def _stimulus_frames(self) -> StimulusFrames:
        if self._stimuli is None:
            self._stimuli = StimulusFrames.open(self.path)
        return self._stimuli

    def _place(self, name: str) -> Path:
        return self.recordings / f"{name}.zarr"

    def _ended_recording(self, trial: str | None) -> Recording | None:
        """The recording of a trial that has ended, or None."""
        if not trial or not any(entry.name == trial for entry in self.record.trials):
            return None
        if self.trial(trial).seconds is None:
            return None
        try:
            return self.recording(trial)
        except RecordingInvalid:
            return None

    def _upsert(self, entry: TrialEntry) -> None:
        trials = self.record.trials
        if any(trial.name == entry.name for trial in trials):
            trials = tuple(entry if trial.name == entry.name else trial for trial in trials)
        else:
            trials = (*trials, entry)
        self._save(msgspec.structs.replace(self.record, trials=trials))

    def _save(self, record: SessionRecord) -> None:
        """Write `session.json` whole; keys that others put there stay."""
        content = {**self._raw, **msgspec.to_builtins(record)}
        write_json(self.path / SESSION_FILE, content)
        self.record, self._raw = record, content


def _make_folder(out: Path, name: str) -> Path:
    """A new folder `name` in `out`, with a number behind it where two sessions begin in one second."""
    for number in range(1, 100):
        path = out / (name if number == 1 else f"{name}-{number}")
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not out.is_dir():
                break
            continue
        except OSError as error:
            raise FolderUnusable(f"cannot make {path} ({error.strerror}): choose another folder with --out") from error
        sync_folder(out)
        return path
    raise FolderUnusable(f"cannot make {out / name}: choose another folder with --out")
