"""Changes training clips at random as cameras, finders and spotters do: pure functions of a generator and a clip."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from expression.clip_input import Clip
from expression.keyframes import KeyFrames
from training.recipe import Augmentation


def jittered(rng: np.random.Generator, key_frames: KeyFrames, spread: float) -> KeyFrames:
    """Key-frames as a spotter finds them: each moved by a normal error of `spread` of the length, in order again."""
    if not spread:
        return key_frames
    length = key_frames.offset - key_frames.onset
    error = np.rint(rng.normal(0, spread * length, 3)).astype(int)
    marks = sorted(max(0, mark + by) for mark, by in zip(_marks(key_frames), error.tolist(), strict=True))
    return KeyFrames(*marks)


def _marks(key_frames: KeyFrames) -> tuple[int, int, int]:
    return key_frames.onset, key_frames.peak, key_frames.offset


def altered(rng: np.random.Generator, clip: Clip, how: Augmentation, *, is_flow: bool) -> Clip:
    """A clip as it might have been.

    Args:
        rng: Source of chance.
        clip: (channels, frames, size, size).
        how: Which changes, and how strong.
        is_flow: The first two planes are movement to the right and down, which turn and mirror with the picture.

    Returns:
        A new array of the same shape.
    """
    if how.flip and rng.random() < 0.5:
        clip = clip[..., ::-1].copy()
        if is_flow:
            clip[0] *= -1
    if how.shift or how.zoom or how.turn_deg:
        clip = _moved(rng, clip, how, is_flow)
    if how.frames_lost:
        clip = _with_lost_frames(rng, clip, how.frames_lost)
    if how.gain:
        clip = clip * np.float32(1 + rng.uniform(-how.gain, how.gain))
    if how.noise:
        clip = clip + np.float32(how.noise) * rng.standard_normal(clip.shape, np.float32)
    return np.ascontiguousarray(clip, np.float32)


def _moved(rng: np.random.Generator, clip: Clip, how: Augmentation, is_flow: bool) -> Clip:
    size = clip.shape[-1]
    angle = rng.uniform(-how.turn_deg, how.turn_deg)
    zoom = 1 + rng.uniform(-how.zoom, how.zoom)
    middle = (size - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, zoom)
    matrix[:, 2] += rng.uniform(-how.shift, how.shift, 2) * size
    moved = np.empty_like(clip)
    for frame in range(clip.shape[1]):
        for plane in range(clip.shape[0]):
            moved[plane, frame] = cv2.warpAffine(
                np.ascontiguousarray(clip[plane, frame]), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE
            )
    if is_flow:
        turn: npt.NDArray[np.float32] = matrix[:, :2].astype(np.float32)
        moved[:2] = np.einsum("ij,jthw->ithw", turn, moved[:2])
    return moved


def _with_lost_frames(rng: np.random.Generator, clip: Clip, share: float) -> Clip:
    frames = clip.shape[1]
    source = np.arange(frames)
    lost: npt.NDArray[np.bool_] = np.asarray(rng.random(frames) < share)
    for frame in range(1, frames):
        if bool(lost[frame]):
            source[frame] = source[frame - 1]
    return clip[:, source]
