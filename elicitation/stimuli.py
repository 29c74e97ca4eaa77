"""The manifest of stimuli: what a lab shows, with or without the files, in columns that map to BIDS stimuli tables."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from capture.recording.files import write_whole
from elicitation.errors import ManifestInvalid
from elicitation.text_file import read_table
from expression import Emotion
from expression.emotions import parse_emotion
from expression.errors import ExpressionError
from expression.paper import STIMULI

MISSING: Final = "n/a"
_DURATION_TOLERANCE_S = 1.0
"""The paper gives whole seconds."""
_VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"})


def _emotion(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_emotion(value)
    except ExpressionError as error:
        raise ValueError(str(error)) from None


class Stimulus(BaseModel):
    """One video as the manifest describes it; BIDS extension proposal 44 has the same columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stim_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]
    """Short name, letters and digits, such as `02sa`."""
    target_emotion: Annotated[Emotion, BeforeValidator(_emotion)]
    """What it is meant to evoke."""
    duration_s: Annotated[float, Field(gt=0, le=7200)]
    score: Annotated[float, Field(ge=1, le=5)] | None = None
    """Mean intensity that volunteers gave it."""
    file: str = ""
    """Path of the lab's own file, relative to the manifest; empty where it is found by its checksum."""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    type: str = "audiovideo"
    title: str = ""
    year: Annotated[int, Field(ge=1888, le=2200)] | None = None
    source_url: str = ""
    in_time: str = ""
    """Where in the film the clip begins, such as `0:12:31`."""
    out_time: str = ""
    license: str = ""
    copyright: str = ""
    language: str = ""
    frame_rate: Annotated[float, Field(gt=0)] | None = None
    n_frames: Annotated[int, Field(gt=0)] | None = None
    width: Annotated[int, Field(gt=0)] | None = None
    height: Annotated[int, Field(gt=0)] | None = None
    audio_lufs: float | None = None
    content_warnings: str = ""
    culture: str = ""
    present: bool = True
    """False for a film that is described but not at hand."""


_COLUMNS: Final = tuple(Stimulus.model_fields)


@dataclass(frozen=True)
class Located:
    """A stimulus and the file that is it, if there is one."""

    stimulus: Stimulus
    path: Path | None
    how: str
    """`named`, `checksum`, `duration`, or why there is none."""


class Manifest:
    """Stimuli by id, in the order of the file."""

    def __init__(self, stimuli: Iterable[Stimulus], path: Path | None = None) -> None:
        self.path = path
        self.stimuli = tuple(stimuli)
        self.by_id: Mapping[str, Stimulus] = {stimulus.stim_id: stimulus for stimulus in self.stimuli}

    @classmethod
    def of_paper(cls) -> Manifest:
        """The paper's fifteen videos, without files: those are the lab's own."""
        return cls(
            Stimulus(
                stim_id=stimulus.name,
                target_emotion=stimulus.emotion,
                duration_s=stimulus.duration_s,
                score=stimulus.intensity,
                present=False,
            )
            for stimulus in STIMULI
        )

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a tab-separated manifest.

        Raises:
            ManifestInvalid: Unreadable, a column unknown or missing, a value impossible; names line and column.
        """
        rows, header = read_table(path, ManifestInvalid)
        unknown = [name for name in header if name not in _COLUMNS]
        if unknown:
            raise ManifestInvalid(f"{path}: unknown column {unknown[0]!r}; there are {', '.join(_COLUMNS)}")
        needed = [name for name, field in Stimulus.model_fields.items() if field.is_required() and name not in header]
        if needed:
            raise ManifestInvalid(f"{path}: the column {needed[0]!r} is missing")
        stimuli: dict[str, Stimulus] = {}
        for line, row in rows:
            values = {name: value for name, value in row.items() if value not in ("", MISSING)}
            try:
                stimulus = Stimulus.model_validate(values)
            except ValidationError as error:
                first = error.errors()[0]
                column = str(first["loc"][0]) if first["loc"] else "?"
                raise ManifestInvalid(f"{path}, line {line}, column {column}: {first['msg']}") from None
            if stimulus.stim_id in stimuli:
                raise ManifestInvalid(f"{path}, line {line}: {stimulus.stim_id} stands there twice")
            stimuli[stimulus.stim_id] = stimulus
        if not stimuli:
            raise ManifestInvalid(f"{path}: no stimulus in it")
        return cls(stimuli.values(), path)

    def save(self, path: Path) -> None:
        """Write the manifest, whole or not at all; columns that no stimulus uses are left out."""
        dumped = [stimulus.model_dump(mode="json") for stimulus in self.stimuli]
        used = [
            name
            for name, field in Stimulus.model_fields.items()
            if field.is_required() or any(row[name] != field.default for row in dumped)
        ]
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        writer.writerow(used)
        for row in dumped:
            writer.writerow([_cell(row[name]) for name in used])
        write_whole(path, out.getvalue().encode())

    def locate(self, folder: Path, durations: Mapping[Path, float] | None = None) -> tuple[Located, ...]:
        """Find each stimulus's file: as named, else by checksum, else the only video of its duration.

        Args:
            folder: The lab's videos; sub-folders are searched, too.
            durations: Seconds of each video in `folder`, for matching by duration; none is matched so without it.

        Returns:
            One per stimulus, in order.
        """
        videos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _VIDEO_SUFFIXES and p.is_file())
        wanted = {s.sha256 for s in self.stimuli if s.sha256}
        by_checksum = {file_sha256(video): video for video in videos} if wanted else {}
        return tuple(self._located(stimulus, folder, videos, by_checksum, durations or {}) for stimulus in self.stimuli)

    def _located(
        self,
        stimulus: Stimulus,
        folder: Path,
        videos: Sequence[Path],
        by_checksum: Mapping[str, Path],
        durations: Mapping[Path, float],
    ) -> Located:
        if stimulus.sha256:
            path = by_checksum.get(stimulus.sha256)
            named = next(
                (video for video in videos if video.name == stimulus.file or video.stem == stimulus.stim_id), None
            )
            why = f"no video in {folder} has its checksum"
            if named is not None:
                why = f"there is only {named.name}, with another checksum than the manifest says: is it the right copy?"
            return Located(stimulus, path, "checksum" if path else why)
        if stimulus.file:
            base = self.path.parent if self.path is not None else folder
            named = next((p for p in (base / stimulus.file, folder / stimulus.file) if p.is_file()), None)
            return Located(stimulus, named, "named" if named else f"{stimulus.file} is not in {folder}")
        same_name = [video for video in videos if video.stem == stimulus.stim_id]
        if len(same_name) == 1:
            return Located(stimulus, same_name[0], "named")
        near = [v for v in videos if abs(durations.get(v, -1e9) - stimulus.duration_s) <= _DURATION_TOLERANCE_S]
        if len(near) == 1:
            return Located(stimulus, near[0], "duration")
        if near:
            return Located(stimulus, None, f"{len(near)} videos last {stimulus.duration_s:g} s: name the right one")
        return Located(stimulus, None, f"no video in {folder} is named {stimulus.stim_id} or lasts as long")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cell(value: object) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
