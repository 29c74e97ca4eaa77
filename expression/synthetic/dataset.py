"""Data sets of simulated participants: clips in the layout of the DFME release, or long recordings to spot in."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from expression.errors import BadInput, ExpressionError
from expression.paper import PARTS, Part
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.labels import write_label_sheet
from expression.synthetic.long_recordings import Render, WriteLong, write_recording
from expression.synthetic.participant import Participant, temperament_of
from expression.synthetic.performance import MICRO_PER_MIN, MOST_MICRO_PER_MIN, Performance
from expression.synthetic.state import FaceTrack
from expression.synthetic.truth import (
    RecordingTruth,
    event_truths,
    read_truth,
    write_spotting_table,
    write_truth,
    write_whole,
)

CLIPS: Final = "train_data"
"""Folder of the clips, by the name it has in the release."""
LABELS: Final = "train_labels.xlsx"
LONG: Final = "long"
SPOTTING: Final = "spotting.csv"
TRUTH: Final = "truth"
PLAN: Final = "dataset.json"
PNG_BYTES: Final = 400_000
"""A frame as PNG; sensor noise does not compress."""
PACKED_BYTES: Final = 600_000
"""A frame of a long recording."""

_FREE_BYTES = 500_000_000
_IDENTITY, _PERFORMANCE = 1, 2
_PNG = [
    # Differences to the mean of both neighbours, packed by Huffman codes alone: smaller and three times faster than
    # what PNG encoders do by themselves with noisy pictures (8.5 ms and 356 kB against 26 ms and 425 kB at level 1).
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *((cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG) if hasattr(cv2, "IMWRITE_PNG_FILTER") else ()),
]


class SynthesisPlan(msgspec.Struct, frozen=True):
    """What a data set is made of; its frames follow from these values alone."""

    seed: int
    part: str
    """Part of DFME whose class counts emotions are drawn by: A, B or C."""
    rate_fps: float
    long: bool = False
    """Long recordings, one of `minutes` for each subject, in place of clips."""
    minutes: float = 0.0
    micro_per_min: float = MICRO_PER_MIN
    """Of long recordings, on average."""
    banks: bool = False
    """Long recordings as frame banks of the simulated camera, in place of Zarr arrays."""
    version: int = 1

    def checked(self) -> SynthesisPlan:
        """This plan.

        Raises:
            BadInput: A value makes no sense.
        """
        if self.part not in {part.name for part in PARTS}:
            raise BadInput(f"there is no part {self.part!r}: give A, B or C")
        if not 20 <= self.rate_fps <= 5000:
            raise BadInput(f"{self.rate_fps:g} frames a second cannot show a micro-expression: give 20 to 5000")
        if not 0 <= self.seed < 2**63:
            raise BadInput(f"seed {self.seed}: give a whole number from 0 on")
        if self.long and not 0.1 <= self.minutes <= 60:
            raise BadInput(f"{self.minutes:g} minutes: a long recording has 0.1 to 60")
        if not 0 <= self.micro_per_min <= MOST_MICRO_PER_MIN:
            raise BadInput(
                f"{self.micro_per_min:g} micro-expressions a minute: there is room for 0 to {MOST_MICRO_PER_MIN:g}"
            )
        return self

    @property
    def long_suffix(self) -> str:
        """How names of long recordings end."""
        return ".bank" if self.banks else ".zarr"

    @property
    def frame_bytes(self) -> int:
        """What a frame takes on the disk."""
        if not self.long:
            return PNG_BYTES
        return WIDTH_PX * HEIGHT_PX if self.banks else PACKED_BYTES

    @property
    def dfme_part(self) -> Part:
        """The part of DFME."""
        return next(part for part in PARTS if part.name == self.part)


@dataclass(frozen=True)
class Recording:
    """One clip or long recording to make."""

    subject: int
    """From 1."""
    number: int
    """Of the subject's, from 1."""

    @property
    def subject_name(self) -> str:
        """`sub0001`."""
        return f"sub{self.subject:04d}"

    @property
    def name(self) -> str:
        """`sub0001_01`."""
        return f"{self.subject_name}_{self.number:02d}"


@dataclass(frozen=True)
class DatasetSummary:
    """What a data set holds."""

    out: Path
    subjects: int
    recordings: int
    frames: int
    micro: dict[str, int]
    """Micro-expressions per emotion, those that occur."""
    macro: int


def open_dataset(out: Path, plan: SynthesisPlan, subjects: int, clips_per_subject: int) -> list[Recording]:
    """Begins a data set or goes on with one, and tells which recordings are missing.

    Args:
        out: Its folder.
        plan: What it is made of; must be the same each time. Subjects and clips can be added.
        subjects: How many subjects it is to have, 1 to 9999.
        clips_per_subject: Clips of each, 1 to 99.

    Raises:
        BadInput: A value makes no sense, or the folder holds something else.
        ExpressionError: The disk has no room.
    """
    plan.checked()
    if not 1 <= subjects <= 9999:
        raise BadInput(f"{subjects} subjects: give 1 to 9999")
    if not 1 <= clips_per_subject <= 99:
        raise BadInput(f"{clips_per_subject} clips per subject: give 1 to 99")
    _check_plan(out, plan)
    missing = [
        recording for recording in _recordings(out, plan, subjects, clips_per_subject) if not _done(out, recording)
    ]
    frames = sum(performance_of(plan, recording).frames(plan.rate_fps) for recording in missing)
    needed = frames * plan.frame_bytes
    free = shutil.disk_usage(out).free
    if missing and needed + _FREE_BYTES > free:
        raise ExpressionError(
            f"{out} has {free / 1e9:.1f} GB left and {frames:,} frames take about {needed / 1e9:.1f} GB: make room, or "
            "make fewer recordings"
        )
    write_whole(out / PLAN, msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n")
    return missing


def close_dataset(out: Path, plan: SynthesisPlan) -> DatasetSummary:
    """Writes the table over all finished recordings: the label sheet of clips, or the spotting table."""
    truths = [read_truth(path) for path in sorted((out / TRUTH).glob("sub*.json"))]
    if plan.long:
        write_spotting_table(out / SPOTTING, ((f"{LONG}/{truth.name}{plan.long_suffix}", truth) for truth in truths))
    else:
        write_label_sheet(out / LABELS, truths)
    micro = Counter(e.emotion for truth in truths for e in truth.expressions if e.kind == "micro" and e.emotion)
    return DatasetSummary(
        out=out,
        subjects=len({truth.subject for truth in truths}),
        recordings=len(truths),
        frames=sum(truth.frames for truth in truths),
        micro=dict(sorted(micro.items())),
        macro=sum(e.kind == "macro" for truth in truths for e in truth.expressions),
    )


def identity_seed(plan: SynthesisPlan, subject: int) -> int:
    """What the subject's face follows from; numbers in a row, since every dozen is balanced by sex and ancestry."""
    dozen = int(np.random.SeedSequence([plan.seed, _IDENTITY]).generate_state(1)[0]) // 12
    return 12 * dozen + subject - 1


def performance_of(plan: SynthesisPlan, recording: Recording) -> Performance:
    """What the subject does in a recording."""
    seed = _performance_seed(plan, recording)
    temperament = temperament_of(identity_seed(plan, recording.subject))
    if plan.long:
        return Performance.long(
            seed,
            minutes=plan.minutes,
            part=plan.dfme_part,
            temperament=temperament,
            rate_fps=plan.rate_fps,
            micro_per_min=plan.micro_per_min,
        )
    return Performance.clip(seed, part=plan.dfme_part, temperament=temperament, rate_fps=plan.rate_fps)


def write_subject(
    out: Path,
    plan: SynthesisPlan,
    recordings: Iterable[Recording],
    after_frame: Callable[[Recording, int], None],
    write_long: WriteLong = write_recording,
) -> None:
    """Renders recordings of one subject.

    Args:
        out: Folder of the data set.
        plan: What it is made of.
        recordings: All of the same subject.
        after_frame: Told how many frames of a recording are there; may raise to stop.
        write_long: Writes a long recording.
    """
    for recording in recordings:
        seed = identity_seed(plan, recording.subject)
        render = partial(_participant(seed).render, take=recording.number)
        performance = performance_of(plan, recording)
        track = performance.track(plan.rate_fps)
        truth = RecordingTruth(
            subject=recording.subject_name,
            name=recording.name,
            identity_seed=seed,
            performance_seed=_performance_seed(plan, recording),
            rate_fps=plan.rate_fps,
            frames=len(track),
            events=event_truths(performance, plan.rate_fps),
        )
        if plan.long:
            attributes = {"simulated": True, "subject": truth.subject, "rate_fps": plan.rate_fps, "seed": plan.seed}
            path = out / LONG / f"{recording.name}{plan.long_suffix}"
            write_long(path, track, render, attributes, partial(after_frame, recording))
        else:
            _write_clip(out / CLIPS / recording.name, track, render, partial(after_frame, recording))
        # Last: a recording whose truth is there is complete.
        write_truth(out / TRUTH, truth, track)


@lru_cache(maxsize=1)
def _participant(seed: int) -> Participant:
    """The one whose turn it is; building another takes seconds."""
    return Participant.of(seed)


def _write_clip(path: Path, track: FaceTrack, render: Render, after_frame: Callable[[int], None]) -> None:
    """Writes `00000.png` and so on; the folder appears with all its pictures."""
    unfinished = path.with_name(f".{path.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    frame: npt.NDArray[np.uint8] = np.empty((HEIGHT_PX, WIDTH_PX), np.uint8)
    for number in range(len(track)):
        render(track, number, frame)
        target = unfinished / f"{number:05d}.png"
        if not cv2.imwrite(str(target), frame, _PNG):
            raise ExpressionError(f"cannot write {target}: is the disk full?")
        after_frame(number + 1)
    shutil.rmtree(path, ignore_errors=True)
    unfinished.replace(path)


def _performance_seed(plan: SynthesisPlan, recording: Recording) -> tuple[int, ...]:
    return (plan.seed, _PERFORMANCE, recording.subject, recording.number)


def _recordings(out: Path, plan: SynthesisPlan, subjects: int, clips_per_subject: int) -> Iterator[Recording]:
    each = 1 if plan.long else clips_per_subject
    return (Recording(subject, number) for subject in range(1, subjects + 1) for number in range(1, each + 1))


def _done(out: Path, recording: Recording) -> bool:
    return (out / TRUTH / f"{recording.name}.json").is_file()


def _check_plan(out: Path, plan: SynthesisPlan) -> None:
    """Makes the folder, or finds in it a data set of the same plan."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / PLAN).is_file():
            there = msgspec.json.decode((out / PLAN).read_bytes(), type=SynthesisPlan)
            if there != plan:
                names = [name for name in plan.__struct_fields__ if getattr(there, name) != getattr(plan, name)]
                differences = ", ".join(f"{name} {getattr(there, name)}" for name in names)
                raise BadInput(f"{out} holds a data set of {differences}: go on with the same, or choose another --out")
        elif any(out.iterdir()):
            raise BadInput(f"{out} is not empty and holds no synthetic data set: choose another --out")
    except msgspec.DecodeError as error:
        raise BadInput(f"{out / PLAN} cannot be read ({error}): choose another --out") from error
    except OSError as error:
        raise BadInput(f"cannot write to {out}: {error.strerror}; choose another --out") from error
