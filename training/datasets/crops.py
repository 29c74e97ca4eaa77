"""Aligned crops on disk: each sample is decoded, aligned and cut once, and never again in any epoch or fold."""

from __future__ import annotations

import contextlib
import hashlib
import io
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from capture.cache import crops_of, user_cache
from capture.recording.files import write_whole
from expression.errors import ExpressionError, FaceUnusable
from expression.face import FaceFinder, align, best_finder
from expression.keyframes import KeyFrames
from expression.sampling import SamplingMethod, sample_frames
from training.datasets.sample import Sample

Progress = Callable[[int, int, str], None]
"""Told how many samples are done, of how many, and in a few words what is done."""


class CropPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which frames of a sample are kept, and at what size."""

    size_px: Annotated[int, msgspec.Meta(ge=16, le=1024)] = 224
    frames: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    samplings: tuple[SamplingMethod, ...] = ("adaptive-halves",)
    spare: Annotated[int, msgspec.Meta(ge=0, le=32)] = 0
    """Frames before the onset and after the offset, so that key-frames can be moved in training."""
    finder: str = "auto"
    """Who finds the face; see `expression.face.best_finder`."""
    version: int = 1

    def numbers(self, key_frames: KeyFrames, span: tuple[int, int]) -> npt.NDArray[np.int64]:
        """Frames that are kept of a sample: ascending, each once, onset, apex and offset among them."""
        wanted = [sample_frames(key_frames, self.frames, sampling) for sampling in self.samplings]
        wanted.append(np.array([key_frames.onset, key_frames.peak, key_frames.offset]))
        step = max(1, round((key_frames.offset - key_frames.onset) / max(1, self.frames)))
        beyond = step * np.arange(1, self.spare + 1)
        wanted += [key_frames.onset - beyond, key_frames.offset + beyond]
        numbers = np.unique(np.concatenate(wanted).astype(np.int64))
        return numbers[(numbers >= span[0]) & (numbers <= span[1])]


@dataclass(frozen=True)
class Crops:
    """What is kept of one sample."""

    numbers: npt.NDArray[np.int64]
    """(kept,) frame numbers, ascending."""
    pictures: npt.NDArray[np.uint8]
    """(kept, size, size)."""

    def at(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The kept frames nearest to `numbers`: (len(numbers), size, size)."""
        right = np.clip(np.searchsorted(self.numbers, numbers), 1, max(1, len(self.numbers) - 1))
        left = right - 1
        right = np.minimum(right, len(self.numbers) - 1)
        nearer = np.where(numbers - self.numbers[left] <= self.numbers[right] - numbers, left, right)
        return self.pictures[nearer]


@dataclass(frozen=True)
class CropStore:
    """A folder of crops under names that follow from the pictures and the plan."""

    folder: Path
    plan: CropPlan

    def path(self, sample: Sample) -> Path:
        """Where the crops of a sample are, or will be."""
        key = f"{sample.frames.identity}\n{sample.key_frames}\n{msgspec.json.encode(self.plan).decode()}"
        digest = hashlib.sha256(key.encode()).hexdigest()
        # By subject, so that the crops of a participant who withdraws can be found.
        return self.folder / crops_of(sample.subject) / f"{digest}.npz"

    def load(self, sample: Sample) -> Crops:
        """The crops of a prepared sample.

        Raises:
            ExpressionError: They are not there; `prepare` makes them.
        """
        return read_crops(self.path(sample))

    def prepare(
        self, samples: Sequence[Sample], *, jobs: int = 1, progress: Progress = lambda done, total, text: None
    ) -> tuple[tuple[Sample, ...], tuple[str, ...]]:
        """Make the crops that are missing.

        Args:
            samples: Of which.
            jobs: Processes; each takes one subject at a time.
            progress: Told about samples.

        Returns:
            The samples that can be used, in their order, and a line for each that cannot.

        Raises:
            ExpressionError: A picture is missing or damaged, or a process failed; what was made is kept.
        """
        paths = {(sample.dataset, sample.name): self.path(sample) for sample in samples}
        missing = [sample for sample in samples if not paths[sample.dataset, sample.name].exists()]
        done = len(samples) - len(missing)
        for group_done in self._made(missing, jobs):
            done += group_done
            progress(done, len(samples), "aligning faces")
        usable, refused = [], []
        for sample in samples:
            reason = _refusal(paths[sample.dataset, sample.name])
            if reason:
                refused.append(f"{sample.dataset} {sample.name}: {reason}")
            else:
                usable.append(sample)
        return tuple(usable), tuple(refused)

    def _made(self, missing: Sequence[Sample], jobs: int) -> Iterator[int]:
        by_subject = [list(group) for _, group in groupby(missing, key=lambda sample: sample.person)]
        if jobs <= 1 or len(by_subject) <= 1:
            for group in by_subject:
                yield _make_all(self, group)
            return
        # Spawned, not forked: OpenCV's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(by_subject)), mp_context=context, initializer=_start) as pool:
            try:
                for future in as_completed([pool.submit(_make_all, self, group) for group in by_subject]):
                    yield future.result()
            except BrokenProcessPool as error:
                raise ExpressionError("a process that aligns faces has died: start again to go on") from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def read_crops(path: Path) -> Crops:
    """Read one file of a store.

    Raises:
        ExpressionError: It is missing, damaged, or stands for a sample without a usable face.
    """
    try:
        with np.load(path) as content:
            return Crops(content["numbers"], content["pictures"])
    except (OSError, KeyError, ValueError) as error:
        raise ExpressionError(f"{path} holds no crops ({error}): prepare the data again") from error


def default_store() -> Path:
    """Where crops are kept; see `user_cache`."""
    return user_cache("crops")


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _finder(prefer: str) -> FaceFinder:
    return best_finder(prefer)


def _make_all(store: CropStore, samples: Sequence[Sample]) -> int:
    with contextlib.closing(_finder(store.plan.finder)) as finder:
        for sample in samples:
            _make(store, sample, finder)
    return len(samples)


def _make(store: CropStore, sample: Sample, finder: FaceFinder) -> None:
    packed = io.BytesIO()
    numbers = store.plan.numbers(sample.key_frames, sample.frames.span)
    onset_frame = sample.frames.read(sample.key_frames.onset)
    try:
        alignment = align(finder, onset_frame, size_px=store.plan.size_px)
    except FaceUnusable as error:
        # Kept as well: the next run need not look for a face again where there is none.
        np.savez(packed, refused=np.array(str(error)))
    else:
        frames = (onset_frame if n == sample.key_frames.onset else sample.frames.read(int(n)) for n in numbers)
        np.savez(packed, numbers=numbers, pictures=alignment.apply_clip(frames))
    path = store.path(sample)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, packed.getvalue(), sync=False)


def _refusal(path: Path) -> str:
    try:
        with np.load(path) as content:
            return str(content["refused"]) if "refused" in content else ""
    except (OSError, ValueError) as error:
        return f"its crops cannot be read ({error}); remove {path}"
