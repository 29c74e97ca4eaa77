"""Face finders from ONNX files: a detector in the manner of RetinaFace, and on top of it landmarks in that of SAN.

What such a file has to take and give is said in the docstrings of `DetectorFile` and `LandmarkFile`, and in
docs/face.md.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from expression.errors import BadInput
from expression.face.alignment import Alignment
from expression.face.detect import Box, Closing, Face, Picture, checked, ranked
from expression.face.onnx_network import Floats, Network, Runtime, load
from expression.face.reference import Points, Scheme

_CENTRE_VARIANCE: Final = 0.1
_SIZE_VARIANCE: Final = 0.2
_PEAK_RADIUS: Final = 2
"""A landmark is the centre of gravity of its heat this many cells around the hottest one."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path
    """The ONNX file; relative to the TOML file that names it."""
    channels: Literal[1, 3] = 3
    """Channels of the input. The grey picture is repeated in each."""
    mean: tuple[float, ...] = (0.0,)
    """Subtracted from the grey values (0 to 255), one value per channel or one for all, ..."""
    scale: float = 1.0
    """... and the difference multiplied by this."""

    @field_validator("mean")
    @classmethod
    def _one_or_each(cls, mean: tuple[float, ...]) -> tuple[float, ...]:
        if len(mean) not in {1, 3}:
            raise ValueError("one value, or one for each of three channels")
        return mean

    def blob(self, image: npt.NDArray[np.uint8]) -> Floats:
        """The input (1, channels, height, width) float32 for a grey picture."""
        grey = image.astype(np.float32)
        means = (self.mean * 3)[: self.channels] if len(self.mean) == 1 else self.mean[: self.channels]
        return np.stack([(grey - mean) * self.scale for mean in means])[None].astype(np.float32)


class DetectorFile(_File):
    """A detector with RetinaFace's outputs (Deng et al. 2020), as they leave the network.

    Input: (1, channels, height_px, width_px) float32; the picture is shrunk to fit, its rest filled with the mean.
    Outputs, known by their last dimension, A anchors each, in any order: offsets of boxes (1, A, 4); background and
    face (1, A, 2), as logits or probabilities; offsets of right eye, left eye, nose and mouth corners (1, A, 10).
    Anchors run row by row through each stride's cells, with the sizes of `anchors_px` in each cell.
    """

    mean: tuple[float, ...] = (104.0, 117.0, 123.0)
    width_px: int = Field(640, ge=16)
    height_px: int = Field(480, ge=16)
    strides_px: tuple[int, ...] = (8, 16, 32)
    anchors_px: tuple[tuple[float, ...], ...] = ((16, 32), (64, 128), (256, 512))
    """Sizes of the square anchors, for each stride."""
    least_score: float = Field(0.6, ge=0, le=1)
    most_overlap: float = Field(0.4, ge=0, le=1)
    """Of two boxes whose intersection over union is greater, the less sure one is dropped."""


class LandmarkFile(_File):
    """A landmark network in the manner of SAN (Dong et al. 2018), run on the box of each face.

    Input: (1, channels, size_px, size_px) float32, a square around the box. Output, the file's first: `heatmaps` of
    (1, K, h, w) or (1, K + 1, h, w) with the background last; or `coordinates` (1, K, 2) or (1, 2 K), x and y as
    shares of the input's side. K is 68, in the order of `dlib68`, or 478, in that of `mediapipe478`.
    """

    scheme: Scheme = Scheme.DLIB
    kind: Literal["heatmaps", "coordinates"] = "heatmaps"
    size_px: int = Field(256, ge=16)
    margin: float = Field(0.2, ge=0, le=1)
    """Room on each side of the box, as a share of its longer side."""


class OnnxSettings(BaseModel):
    """An ONNX plug-in, as its TOML file describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: DetectorFile
    landmarks: LandmarkFile | None = None
    """None: the detector's two eye points are all that is used of its five."""
    runtime: Runtime = "auto"


class OnnxFinder(Closing):
    """Finds faces with networks that the laboratory plugs in."""

    def __init__(self, settings: OnnxSettings, *, reason: str = "") -> None:
        """Load the networks.

        Raises:
            BadInput: A file is missing or is no ONNX file that can be run.
        """
        self._settings = settings
        self.scheme = settings.landmarks.scheme if settings.landmarks else Scheme.EYES
        self._detector: Network | None = load(settings.detector.file, settings.runtime)
        self._landmarks = load(settings.landmarks.file, settings.runtime) if settings.landmarks else None
        files = [part.file.name for part in (settings.detector, settings.landmarks) if part]
        self.reason = reason or f"face: {' and '.join(files)}, {self.scheme.value} ({self._detector.runtime})"
        self._anchors = anchors(settings.detector)

    @classmethod
    def from_file(cls, path: Path) -> OnnxFinder:
        """Load a plug-in from its TOML file, or an ONNX detector with the TOML file beside it, if there is one.

        Raises:
            BadInput: A file is missing or cannot be used; names the file and the key.
        """
        described = path.with_suffix(".toml")
        try:
            if path.suffix == ".onnx" and not described.exists():
                return cls(OnnxSettings(detector=DetectorFile(file=path)))
            table = tomllib.loads(described.read_text(encoding="utf-8"))
            settings = OnnxSettings.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise BadInput(f"{described}: {key}: {first['msg']}") from error
        except (OSError, ValueError) as error:
            raise BadInput(f"{described} cannot be read: {error}") from error
        folder = described.parent
        detector = settings.detector.model_copy(update={"file": folder / settings.detector.file})
        marks = settings.landmarks and settings.landmarks.model_copy(update={"file": folder / settings.landmarks.file})
        return cls(settings.model_copy(update={"detector": detector, "landmarks": marks}))

    def find(self, image: Picture) -> tuple[Face, ...]:
        """See `FaceFinder.find`.

        Raises:
            PictureUnusable: `image` is not uint8 of (height, width).
            BadInput: A network's outputs are not what the contract says.
            RuntimeError: The finder was closed.
        """
        if self._detector is None:
            raise RuntimeError("the finder was closed")
        described = self._settings.detector
        shape = checked(image).shape
        scale = min(described.width_px / shape[1], described.height_px / shape[0])
        size = max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
        shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        blob = np.zeros((1, described.channels, described.height_px, described.width_px), np.float32)
        blob[:, :, : size[1], : size[0]] = described.blob(np.asarray(shrunk, np.uint8))
        boxes, scores, eyes = self._decoded(self._detector.run(blob))
        sure = scores >= described.least_score
        boxes, scores, eyes = boxes[sure] / scale, scores[sure], eyes[sure] / scale - 0.5
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), described.least_score, described.most_overlap)
        faces = []
        for index in np.asarray(kept, int).ravel():
            x, y, width, height = (float(value) for value in boxes[index])
            box, score = Box(x - 0.5, y - 0.5, width, height), float(scores[index])
            marks = eyes[index].astype(np.float32) if self._landmarks is None else self._marks(image, box)
            faces.append(Face(box, marks, self.scheme, score=score))
        return ranked(faces, shape)

    def close(self) -> None:
        """Let go of the networks."""
        self._detector = self._landmarks = None

    def _decoded(self, outputs: list[Floats]) -> tuple[Floats, Floats, Floats]:
        """Boxes (A, 4; x, y, width, height), scores (A,) and eyes (A, 2, 2), in input pixels from its corner."""
        count = len(self._anchors)
        parts = {
            output.shape[-1]: output[0] for output in outputs if output.shape in {(1, count, n) for n in (4, 2, 10)}
        }
        if set(parts) != {4, 2, 10}:
            wanted = ", ".join(str((1, count, n)) for n in (4, 2, 10))
            given = ", ".join(str(output.shape) for output in outputs)
            raise BadInput(f"{self._settings.detector.file} gives {given} where {wanted} are needed; see docs/face.md")
        centre, side = self._anchors[:, :2], self._anchors[:, 2:]
        middle = centre + parts[4][:, :2] * _CENTRE_VARIANCE * side
        extent = side * np.exp(parts[4][:, 2:] * _SIZE_VARIANCE)
        eyes = centre[:, None] + parts[10].reshape(count, 5, 2)[:, :2] * _CENTRE_VARIANCE * side[:, None]
        return np.hstack([middle - extent / 2, extent]), _probability(parts[2]), eyes

    def _marks(self, image: Picture, box: Box) -> Points:
        """Landmarks (K, 2) in pixels of the picture."""
        described = self._settings.landmarks
        if described is None or self._landmarks is None:
            raise RuntimeError("the finder has no landmark network")
        scale = described.size_px / (max(box.width, box.height) * (1 + 2 * described.margin))
        shift = (described.size_px - 1) / 2 - scale * np.array(box.centre)
        window = Alignment(
            np.column_stack([np.eye(2) * scale, shift]),
            described.size_px,
            (image.shape[0], image.shape[1]),
            self.scheme,
        )
        output = self._landmarks.run(described.blob(window.apply(image)))[0]
        count = self.scheme.size
        if described.kind == "heatmaps" and output.ndim == 4 and output.shape[1] in {count, count + 1}:
            share = peaks(output[0, :count])
        elif described.kind == "coordinates" and output.size == 2 * count:
            share = output.reshape(count, 2)
        else:
            raise BadInput(
                f"{described.file} gives {output.shape}, which are no {described.kind} of "
                f"{count} landmarks; see docs/face.md"
            )
        return window.to_source((share * described.size_px - 0.5).astype(np.float32))


def anchors(described: DetectorFile) -> Floats:
    """Anchors of a detector in its own order.

    Returns:
        (A, 4) centre x, y, width, height in pixels of the input, counted from its corner.
    """
    rows: list[tuple[float, ...]] = []
    for stride, sides in zip(described.strides_px, described.anchors_px, strict=True):
        cells = itertools.product(
            range(math.ceil(described.height_px / stride)), range(math.ceil(described.width_px / stride)), sides
        )
        rows.extend(((column + 0.5) * stride, (row + 0.5) * stride, side, side) for row, column, side in cells)
    return np.array(rows, np.float32)


def peaks(heat: Floats) -> Points:
    """Where each heat map (K, h, w) is hottest, between the cells, as shares of its sides (K, 2)."""
    count, height, width = heat.shape
    found = np.empty((count, 2), np.float32)
    for index, plane in enumerate(heat):
        row, column = np.unravel_index(int(plane.argmax()), plane.shape)
        top, left = max(0, int(row) - _PEAK_RADIUS), max(0, int(column) - _PEAK_RADIUS)
        part = plane[top : int(row) + _PEAK_RADIUS + 1, left : int(column) + _PEAK_RADIUS + 1]
        weight = np.maximum(part - part.min(), 0).astype(np.float64)
        weight = weight / weight.sum() if weight.sum() > 0 else np.full(part.shape, 1 / part.size)
        found[index, 0] = (weight.sum(0) @ (np.arange(part.shape[1]) + left + 0.5)) / width
        found[index, 1] = (weight.sum(1) @ (np.arange(part.shape[0]) + top + 0.5)) / height
    return found


def _probability(confidence: Floats) -> Floats:
    if confidence.min() >= 0 and np.allclose(confidence.sum(1), 1, atol=1e-3):
        return confidence[:, 1]
    return np.asarray(1 / (1 + np.exp(confidence[:, 0] - confidence[:, 1])), np.float32)
