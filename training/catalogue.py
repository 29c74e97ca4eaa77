"""Names and sizes of networks and losses, for whoever needs no more than that: without torch."""

from __future__ import annotations

from typing import Final, Literal

from expression.paper import ModelName

LossName = Literal["cross-entropy", "class-balanced", "focal", "class-balanced-focal"]
"""Losses; the class-balanced ones have weights (1 - b) / (1 - b^n), the focal ones count hard samples more."""

PARAMETERS: Final = {
    "i3d": 12_294_439,
    "r3d-18": 33_207_495,
    "r3d-34": 63_517_127,
    "r3d-50": 46_213_319,
    "p3d-63": 24_939_975,
    "p3d-131": 47_283_143,
    "p3d-199": 65_686_983,
    "d3d-121": 11_293_703,
}
"""Parameters of each network with seven classes and three channels, as the public implementations have them."""

PAPER_NETWORKS: Final[dict[ModelName, str]] = {"R3D": "r3d-18", "P3D": "p3d-63", "D3D": "d3d-121", "I3D": "i3d"}
"""Which network stands for the paper's model; the paper does not say which depth it had."""
