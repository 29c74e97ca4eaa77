"""`python -m expression.face`: shows what the face finder and the alignment make of a picture or video."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
import typer

from expression.errors import BadInput, ExpressionError, FaceNotFound, FaceUnusable
from expression.face.alignment import Alignment, align
from expression.face.detect import FaceFinder, Picture
from expression.face.finders import best_finder
from expression.face.overlay import overlay
from expression.face.procrustes import Kind

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class KindName(Enum):
    """What `--kind` takes."""

    SIMILARITY = "similarity"
    AFFINE = "affine"


def read_frame(path: Path, number: int) -> Picture:
    """A frame of a picture or video file in grey.

    Args:
        path: Any picture that OpenCV reads, or any video that PyAV reads.
        number: Which frame, from 0; a picture has only one.

    Returns:
        (height, width) uint8.

    Raises:
        BadInput: There is no such file or frame, or it is no picture.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is not None and number == 0:
        return np.asarray(picture, np.uint8)
    count = 0 if picture is None else 1
    if picture is None:
        try:
            with av.open(str(path)) as container:
                # FFmpeg takes any text for a terminal's pictures.
                if not container.streams.video or container.format.name == "tty":
                    raise BadInput(f"{path} holds no pictures")
                for frame in container.decode(video=0):
                    if count == number:
                        return np.ascontiguousarray(frame.to_ndarray(format="gray"), np.uint8)
                    count += 1
        except av.FFmpegError as error:
            if count == 0:
                raise BadInput(
                    f"{path} is neither a picture nor a video that can be read ({error.strerror})"
                ) from error
    raise BadInput(f"{path} has {count} frames, so there is no frame {number}; they count from 0")


@app.command(epilog="Example:  python -m expression.face participant.mp4 --frame 120 --out overlay.png")
def show(
    source: Annotated[
        Path, typer.Argument(metavar="PICTURE|VIDEO", help="Where the face is looked for.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="Write the drawing here (.png or .jpg).", show_default=False)] = None,
    frame: Annotated[int, typer.Option(min=0, help="Which frame of a video is the onset frame, from 0.")] = 0,
    finder: Annotated[str, typer.Option(help="Face finder: auto, mediapipe, cascades, or an ONNX plug-in.")] = "auto",
    kind: Annotated[KindName, typer.Option(help="What the transform may do.")] = KindName.SIMILARITY,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Show which face finder is used, what it finds, and the crop that a clip with this onset frame would get.

    Drawn are the landmarks (green: stable ones, red: stable ones that were left out, yellow: regions), the outline of
    the crop, and the crop itself with crosses where the reference face has the stable landmarks.
    """
    if out is not None and out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise BadInput(f"--out {out}: the name has to end in .png or .jpg")
    image = read_frame(source, frame)
    with best_finder(finder) as found:
        typer.echo(found.reason, err=True)
        figures = _look(found, image, "affine" if kind is KindName.AFFINE else "similarity", out)
    typer.echo(json.dumps(figures) if as_json else "\n".join(f"{key}: {value}" for key, value in figures.items()))


def _look(finder: FaceFinder, image: Picture, kind: Kind, out: Path | None) -> dict[str, object]:
    faces = finder.find(image)
    if not faces:
        raise FaceNotFound("no face in the frame; check that it is complete, bright and turned to the camera")
    face, pose = faces[0], faces[0].pose
    alignment: Alignment | None = None
    problem = None
    try:
        alignment = align(face, image, kind=kind)
    except (FaceUnusable, ValueError) as error:
        problem = str(error)
    if out is not None and not cv2.imwrite(str(out), overlay(image, face, alignment)):
        raise BadInput(f"{out} cannot be written; does its folder exist?")
    return {
        "faces": len(faces),
        "scheme": face.scheme.value,
        "guessed": face.guessed,
        "eye_distance_px": round(face.eye_distance_px, 1),
        "pose_deg": [round(angle, 1) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)] if pose else None,
        "scale": round(alignment.scale, 4) if alignment else None,
        "residual_px": round(alignment.residual_px, 2) if alignment else None,
        "left_out": list(alignment.rejected) if alignment else None,
        "problem": problem,
    }


def main() -> None:
    """Run the command; errors of ours are one line on stderr."""
    try:
        app(prog_name="python -m expression.face")
    except ExpressionError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
