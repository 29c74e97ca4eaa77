"""The simulated camera: a GenTL producer of our own, its frame banks, and the stamps in its pixels."""
