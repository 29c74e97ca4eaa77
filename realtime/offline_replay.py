"""Runs a classical method over a recording: crops of the face for it, then crops of what it found for a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from expression.clip_input import ClipRecipe
from expression.errors import FaceUnusable
from expression.face import Alignment, FaceFinder, align
from expression.face.detect import Picture
from expression.keyframes import KeyFrames
from expression.motion import FaceMotion, HeadMotion
from realtime.analysis import Found, corrected
from realtime.sources import FrameSource, read_ahead
from realtime.spotting.flow_method import FlowMethod
from realtime.spotting.lbp_method import LbpMethod
from realtime.spotting.offline import Crop, Interval, OfflineMethod
from realtime.spotting.spot import Spot, SpotKind
from realtime.tracking import FaceState, FaceTracker

METHODS: Final[dict[str, Callable[[], OfflineMethod]]] = {"lbp": LbpMethod, "flow": FlowMethod}
"""Baselines by the name of the option."""
REGIONS: Final = "regions"
"""The method that is also used live; see `realtime.spotting.spotter`."""
_FACE_PX: Final = 256


@dataclass
class _Crops:
    """Cuts the face out of frames, and lets a method have them."""

    method: OfflineMethod
    tracker: FaceTracker
    rate_fps: float

    def __post_init__(self) -> None:
        self.stride = max(1, round(self.rate_fps / self.method.most_hz))
        self._look_every = max(1, round(self.tracker.every_s * self.rate_fps))
        self._alignment: Alignment | None = None
        self._motion: FaceMotion | None = None
        self._head: HeadMotion | None = None
        self._first = 0
        self.faceless = 0

    def push(self, number: int, frame: Picture) -> list[tuple[Interval, int]]:
        """Take a frame; gives what moved until the face was lost, with the frame that its samples count from."""
        found: list[tuple[Interval, int]] = []
        if number % self._look_every == 0:
            sighting = self.tracker.look(frame)
            if self.tracker.state is not FaceState.FOUND:
                found = self.finish()
            elif self._alignment is None and sighting.alignment is not None and number % self.stride == 0:
                self._begin(sighting.alignment, number, frame)
        if self._alignment is None:
            self.faceless += 1
        elif (number - self._first) % self.stride == 0:
            self.method.push(self._crop(frame))
        return found

    def finish(self) -> list[tuple[Interval, int]]:
        """What moved since the face was found."""
        if self._alignment is None:
            return []
        self._alignment = self._motion = self._head = None
        return [(interval, self._first) for interval in self.method.finish(self.rate_fps / self.stride)]

    def _begin(self, alignment: Alignment, number: int, frame: Picture) -> None:
        if self.method.steady:
            self._alignment = alignment.at_size(self.method.crop_px)
            self._motion = FaceMotion(self._alignment.apply(frame))
        else:
            wanted = alignment.at_size(_FACE_PX)
            matrix, margin = wanted.matrix.copy(), (self.method.crop_px - _FACE_PX) / 2
            matrix[:, 2] += margin
            self._alignment = Alignment(matrix, self.method.crop_px, wanted.source_shape, wanted.scheme)
        self._first = number

    def _crop(self, frame: Picture) -> Crop:
        assert self._alignment is not None  # noqa: S101  # only called where a face is followed
        if self._motion is None:
            return self._alignment.apply(frame)
        self._head = self._motion.measure(self._alignment.apply(frame)).head
        return corrected(self._alignment, self._head).apply(frame)


def spot_offline(
    source: FrameSource,
    finder: FaceFinder,
    method: OfflineMethod,
    recipe: ClipRecipe | None,
    progress: Callable[[int, int], None],
) -> tuple[list[Found], int, int]:
    """Everything that a method finds in a source.

    Args:
        source: The frames; they are read once, and again where something is to be recognised.
        finder: Finds faces.
        method: Which.
        recipe: What a network sees of each expression; None cuts nothing out.
        progress: Told the frames done and their number.

    Returns:
        What was found, frames that were read, and those of them without a face.
    """
    crops = _Crops(method, FaceTracker(finder), source.rate_fps)
    intervals: list[tuple[Interval, int]] = []
    done = 0
    for block in read_ahead(source):
        for index, frame in enumerate(block.frames):
            intervals += crops.push(block.first + index, frame)
        done += len(block.frames)
        progress(done, max(done, source.count))
    intervals += crops.finish()
    found = [_found(interval, first, crops.stride, source.rate_fps, done) for interval, first in intervals]
    if recipe is not None and found:
        found = list(_cut_out(source, finder, recipe, found))
    return found, done, crops.faceless


def _found(interval: Interval, first: int, stride: int, rate_fps: float, frames: int) -> Found:
    onset, apex, offset = (
        min(first + stride * sample, frames - 1) for sample in (interval.onset, interval.apex, interval.offset)
    )
    key_frames = KeyFrames(onset, apex, offset)
    kind: SpotKind = "micro" if key_frames.is_micro(rate_fps) else "macro"
    onset_s, apex_s, offset_s = (frame / rate_fps for frame in (onset, apex, offset))
    return Found(
        key_frames,
        kind,
        # Decided at the end of the recording; what was waited for is not told as latency.
        Spot(onset_s, apex_s, offset_s, interval.regions, interval.strength, interval.height / 2, decided_s=offset_s),
    )


def _cut_out(source: FrameSource, finder: FaceFinder, recipe: ClipRecipe, found: list[Found]) -> Iterator[Found]:
    """Each expression with its crops, aligned by its onset frame."""
    wanted = [
        np.concatenate([recipe.frame_numbers(one.key_frames), [one.key_frames.onset, one.key_frames.peak]])
        for one in found
    ]
    alignments: dict[int, Alignment | None] = {}
    crops: list[dict[int, Crop]] = [{} for _ in found]
    for block in read_ahead(source):
        for index, frame in enumerate(block.frames):
            number = block.first + index
            for which, numbers in enumerate(wanted):
                if numbers[0] <= number <= found[which].key_frames.offset and number in numbers:
                    if which not in alignments:
                        alignments[which] = _aligned(finder, frame, recipe.crop_px)
                    alignment = alignments[which]
                    if alignment is not None:
                        crops[which][number] = alignment.apply(frame)
    for one, numbers, cut in zip(found, wanted, crops, strict=True):
        if len(cut) < len(set(numbers.tolist())):
            yield one
            continue
        stack = np.stack([cut[int(number)] for number in numbers])
        yield Found(one.key_frames, one.kind, one.spot, stack[:-2], stack[-2], stack[-1], recipe)


def _aligned(finder: FaceFinder, frame: npt.NDArray[np.uint8], size_px: int) -> Alignment | None:
    try:
        return align(finder, frame, size_px=size_px)
    except FaceUnusable:
        return None
