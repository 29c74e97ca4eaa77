"""What it costs to find a face and to cut its crop out of a frame of 1024x768, on one thread of OpenCV.

    python benchmarks/face.py [--video FACE.mp4] [--rounds 5]

Prints one JSON line: milliseconds per frame (median of the rounds' medians) for MediaPipe in single pictures and
tracking, the cascades, one alignment, and the crop at each size from a face of usual size (`crop_ms`) and from one that
fills the frame, which is averaged down first (`crop_shrunk_ms`).

With a video of a face also: in how many frames each finder saw it, and how far the cascades' eyes lie from MediaPipe's
as a share of the eyes' distance. `kinds` compares similarity and affine alignment of each single frame: how many pixels
of a crop of 224 they jitter, and how much longer the face becomes in one direction than across (median). Without a
video, MediaPipe sees a drawn frame without a face and is cheaper.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import av
import cv2
import numpy as np

from expression.errors import FaceUnusable, ModelUnavailable
from expression.face import Alignment, Box, Face, FaceFinder, Scheme, align, reference_px
from expression.face.cascades import CascadeFinder
from expression.face.mediapipe_landmarks import MediaPipeFinder
from expression.face.procrustes import Kind

SIZES = (112, 160, 224, 256)
WIDTH, HEIGHT = 1024, 768


def frames_of(video: Path | None, every: int) -> list[np.ndarray]:
    """Frames of a video, enlarged to the camera's width; without one a drawn frame."""
    if video is None:
        drawn = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), np.uint8)
        return [cv2.GaussianBlur(drawn, (0, 0), 3)] * 10
    with av.open(str(video)) as container:
        grey = [frame.to_ndarray(format="gray") for i, frame in enumerate(container.decode(video=0)) if i % every == 0]
    height = round(grey[0].shape[0] * WIDTH / grey[0].shape[1])
    return [np.asarray(cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_CUBIC), np.uint8) for frame in grey]


def per_frame_ms(work: Callable[[np.ndarray], object], frames: Sequence[np.ndarray], rounds: int) -> float:
    """Median over the rounds of the median over the frames."""
    work(frames[0])
    medians = []
    for _ in range(rounds):
        times = []
        for frame in frames:
            begin = time.perf_counter_ns()
            work(frame)
            times.append(time.perf_counter_ns() - begin)
        medians.append(statistics.median(times) / 1e6)
    return round(statistics.median(medians), 3)


def drawn_face(side: float) -> Face:
    """The reference face in the middle of the frame."""
    marks = (reference_px(1000) / 1000 * side + (WIDTH / 2 - side / 2, HEIGHT / 2 - side / 2)).astype(np.float32)
    return Face(Box.around(marks), marks, Scheme.MEDIAPIPE)


def crops(side: float, rounds: int) -> dict[str, float]:
    """Milliseconds per crop of each size, for a face whose crop is `side` pixels wide in the frame."""
    frame = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), np.uint8)
    whole = align(drawn_face(side), frame)
    figures = {}
    for size in SIZES:
        alignment, out = whole.at_size(size), np.empty((size, size), np.uint8)
        figures[str(size)] = per_frame_ms(lambda f, a=alignment, o=out: a.apply(f, o), [frame] * 200, rounds)
    return figures


def jitter_px(alignments: Sequence[Alignment | None]) -> float:
    """RMS of what a moving head does not explain: second differences of the crop's corners over successive frames."""
    known = [(a.outline, a.scale) if a else None for a in alignments]
    bends = [
        (before[0] - 2 * now[0] + after[0]) * now[1]
        for before, now, after in zip(known, known[1:], known[2:], strict=False)
        if before and now and after
    ]
    return round(float(np.sqrt((np.square(bends)).sum(-1).mean() / 6)), 3)


def aligned(face: Face | None, frame: np.ndarray, kind: Kind) -> Alignment | None:
    """The alignment, or None where there is no face or it cannot be used."""
    try:
        return align(face, frame, kind=kind) if face else None
    except FaceUnusable:
        return None


def kinds(finder: FaceFinder, frames: Sequence[np.ndarray]) -> dict[str, dict[str, float]]:
    """Jitter and stretch of each kind of alignment over successive frames."""
    faces = [next(iter(finder.find(frame)), None) for frame in frames]
    figures = {}
    for kind in get_args(Kind):
        made = [aligned(face, frame, kind) for face, frame in zip(faces, frames, strict=True)]
        spreads = [np.linalg.svd(one.matrix[:, :2], compute_uv=False) for one in made if one]
        stretch = statistics.median(float(longer / shorter) for longer, shorter in spreads)
        figures[kind] = {"jitter_px": jitter_px(made), "stretch": round(stretch, 3)}
    return figures


def seen(finder: FaceFinder, other: FaceFinder | None, frames: Sequence[np.ndarray]) -> dict[str, object]:
    """In how many frames a finder sees a face, and how far its eyes lie from those of the other."""
    found, guessed, off = 0, 0, []
    for frame in frames:
        faces = finder.find(frame)
        found += bool(faces)
        guessed += bool(faces) and faces[0].guessed
        truth = other.find(frame) if other and faces and not faces[0].guessed else ()
        if truth:
            off.append(float(np.linalg.norm(faces[0].eyes - truth[0].eyes, axis=1).mean() / truth[0].eye_distance_px))
    figures: dict[str, object] = {"frames": len(frames), "found": found, "guessed": guessed}
    return figures | ({"eyes_off_median": round(statistics.median(off), 3)} if off else {})


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="a video that shows one face")
    parser.add_argument("--every", type=int, default=8, help="take each nth of its frames for timing and counting")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    frames = frames_of(options.video, options.every)
    some = frames[:: max(1, len(frames) // 20)]
    result: dict[str, object] = {"benchmark": "face", "video": options.video.name if options.video else None}
    with CascadeFinder() as cascades:
        result["cascades_ms"] = per_frame_ms(cascades.find, some, options.rounds)
        try:
            finder = MediaPipeFinder()
        except ModelUnavailable as error:
            result["mediapipe"] = str(error)
            result["cascades"] = seen(cascades, None, frames)
        else:
            with finder, MediaPipeFinder(track=True, max_faces=1) as tracker:
                result["mediapipe_ms"] = per_frame_ms(finder.find, some, options.rounds)
                result["mediapipe_tracking_ms"] = per_frame_ms(tracker.find, some, options.rounds)
                result["mediapipe"] = seen(finder, None, frames)
                result["cascades"] = seen(cascades, finder, frames)
                if options.video:
                    result["kinds"] = kinds(finder, frames_of(options.video, 1))
    face, frame = drawn_face(400), np.zeros((HEIGHT, WIDTH), np.uint8)
    result["align_ms"] = per_frame_ms(lambda f: align(face, f), [frame] * 100, options.rounds)
    result["crop_ms"] = crops(300, options.rounds)
    result["crop_shrunk_ms"] = crops(720, options.rounds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
