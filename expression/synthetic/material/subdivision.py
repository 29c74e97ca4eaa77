"""Smooth refinement of quad meshes, as a sparse matrix that carries displacements along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class SparseRows:
    """A sparse matrix in compressed rows; every row has at least one entry."""

    starts: Ints
    columns: Ints
    weights: Floats

    @classmethod
    def from_entries(cls, rows: npt.ArrayLike, columns: npt.ArrayLike, weights: npt.ArrayLike) -> SparseRows:
        """The matrix with these entries; entries of the same place are added up."""
        row = np.asarray(rows, np.int64)
        column = np.asarray(columns, np.int64)
        key = row * (int(column.max()) + 1) + column
        order = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[order], prepend=-1))
        summed = np.add.reduceat(np.asarray(weights, np.float64)[order], first)
        row = row[order][first]
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        return cls(starts.astype(np.int32), column[order][first].astype(np.int32), summed.astype(np.float32))

    def apply(self, values: Floats) -> Floats:
        """The product with (columns,) or (columns, k) values."""
        if values.ndim == 1:
            return np.asarray(np.add.reduceat(values[self.columns] * self.weights, self.starts), np.float32)
        # Column by column is twice as fast as all at once.
        columns = [self.apply(np.ascontiguousarray(values[:, k])) for k in range(values.shape[1])]
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Subdivision:
    """How a fine mesh's vertices follow from the base vertices (Catmull-Clark 1978), level by level."""

    levels: tuple[SparseRows, ...]
    quads: Ints
    """(Q, 4) vertex numbers of the fine mesh."""

    def apply(self, values: Floats) -> Floats:
        """Carries (B,) or (B, k) values on base vertices to the (V, k) vertices of the fine mesh."""
        for level in self.levels:
            values = level.apply(values)
        return values

    @property
    def triangles(self) -> Ints:
        """(2 Q, 3) vertex numbers."""
        return triangles_of(self.quads)


def triangles_of(quads: Ints) -> Ints:
    """(2 Q, 3) triangles of (Q, 4) quads."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


def refine(quads: Ints, count: int) -> tuple[SparseRows, Ints]:
    """One step of Catmull-Clark: rows over the old vertices, and the new quads. Unused vertices come out unchanged."""
    faces = len(quads)
    ends = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2).astype(np.int64)
    key = ends.min(1) * count + ends.max(1)
    unique, number = np.unique(key, return_inverse=True)
    edges = len(unique)
    edge_ends = np.stack([unique // count, unique % count], axis=1)
    sides = np.bincount(number, minlength=edges)
    border_edge = sides == 1
    on_border = np.zeros(count, bool)
    on_border[edge_ends[border_edge]] = True
    valence = np.bincount(quads.ravel(), minlength=count)
    inner = (valence > 0) & ~on_border

    rows, columns, weights = [], [], []

    def add(row: npt.ArrayLike, column: npt.ArrayLike, weight: npt.ArrayLike) -> None:
        row, column, weight = np.broadcast_arrays(row, column, weight)
        rows.append(row.ravel())
        columns.append(column.ravel())
        weights.append(weight.ravel().astype(np.float64))

    face_row = count + edges + np.arange(faces)
    add(face_row[:, None], quads, 0.25)
    edge_row = count + np.arange(edges)
    add(edge_row[:, None], edge_ends, np.where(border_edge, 0.5, 0.25)[:, None])
    of_face = np.repeat(np.arange(faces), 4)
    shared = ~border_edge[number]
    add((count + number[shared])[:, None], quads[of_face[shared]], 1 / 16)
    # Inner vertices: (F + 2 R + (n - 3) P) / n, with F and R the means of face points and edge midpoints around them.
    n = np.maximum(valence, 1).astype(np.float64)
    vertex = np.arange(count)
    add(vertex[inner], vertex[inner], ((n - 3) / n)[inner])
    add(vertex[~inner & ~on_border], vertex[~inner & ~on_border], 1.0)
    corner = quads.ravel()
    chosen = inner[corner]
    add(corner[chosen][:, None], quads[of_face[chosen]], (0.25 / n**2)[corner[chosen]][:, None])
    both = np.concatenate([edge_ends, edge_ends[:, ::-1]])
    chosen = inner[both[:, 0]]
    add(both[chosen][:, :1], both[chosen], (1 / n**2)[both[chosen][:, 0]][:, None])
    # Border vertices: the cubic B-spline of the border.
    add(vertex[on_border], vertex[on_border], 0.75)
    both = np.concatenate([edge_ends[border_edge], edge_ends[border_edge][:, ::-1]])
    share = 0.25 / np.maximum(np.bincount(both[:, 0], minlength=count), 1)
    add(both[:, 0], both[:, 1], share[both[:, 0]])

    before = number.reshape(-1, 4)
    edge_of = count + before
    fine = np.stack([quads, edge_of, np.broadcast_to(face_row[:, None], quads.shape), np.roll(edge_of, 1, 1)], axis=-1)
    matrix = SparseRows.from_entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(weights))
    return matrix, fine.reshape(-1, 4).astype(np.int32)
