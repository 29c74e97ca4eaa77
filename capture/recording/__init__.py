"""Recordings on disk: the Zarr v3 layout, the writer, the reader, and what checks, repairs, cuts and packs them."""
