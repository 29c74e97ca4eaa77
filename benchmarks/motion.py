"""What flow and regions of an aligned face cost per frame, and how well known movements are found, beside OpenCV's.

    python -m benchmarks.motion [--video FILE] [--size 128] [--noise 1.0]

Prints one JSON line. The first frame of the video that shows a face is warped by known movements at the video's own
resolution, cut to the crop, made 1 % brighter, and given noise; without a video a generated texture is the face.

- `cpu_ms`: processor time per frame on one core, median of rounds in which the ways take turns; `cpu_ms_best` is the
  best round, which other work on the machine disturbed least. `face_motion` is all of
  `FaceMotion.measure`: flow, head and regions. `flow` is the estimator alone without a known movement of the head.
- `still_px`, `shift_px`, `local_px`: mean distance of the found from the true movement, in pixels of the crop: of
  nothing, of the whole picture by 0.05 to 2 px (mean over the face), and of a spot as large as a mouth corner (mean
  over the spot, over five places). `flow_with_head` starts from the head's movement, as in a live readout.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from expression.face.reference import reference_px
from expression.motion import FLOW_SIZE_PX, FaceMotion, Flow, FlowEstimator, RegionMeter

Gray = npt.NDArray[np.uint8]
Field = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]

LENGTHS_PX = (0.05, 0.1, 0.3, 1.0, 2.0)
"""In a crop of 128 pixels; larger crops move in proportion."""
SPOTS = {"mouth_corner": 61, "inner_brow": 55, "upper_lid": 159, "nose_wing": 129, "chin": 199}
SPOT_SHARE = 0.05
ROUNDS = 60
FRAMES_PER_ROUND = 10
SUPERSAMPLING = 2


@dataclass(frozen=True)
class Scene:
    """A picture, and the way from the crop to it."""

    name: str
    source: npt.NDArray[np.float32]
    to_source: npt.NDArray[np.float64]
    """(2, 3) pixel of the crop to pixel of the source."""
    landmarks_px: npt.NDArray[np.float32]
    """(478, 2) in the crop."""
    size_px: int

    def crop(self, field: Field | None, seed: int, noise: float, *, gain: float = 1.0) -> Gray:
        """The crop after its point at x has moved to x + field(x)."""
        size = self.size_px * SUPERSAMPLING
        steps = (np.arange(size) + 0.5) / SUPERSAMPLING - 0.5
        wanted = np.stack(np.meshgrid(steps, steps), axis=-1)
        points = wanted
        for _ in range(8 if field else 0):
            points = wanted - field(points)  # type: ignore[misc]
        maps = (points @ self.to_source[:, :2].T + self.to_source[:, 2]).astype(np.float32)
        fine = cv2.remap(self.source, maps, None, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
        picture = gain * cv2.resize(fine, (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)
        picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

    @property
    def face(self) -> npt.NDArray[np.bool_]:
        """(size, size) where the face is."""
        mask = np.zeros((self.size_px, self.size_px), np.uint8)
        cv2.fillConvexPoly(mask, np.rint(cv2.convexHull(self.landmarks_px)).astype(np.int32), 1)
        return cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0


def scene_of_video(path: Path, size_px: int) -> Scene:
    """The first frame with a face."""
    from expression.face import align, best_finder
    from expression.face.reference import Scheme

    video = cv2.VideoCapture(str(path))
    with best_finder(download=False) as finder:
        while True:
            there, frame = video.read()
            if not there:
                raise SystemExit(f"no frame of {path} shows a face")
            gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            faces = finder.find(gray)
            if faces:
                break
    alignment = align(faces[0], gray, size_px=size_px)
    marked = faces[0].scheme is Scheme.MEDIAPIPE
    landmarks = alignment.to_crop(faces[0].landmarks) if marked else reference_px(size_px)
    return Scene(path.name, gray.astype(np.float32), alignment.inverse, landmarks, size_px)


def generated_scene(size_px: int) -> Scene:
    """Noise of many scales, twice as fine as the crop."""
    random = np.random.default_rng(0)
    side = 2 * size_px
    texture = np.full((side, side), 128.0)
    for sd in (2.0, 4.0, 8.0, 16.0):
        wave = cv2.GaussianBlur(random.normal(0, 1, (side, side)), (0, 0), sd * side / 256)
        texture += 4 * np.sqrt(sd) * wave / wave.std()
    matrix = np.array([[2, 0, 0.5], [0, 2, 0.5]], np.float64)
    return Scene("generated", texture.astype(np.float32), matrix, reference_px(size_px), size_px)


def opencv_dis(preset: int) -> Callable[[Gray], Callable[[Gray], Flow]]:
    """DIS of a preset against a reference."""

    def make(reference: Gray) -> Callable[[Gray], Flow]:
        dis = cv2.DISOpticalFlow.create(preset)
        return lambda frame: dis.calc(reference, frame, None)

    return make


def opencv_farneback(reference: Gray) -> Callable[[Gray], Flow]:
    """Farneback with the parameters of OpenCV's example."""
    return lambda frame: cv2.calcOpticalFlowFarneback(reference, frame, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def ours(reference: Gray) -> Callable[[Gray], Flow]:
    """The estimator without a known movement of the head."""
    return FlowEstimator(reference).flow


def ours_with_head(landmarks_px: npt.NDArray[np.float32]) -> Callable[[Gray], Callable[[Gray], Flow]]:
    """The estimator after the head's movement was found in an equal frame before."""

    def make(reference: Gray) -> Callable[[Gray], Flow]:
        estimator = FlowEstimator(reference)
        meter = RegionMeter(estimator.size_px, landmarks_px, noise_px=estimator.noise_px())
        return lambda frame: estimator.flow(frame, meter.head_motion(estimator.flow(frame)))

    return make


def accuracy(scene: Scene, make: Callable[[Gray], Callable[[Gray], Flow]], noise: float) -> dict[str, object]:
    """Mean endpoint errors in pixels of the crop."""
    unit = scene.size_px / 128
    steps = np.arange(scene.size_px, dtype=np.float64)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1)
    find = make(scene.crop(None, 0, noise))

    def error(field: Field | None, where: npt.NDArray[np.bool_], seed: int) -> float:
        found = find(scene.crop(field, seed, noise, gain=1.01))
        truth = field(grid) if field else 0
        return float(np.linalg.norm(found - truth, axis=-1)[where].mean())

    def shift(length_px: float) -> Field:
        return lambda points: np.broadcast_to(length_px * np.array([0.8, 0.6]), points.shape)

    def spot(landmark: int, length_px: float) -> tuple[Field, npt.NDArray[np.bool_]]:
        middle, reach = scene.landmarks_px[landmark].astype(np.float64), SPOT_SHARE * scene.size_px

        def field(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            fall = np.exp(-((points - middle) ** 2).sum(axis=-1) / (2 * reach**2))
            return fall[..., None] * (length_px * np.array([-0.6, -0.8]))

        return field, np.linalg.norm(grid - middle, axis=-1) < reach

    return {
        "still_px": round(error(None, scene.face, 1), 3),
        "shift_px": {str(length): round(error(shift(unit * length), scene.face, 2), 3) for length in LENGTHS_PX},
        "local_px": {
            str(length): round(
                statistics.mean(error(*spot(landmark, unit * length), 3) for landmark in SPOTS.values()), 3
            )
            for length in LENGTHS_PX
        },
    }


def costs_ms(ways: dict[str, Callable[[Gray], object]], frames: list[Gray]) -> dict[str, list[float]]:
    """Processor time per frame of each way, in every round."""
    per_round: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            run(frames[0])
            before_s = time.thread_time()
            for index in range(FRAMES_PER_ROUND):
                run(frames[index % len(frames)])
            per_round[name].append((time.thread_time() - before_s) / FRAMES_PER_ROUND * 1e3)
    return per_round


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--video", type=Path, default=None)
    parser.add_argument("--size", type=int, default=FLOW_SIZE_PX)
    parser.add_argument("--noise", type=float, default=1.0)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    scene = scene_of_video(asked.video, asked.size) if asked.video else generated_scene(asked.size)
    ways = {
        "flow": ours,
        "flow_with_head": ours_with_head(scene.landmarks_px),
        "dis_ultrafast": opencv_dis(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
        "dis_fast": opencv_dis(cv2.DISOPTICAL_FLOW_PRESET_FAST),
        "dis_medium": opencv_dis(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
        "farneback": opencv_farneback,
    }
    reference = scene.crop(None, 0, asked.noise)
    # A head that drifts slowly, as it does in front of the camera.
    drift = [lambda points, step=step: np.broadcast_to([0.02 * step, 0.01 * step], points.shape) for step in range(20)]
    frames = [scene.crop(field, 10 + step, asked.noise) for step, field in enumerate(drift)]
    timed: dict[str, Callable[[Gray], object]] = {"face_motion": FaceMotion(reference, scene.landmarks_px).measure}
    timed |= {name: make(reference) for name, make in ways.items() if name != "flow_with_head"}
    costs = costs_ms(timed, frames)
    print(
        json.dumps(
            {
                "benchmark": "motion",
                "source": scene.name,
                "size_px": asked.size,
                "noise_sd": asked.noise,
                "cpu_ms": {name: round(statistics.median(rounds), 3) for name, rounds in costs.items()},
                "cpu_ms_best": {name: round(min(rounds), 3) for name, rounds in costs.items()},
                "accuracy": {name: accuracy(scene, make, asked.noise) for name, make in ways.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
