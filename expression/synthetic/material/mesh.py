"""The shipped face material: geometry, regions and morph targets that every simulated participant is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from expression.errors import UnknownTarget
from expression.synthetic.material.subdivision import Subdivision, refine

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Material:
    """The shipped geometry: all parts in one vertex array, and morph targets on it."""

    vertices: Floats
    """(B, 3) cm; x to the participant's left, y up, z forward."""
    quads: dict[str, Ints]
    """Faces (Q, 4) by part: body, left and right eye, upper and lower teeth, tongue, left and right lashes."""
    mirror: Ints
    """(B,) the vertex on the other half of the face."""
    regions: dict[str, Floats]
    """(B,) weights 0 to 1 of painted regions."""
    targets: dict[str, tuple[Ints, Floats]]
    """Moved vertices (n,) and displacements (n, 3) cm by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all targets."""
        return tuple(self.targets)

    def target(self, name: str) -> Floats:
        """(B, 3) displacement in cm; raises `UnknownTarget`."""
        if name not in self.targets:
            raise UnknownTarget(f"no morph target {name!r}: see Material.names")
        dense = np.zeros_like(self.vertices)
        index, step = self.targets[name]
        dense[index] = step
        return dense

    def region(self, name: str) -> Floats:
        """(B,) weight 0 to 1 of a painted region; raises `UnknownTarget`."""
        if name not in self.regions:
            raise UnknownTarget(f"no region {name!r}: there are {', '.join(self.regions)}")
        return self.regions[name]


@lru_cache(maxsize=1)
def load_material() -> Material:
    """The shipped material (read once)."""
    path = files("expression.synthetic.material") / "face.npz"
    with path.open("rb") as stream, np.load(stream) as stored:
        starts = stored["target_starts"]
        indices = stored["target_indices"].astype(np.int32)
        steps = stored["target_steps"]
        targets = {}
        for number, (name, scale) in enumerate(zip(stored["target_names"], stored["target_scales"], strict=True)):
            part = slice(starts[number], starts[number + 1])
            targets[str(name)] = (indices[part], (steps[part] * scale).astype(np.float32))
        labels = stored["quad_parts"]
        quads = stored["quads"].astype(np.int32)
        return Material(
            vertices=stored["vertices"],
            quads={str(name): quads[labels == label] for label, name in enumerate(stored["parts"])},
            mirror=stored["mirror"].astype(np.int32),
            regions={
                str(name): row.astype(np.float32) / 255
                for name, row in zip(stored["region_names"], stored["regions"], strict=True)
            },
            targets=targets,
        )


@lru_cache(maxsize=1)
def skin_subdivision() -> Subdivision:
    """The body's skin, refined twice (computed once)."""
    material = load_material()
    quads = material.quads["body"]
    first, quads = refine(quads, len(material.vertices))
    second, quads = refine(quads, len(first.starts))
    return Subdivision((first, second), quads)
