"""Makes `face.npz` from a folder of MPFB assets: head, neck and shoulders of the base mesh, and the targets we use.

Run by hand when the selection changes: `python -m expression.synthetic.material.build ASSETS`, where ASSETS holds
`3dobjs/`, `targets/`, `textures/` and `mesh_metadata/` of the MPFB add-on's data, release 2 (CC0 1.0).
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CM_PER_UNIT = 10.0  # the assets are in decimetres
LOWEST = 4.35
WIDEST = 2.45
PARTS = {
    "body": ["body"],
    "left eye": ["helper-l-eye"],
    "right eye": ["helper-r-eye"],
    "upper teeth": ["helper-upper-teeth"],
    "lower teeth": ["helper-lower-teeth"],
    "tongue": ["helper-tongue"],
    "left lashes": ["helper-l-eyelashes-1", "helper-l-eyelashes-2"],
    "right lashes": ["helper-r-eyelashes-1", "helper-r-eyelashes-2"],
}
LOCAL = ["head", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "mouth", "neck", "nose"]
REGIONS = {"lips": "lips", "eyelids": "eyelids", "ears": "ears", "mouth_inside": "inside-mouth", "face": "face"}
SMALLEST = 2e-4  # units (0.02 mm); smaller displacements are left out


def read_obj(path: Path) -> tuple[Floats, Floats, dict[str, list[list[tuple[int, int]]]]]:
    """Vertices, texture coordinates and faces ((vertex, texture) pairs) by group."""
    vertices, textures = [], []
    groups: dict[str, list[list[tuple[int, int]]]] = {}
    group = ""
    for line in path.read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values])
        elif kind == "vt":
            textures.append([float(value) for value in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            corners = [value.split("/") for value in values]
            groups.setdefault(group, []).append([(int(corner[0]) - 1, int(corner[1]) - 1) for corner in corners])
    return np.array(vertices), np.array(textures), groups


def read_target(path: Path, count: int) -> Floats:
    """Displacements (count, 3) of one target file."""
    dense = np.zeros((count, 3))
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        values = line.split()
        if len(values) == 4 and not line.startswith("#") and int(values[0]) < count:
            dense[int(values[0])] = [float(value) for value in values[1:]]
    return dense


def target_files(folder: Path) -> dict[str, Path]:
    """The targets we use, by the name we give them."""
    files = {}
    for name in LOCAL:
        for path in sorted((folder / name).glob("*.target.gz")):
            files[f"{name}/{path.name.removesuffix('.target.gz')}"] = path
    for path in sorted((folder / "macrodetails").glob("*.target.gz")):
        stem = path.name.removesuffix(".target.gz")
        if "baby" in stem or "child" in stem or ("old" in stem and "muscle" in stem and "averagemuscle" not in stem):
            continue
        files[f"macro/{stem}"] = path
    for path in sorted((folder / "expression" / "units").glob("*/*.target.gz")):
        files[f"expression/{path.parent.name}/{path.name.removesuffix('.target.gz')}"] = path
    for path in sorted((folder / "asym").glob("asym-*.target.gz")):
        files[f"asym/{path.name.removesuffix('.target.gz')}"] = path
    return files


def region_weights(
    assets: Path, order: npt.NDArray[np.intp], textures: Floats, corner_uv: dict[int, list[int]]
) -> npt.NDArray[np.uint8]:
    """Painted regions (R, B) of the chosen vertices, from the texture masks."""
    regions = np.zeros((len(REGIONS), len(order)), np.uint8)
    for row, file in enumerate(REGIONS.values()):
        mask = cv2.imread(str(assets / "textures" / f"mpfb_{file}.jpg"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise SystemExit(f"no texture mpfb_{file}.jpg in {assets}")
        for column, chosen in enumerate(order):
            uv = textures[sorted(set(corner_uv[int(chosen)]))]
            x = np.clip(uv[:, 0] * mask.shape[1], 0, mask.shape[1] - 1).astype(int)
            y = np.clip((1 - uv[:, 1]) * mask.shape[0], 0, mask.shape[0] - 1).astype(int)
            regions[row, column] = mask[y, x].max()
    return regions


def main(assets: Path) -> None:
    """Write face.npz beside this file."""
    vertices, textures, groups = read_obj(assets / "3dobjs" / "base.obj")
    quads, labels = [], []
    used = np.zeros(len(vertices), bool)
    for label, names in enumerate(PARTS.values()):
        for name in names:
            for face in groups[name]:
                numbers = [vertex for vertex, _ in face]
                middle = vertices[numbers].mean(0)
                if label == 0 and (middle[1] < LOWEST or abs(middle[0]) > WIDEST):
                    continue
                quads.append(numbers)
                labels.append(label)
                used[numbers] = True
    order = np.flatnonzero(used)
    renumber = np.full(len(vertices), -1)
    renumber[order] = np.arange(len(order))

    mirror = np.arange(len(order))
    for line in (assets / "mesh_metadata" / "hm08.mirror").read_text().splitlines():
        a, b = (int(value) for value in line.split()[:2])
        if used[a] and used[b]:
            mirror[renumber[a]], mirror[renumber[b]] = renumber[b], renumber[a]

    corner_uv: dict[int, list[int]] = {}
    for faces in groups.values():
        for face in faces:
            for vertex, texture in face:
                corner_uv.setdefault(vertex, []).append(texture)
    regions = region_weights(assets, order, textures, corner_uv)

    names, starts, indices, steps, scales = [], [0], [], [], []
    for name, path in target_files(assets / "targets").items():
        dense = read_target(path, len(vertices))[order]
        moved = np.flatnonzero(np.abs(dense).max(1) > SMALLEST)
        if not len(moved):
            continue
        scale = np.abs(dense).max() / 32767
        names.append(name)
        indices.append(moved.astype(np.uint16))
        steps.append(np.round(dense[moved] / scale).astype(np.int16))
        scales.append(scale * CM_PER_UNIT)
        starts.append(starts[-1] + len(moved))
    out = Path(__file__).parent / "face.npz"
    np.savez_compressed(
        out,
        vertices=(vertices[order] * CM_PER_UNIT).astype(np.float32),
        quads=renumber[np.array(quads)].astype(np.uint16),
        quad_parts=np.array(labels, np.uint8),
        parts=np.array(list(PARTS)),
        mirror=mirror.astype(np.uint16),
        region_names=np.array(list(REGIONS)),
        regions=regions,
        target_names=np.array(names),
        target_starts=np.array(starts, np.int32),
        target_indices=np.concatenate(indices),
        target_steps=np.concatenate(steps),
        target_scales=np.array(scales, np.float32),
    )
    report = (
        f"{out}: {out.stat().st_size / 1e6:.2f} MB, {len(order)} vertices, {len(quads)} quads, {len(names)} targets"
    )
    sys.stdout.write(report + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
