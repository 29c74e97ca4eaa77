"""The shipped face geometry (CC0 1.0, see LICENSE): base mesh, regions, morph targets, and how the mesh is refined."""

from expression.synthetic.material.mesh import Material, load_material, skin_subdivision
from expression.synthetic.material.subdivision import SparseRows, Subdivision, triangles_of

__all__ = ["Material", "SparseRows", "Subdivision", "load_material", "skin_subdivision", "triangles_of"]
