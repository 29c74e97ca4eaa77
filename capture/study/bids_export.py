"""Writes sessions as a BIDS data set: events, sidecars and stimuli, dates moved, and images only where agreed to."""

from __future__ import annotations

import csv
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.participants import Participant, Registry
from capture.recording.files import read_document, write_whole
from capture.recording.layout import write_json
from capture.recording.pixels import VIDEO_FPS, VIDEO_NAME
from capture.recording.reader import Recording
from capture.recording.transcode import transcode
from capture.session import SESSION_FILE, Session, TrialEntry
from capture.session.events import EventLog, description_of
from capture.session.stimulus_frames import STIMULUS_FRAMES_FILE, read_stimulus_frames
from capture.study import bids_names as names
from capture.study.export_ledger import Exported, ExportLedger, now_utc
from capture.version import software

DESCRIPTION_FILE: Final = "dataset_description.json"
_DAYS_APART: Final = 365
"""Dates of one participant are moved by a random number of days on top, so that they cannot be moved back."""
_README = """Recorded with dfme: faces at a high rate while stimuli are shown.

Events count from the first frame of their trial's recording. Dates were moved. The suffix `_video` and the table
`stimuli.tsv` follow drafts of BIDS (extension proposals 47 and 44), which validators may not know yet.
"""
Progress = Callable[[int, int, str], None]


@dataclass
class ExportReport:
    """What was exported."""

    out: str
    participants: list[str] = field(default_factory=list)
    """Pseudonyms."""
    runs: int = 0
    videos: int = 0
    left_out: list[str] = field(default_factory=list)
    """What was not exported, and why."""


@dataclass(frozen=True)
class _Subject:
    known: Participant
    name: str
    sessions: tuple[Session, ...]

    @property
    def images(self) -> bool:
        """Whether pictures of the face may leave the lab: agreed to, and sharing not refused."""
        consent = self.known.consent
        return self.known.may_be_published and consent is not None and consent.items.get("sharing", True)


def export_bids(path: Path, out: Path, *, images: bool, progress: Progress = lambda *_: None) -> ExportReport:
    """Write the session at `path`, or every session in that folder, to the data set `out`.

    Args:
        path: A session, or a study's folder.
        out: A new or empty folder, or an earlier export: what is exported again is replaced.
        images: Whether the videos of those who agreed to that are written, too.
        progress: Told trials done, trials in all, and which.

    Raises:
        BadInput: There is no session, no registry of participants, or `out` holds something else.
    """
    registry = Registry.around(path)
    if registry is None:
        raise BadInput(
            f"{path} is in no study: there is no participants.jsonl there or above, so nothing is known of consent"
        )
    report = ExportReport(str(out))
    subjects = _subjects(_sessions(path), registry, report)
    _check_out(out)
    ledger = ExportLedger(registry.path.parent)
    shift = _shifts(subjects, ledger.shift_days())
    ledger.add(
        Exported(
            what="bids",
            time=now_utc(),
            out=str(out.absolute()),
            paths={one.known.pseudonym: [f"sub-{one.name}", f"sourcedata/sub-{one.name}"] for one in subjects},
            tables=("participants.tsv",),
            names={one.known.pseudonym: f"sub-{one.name}" for one in subjects},
            shift_days=shift,
        )
    )
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / DESCRIPTION_FILE, _description())
    (out / "README").write_text(_README, encoding="utf-8")
    (out / ".bidsignore").write_text("*_video.*\nstimuli/\nsourcedata/\n", encoding="utf-8")
    total = sum(len(session.trials) for one in subjects for session in one.sessions)
    done = 0
    for subject in subjects:
        for part in (out / f"sub-{subject.name}", out / "sourcedata" / f"sub-{subject.name}"):
            shutil.rmtree(part, ignore_errors=True)
        for number, session in enumerate(subject.sessions, start=1):
            run = 0
            scans = []
            for trial in session.trials:
                progress(done, total, f"{subject.name} {trial.name}")
                done += 1
                try:
                    recording = session.recording(trial.name)
                except CaptureError as error:
                    report.left_out.append(f"{session.path.name} {trial.name}: {error}")
                    continue
                run += 1
                files = _Run(subject, session, trial, recording, out, f"{number:02d}", run)
                videos = files.write(images=images and subject.images)
                report.videos += videos
                scans.append((files.scan_name, _moved(trial.started, shift[subject.known.pseudonym])))
            report.runs += run
            if scans:
                _write_scans(out, subject.name, f"{number:02d}", scans)
        if images and not subject.images:
            report.left_out.append(f"{subject.known.pseudonym}: no images, which were not agreed to")
        report.participants.append(subject.known.pseudonym)
    _write_participants(out, subjects)
    _write_stimuli(out, [session for one in subjects for session in one.sessions])
    return report


class _Run:
    """The files of one trial."""

    def __init__(
        self,
        subject: _Subject,
        session: Session,
        trial: TrialEntry,
        recording: Recording,
        out: Path,
        number: str,
        run: int,
    ) -> None:
        self._session, self._trial, self._recording = session, trial, recording
        self._task = "elicit" if session.record.elicitation is not None else "record"
        self._folder = out / f"sub-{subject.name}" / f"ses-{number}" / "beh"
        self._source = out / "sourcedata" / f"sub-{subject.name}" / f"ses-{number}"
        self._stem = names.file_stem(subject.name, number, self._task, run)
        self.scan_name = f"beh/{self._stem}_events.tsv"

    def write(self, *, images: bool) -> int:
        """Write them; returns how many videos there are among them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_events()
        self._write_stimulus_frames()
        name = f"{self._stem}_recording-face_video"
        if images:
            with tempfile.TemporaryDirectory(dir=self._folder) as room:
                transcode(self._recording.path, Path(room) / "packed.ffv1")
                (Path(room) / "packed.ffv1" / VIDEO_NAME).replace(self._folder / f"{name}.mkv")
        camera = self._recording.attributes.camera
        device = " ".join(str(camera[key]) for key in ("vendor", "model") if camera.get(key))
        sidecar = names.video_sidecar(
            device=device or names.MISSING,
            rate_fps=self._recording.rate_fps,
            width_px=self._recording.width_px,
            height_px=self._recording.height_px,
            seconds=self._recording.seconds,
            frames=len(self._recording),
            playback_fps=float(VIDEO_FPS) if images else None,
            software=self._recording.attributes.software or software(),
            task=self._task,
        )
        write_json(self._folder / f"{name}.json", dict(sidecar))
        return int(images)

    def _write_events(self) -> None:
        rows = [
            row
            for row in EventLog(self._session.path).rows()
            if row["trial"] == self._trial.name and row["onset"] != names.MISSING
        ]
        rows.sort(key=lambda row: float(row["onset"]))
        kept = [{ours: row[ours] for ours in names.EVENT_COLUMNS} for row in rows]
        write_table(self._folder / f"{self._stem}_events.tsv", names.EVENT_COLUMNS, kept)
        described = {theirs: description_of(ours) for ours, theirs in names.EVENT_COLUMNS.items()}
        described["StimulusPresentation"] = {
            "OperatingSystem": "Linux",
            "SoftwareName": "dfme",
            "SoftwareVersion": self._session.record.software or software(),
        }
        write_json(self._folder / f"{self._stem}_events.json", described)

    def _write_stimulus_frames(self) -> None:
        """When each frame of the stimulus was on the screen, from the first frame of the recording."""
        if not (self._session.path / STIMULUS_FRAMES_FILE).is_file() or not len(self._recording):
            return
        first_ns = self._recording.time_of(0)
        rows = [
            {
                "onset": names.MISSING if row.dropped else f"{(row.host_ns - first_ns) / 1e9:.6f}",
                "stim_id": row.stim_id,
                "stim_frame": str(row.stim_frame),
                "pts": f"{row.pts_s:.6f}",
                "late": str(row.late).lower(),
                "dropped": str(row.dropped).lower(),
            }
            for row in read_stimulus_frames(self._session.path / STIMULUS_FRAMES_FILE)
            if row.trial == self._trial.name
        ]
        if rows:
            self._source.mkdir(parents=True, exist_ok=True)
            write_table(self._source / f"{self._stem}_stimulusframes.tsv", {name: name for name in rows[0]}, rows)


def write_table(path: Path, columns: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a tab-separated table, whole or not at all; `columns` gives each key of a row its name in the table."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerow(columns.values())
    for row in rows:
        writer.writerow([" ".join((row.get(key) or names.MISSING).split()) or names.MISSING for key in columns])
    write_whole(path, out.getvalue().encode())


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated table; empty where there is none."""
    try:
        text = read_document(path).decode("utf-8-sig", "replace")
    except OSError:
        return []
    return [
        {key: value or names.MISSING for key, value in row.items() if key is not None}
        for row in csv.DictReader(io.StringIO(text), delimiter="\t", restval=names.MISSING)
    ]


def _sessions(path: Path) -> list[Session]:
    if (path / SESSION_FILE).is_file():
        return [Session.open(path)]
    found = []
    for file in sorted(path.glob(f"*/{SESSION_FILE}")):
        try:
            found.append(Session.open(file.parent))
        except RecordingInvalid as error:
            raise BadInput(f"{error}: repair it, or export sessions one by one") from None
    if not found:
        raise BadInput(f"{path} holds no sessions: give a session, or the folder of a study")
    return found


def _subjects(sessions: list[Session], registry: Registry, report: ExportReport) -> list[_Subject]:
    """Those who may be exported, with their sessions in order of time."""
    people = registry.participants()
    by_pseudonym: dict[str, list[Session]] = {}
    for session in sessions:
        pseudonym = session.record.participant
        known = people.get(pseudonym) if pseudonym else None
        if pseudonym is None or known is None:
            report.left_out.append(f"{session.path.name}: its participant is not in {registry.path.name}")
        elif known.withdrawn or known.erased:
            report.left_out.append(f"{session.path.name}: {pseudonym} took the consent back")
        elif not known.may_be_recorded:
            report.left_out.append(f"{session.path.name}: {pseudonym} has given no consent")
        else:
            by_pseudonym.setdefault(pseudonym, []).append(session)
    subjects = [
        _Subject(people[one], re.sub(r"[^A-Za-z0-9]", "", one), tuple(sorted(of, key=lambda s: s.record.created)))
        for one, of in by_pseudonym.items()
    ]
    labels = [subject.name.casefold() for subject in subjects]
    twice = next((subject.known.pseudonym for subject in subjects if labels.count(subject.name.casefold()) > 1), None)
    if twice is not None:
        raise BadInput(f"{twice} and another participant differ in dots and dashes only, which BIDS names cannot hold")
    if not subjects:
        raise BadInput(f"nothing can be exported: {report.left_out[0] if report.left_out else 'no sessions'}")
    return subjects


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file: give a folder")
    if out.is_dir() and any(out.iterdir()) and not is_our_export(out):
        raise BadInput(f"{out} holds something else: give a new folder")


def is_our_export(folder: Path) -> bool:
    """Whether a folder is a data set that this program wrote."""
    try:
        return b'"Name": "dfme"' in read_document(folder / DESCRIPTION_FILE)
    except OSError:
        return False


def _description() -> dict[str, Any]:
    return {
        "Name": "Faces at a high rate",
        "BIDSVersion": names.BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "dfme", "Version": software()}],
    }


def _shifts(subjects: list[_Subject], before: Mapping[str, int]) -> dict[str, int]:
    """Days that each participant's dates are moved back by: as before, or a random number that is enough."""
    shifts = {}
    for subject in subjects:
        last = max((_year(session.record.created) for session in subject.sessions), default=2000)
        enough = (last - names.LATEST_YEAR + 1) * 366
        known = before.get(subject.known.pseudonym)
        shifts[subject.known.pseudonym] = known if known is not None else enough + secrets.randbelow(_DAYS_APART)
    return shifts


def _year(created: str) -> int:
    try:
        return datetime.fromisoformat(created).year
    except ValueError:
        return datetime.now().astimezone().year


def _moved(started: str, days: int) -> str:
    try:
        return (datetime.fromisoformat(started) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError):
        return names.MISSING


def _write_scans(out: Path, subject: str, session: str, scans: list[tuple[str, str]]) -> None:
    path = out / f"sub-{subject}" / f"ses-{session}" / f"sub-{subject}_ses-{session}_scans.tsv"
    rows = [{"filename": name, "acq_time": time} for name, time in scans]
    write_table(path, {"filename": "filename", "acq_time": "acq_time"}, rows)


def _write_participants(out: Path, subjects: list[_Subject]) -> None:
    rows = {row["participant_id"]: row for row in read_table(out / "participants.tsv") if "participant_id" in row}
    for subject in subjects:
        name = f"sub-{subject.name}"
        rows[name] = {"participant_id": name, "images_may_be_published": str(subject.images).lower()}
    columns = {"participant_id": "participant_id", "images_may_be_published": "images_may_be_published"}
    write_table(out / "participants.tsv", columns, [rows[name] for name in sorted(rows)])
    told = {"images_may_be_published": {"Description": "Whether the participant agreed to the publication of images"}}
    write_json(out / "participants.json", told)


def _write_stimuli(out: Path, sessions: list[Session]) -> None:
    """The catalogue of what was shown; the films themselves are not ours to give away."""
    stimuli = {row["stimulus_id"]: row for row in read_table(out / "stimuli" / "stimuli.tsv") if "stimulus_id" in row}
    for session in sessions:
        for row in read_table(session.path / "stimuli.tsv"):
            if "stim_id" in row:
                named = {theirs: row[ours] for ours, theirs in names.STIMULUS_COLUMNS.items() if ours in row}
                stimuli[row["stim_id"]] = {**named, "present": "false"}
    if not stimuli:
        return
    used = [name for name in names.STIMULUS_COLUMNS.values() if any(name in row for row in stimuli.values())]
    (out / "stimuli").mkdir(exist_ok=True)
    rows = [stimuli[name] for name in sorted(stimuli)]
    write_table(out / "stimuli" / "stimuli.tsv", {name: name for name in used}, rows)
    told = {name: {"Description": text} for name, text in names.STIMULUS_DESCRIPTIONS.items() if name in used}
    write_json(out / "stimuli" / "stimuli.json", told)
