"""How faces differ in shape: which morph targets vary among people, and by how much."""

from __future__ import annotations

from typing import Final

import numpy as np

# Pairs of opposite targets (negative, positive) and the spread of their weight among people.
_PAIRS: Final = (
    ("head/head-scale-horiz-decr", "head/head-scale-horiz-incr", 0.25),
    ("head/head-scale-vert-decr", "head/head-scale-vert-incr", 0.2),
    ("head/head-scale-depth-decr", "head/head-scale-depth-incr", 0.2),
    ("head/head-fat-decr", "head/head-fat-incr", 0.22),
    ("forehead/forehead-scale-vert-decr", "forehead/forehead-scale-vert-incr", 0.3),
    ("forehead/forehead-temple-decr", "forehead/forehead-temple-incr", 0.35),
    ("forehead/forehead-nubian-decr", "forehead/forehead-nubian-incr", 0.25),
    ("eyebrows/eyebrows-trans-down", "eyebrows/eyebrows-trans-up", 0.3),
    ("eyebrows/eyebrows-angle-down", "eyebrows/eyebrows-angle-up", 0.3),
    ("eyebrows/eyebrows-trans-backward", "eyebrows/eyebrows-trans-forward", 0.3),
    ("nose/nose-scale-horiz-decr", "nose/nose-scale-horiz-incr", 0.3),
    ("nose/nose-scale-vert-decr", "nose/nose-scale-vert-incr", 0.3),
    ("nose/nose-scale-depth-decr", "nose/nose-scale-depth-incr", 0.3),
    ("nose/nose-width1-decr", "nose/nose-width1-incr", 0.4),
    ("nose/nose-width2-decr", "nose/nose-width2-incr", 0.35),
    ("nose/nose-width3-decr", "nose/nose-width3-incr", 0.35),
    ("nose/nose-hump-decr", "nose/nose-hump-incr", 0.35),
    ("nose/nose-point-down", "nose/nose-point-up", 0.35),
    ("nose/nose-point-width-decr", "nose/nose-point-width-incr", 0.4),
    ("nose/nose-base-down", "nose/nose-base-up", 0.3),
    ("nose/nose-volume-decr", "nose/nose-volume-incr", 0.3),
    ("nose/nose-nostrils-width-decr", "nose/nose-nostrils-width-incr", 0.3),
    ("nose/nose-curve-concave", "nose/nose-curve-convex", 0.3),
    ("nose/nose-flaring-decr", "nose/nose-flaring-incr", 0.25),
    ("nose/nose-trans-down", "nose/nose-trans-up", 0.2),
    ("mouth/mouth-scale-horiz-decr", "mouth/mouth-scale-horiz-incr", 0.35),
    ("mouth/mouth-scale-vert-decr", "mouth/mouth-scale-vert-incr", 0.2),
    ("mouth/mouth-trans-down", "mouth/mouth-trans-up", 0.22),
    ("mouth/mouth-angles-down", "mouth/mouth-angles-up", 0.2),
    ("mouth/mouth-upperlip-height-decr", "mouth/mouth-upperlip-height-incr", 0.35),
    ("mouth/mouth-lowerlip-height-decr", "mouth/mouth-lowerlip-height-incr", 0.35),
    ("mouth/mouth-upperlip-volume-decr", "mouth/mouth-upperlip-volume-incr", 0.35),
    ("mouth/mouth-lowerlip-volume-decr", "mouth/mouth-lowerlip-volume-incr", 0.35),
    ("mouth/mouth-cupidsbow-decr", "mouth/mouth-cupidsbow-incr", 0.4),
    ("mouth/mouth-cupidsbow-width-decr", "mouth/mouth-cupidsbow-width-incr", 0.35),
    ("mouth/mouth-philtrum-volume-decr", "mouth/mouth-philtrum-volume-incr", 0.3),
    ("mouth/mouth-laugh-lines-in", "mouth/mouth-laugh-lines-out", 0.25),
    ("mouth/mouth-dimples-in", "mouth/mouth-dimples-out", 0.2),
    ("chin/chin-width-decr", "chin/chin-width-incr", 0.35),
    ("chin/chin-height-decr", "chin/chin-height-incr", 0.3),
    ("chin/chin-prominent-decr", "chin/chin-prominent-incr", 0.3),
    ("chin/chin-bones-decr", "chin/chin-bones-incr", 0.35),
    ("chin/chin-prognathism-decr", "chin/chin-prognathism-incr", 0.2),
    ("neck/neck-scale-horiz-decr", "neck/neck-scale-horiz-incr", 0.25),
    ("neck/neck-scale-vert-decr", "neck/neck-scale-vert-incr", 0.2),
    ("neck/neck-double-decr", "neck/neck-double-incr", 0.2),
)
# The same on both halves of the face, with a little difference between them.
_SIDED: Final = (
    ("eyes/{}-eye-scale-decr", "eyes/{}-eye-scale-incr", 0.3),
    ("eyes/{}-eye-height1-decr", "eyes/{}-eye-height1-incr", 0.25),
    ("eyes/{}-eye-height2-decr", "eyes/{}-eye-height2-incr", 0.2),
    ("eyes/{}-eye-height3-decr", "eyes/{}-eye-height3-incr", 0.25),
    ("eyes/{}-eye-corner1-down", "eyes/{}-eye-corner1-up", 0.3),
    ("eyes/{}-eye-corner2-down", "eyes/{}-eye-corner2-up", 0.35),
    ("eyes/{}-eye-trans-in", "eyes/{}-eye-trans-out", 0.25),
    ("eyes/{}-eye-trans-down", "eyes/{}-eye-trans-up", 0.15),
    ("eyes/{}-eye-bag-decr", "eyes/{}-eye-bag-incr", 0.3),
    ("eyes/{}-eye-eyefold-angle-down", "eyes/{}-eye-eyefold-angle-up", 0.35),
    ("eyes/{}-eye-eyefold-down", "eyes/{}-eye-eyefold-up", 0.35),
    ("eyes/{}-eye-eyefold-concave", "eyes/{}-eye-eyefold-convex", 0.35),
    ("eyes/{}-eye-push1-in", "eyes/{}-eye-push1-out", 0.2),
    ("cheek/{}-cheek-bones-decr", "cheek/{}-cheek-bones-incr", 0.4),
    ("cheek/{}-cheek-inner-decr", "cheek/{}-cheek-inner-incr", 0.3),
    ("cheek/{}-cheek-volume-decr", "cheek/{}-cheek-volume-incr", 0.35),
    ("ears/{}-ear-scale-decr", "ears/{}-ear-scale-incr", 0.3),
    ("ears/{}-ear-wing-decr", "ears/{}-ear-wing-incr", 0.35),
    ("ears/{}-ear-lobe-decr", "ears/{}-ear-lobe-incr", 0.4),
    ("ears/{}-ear-rot-backward", "ears/{}-ear-rot-forward", 0.25),
    ("ears/{}-ear-flap-decr", "ears/{}-ear-flap-incr", 0.3),
)
_LEAN: Final = {
    "nose/nose-volume-incr": -0.22,
    "nose/nose-scale-horiz-incr": -0.15,
    "nose/nose-scale-depth-incr": -0.12,
    "nose/nose-hump-incr": -0.2,
    "nose/nose-point-up": 0.15,
    "chin/chin-width-incr": -0.3,
    "chin/chin-bones-incr": -0.3,
    "chin/chin-height-incr": -0.15,
    "mouth/mouth-upperlip-height-incr": 0.12,
    "mouth/mouth-lowerlip-volume-incr": 0.12,
    "eyebrows/eyebrows-trans-up": 0.25,
    "eyebrows/eyebrows-trans-forward": -0.35,
    "neck/neck-scale-horiz-incr": -0.2,
    "eyes/{}-eye-scale-incr": 0.2,
    "cheek/{}-cheek-bones-incr": 0.15,
}
"""How women's faces lean from the middle of both sexes, beyond the shapes by sex; men's half as much the other way."""
_OPEN: Final = {"eyes/{}-eye-height2-incr": 0.22, "eyes/{}-eye-height1-incr": 0.1, "eyes/{}-eye-height3-incr": 0.1}
"""The shapes leave the lids a little lower than people who look at a screen hold them."""
_SOFT_OUTLINES: Final = ("oval", "round", "triangular", "invertedtriangular", "diamond")
_OUTLINES: Final = ("oval", "round", "rectangular", "square", "triangular", "invertedtriangular", "diamond")


def _spread(draw: np.random.Generator, spread: float) -> float:
    # The targets at full weight are caricatures: half of the tabled spread looks like a crowd.
    return float(0.52 * spread * np.clip(draw.normal(), -2, 2))


def draw_shape(draw: np.random.Generator, is_male: bool) -> dict[str, float]:
    """Weights of morph targets by name for one face; halves of the face differ a little."""
    shape: dict[str, float] = {}

    def put(negative: str, positive: str, value: float) -> None:
        shape[positive if value > 0 else negative] = abs(value)

    for negative, positive, spread in _PAIRS:
        lean = _LEAN.get(positive, 0.0)
        put(negative, positive, _spread(draw, spread) + (-0.5 * lean if is_male else lean))
    for negative, positive, spread in _SIDED:
        lean = _LEAN.get(positive, 0.0)
        value = _spread(draw, spread) + (-0.2 * lean if is_male else lean) + _OPEN.get(positive, 0.0)
        for side in "lr":
            put(negative.format(side), positive.format(side), value + float(draw.normal(0, 0.12 * spread)))
    for name, amount in zip(
        draw.permutation(_OUTLINES if is_male else _SOFT_OUTLINES)[:2], draw.dirichlet([1, 1]), strict=True
    ):
        shape[f"head/head-{name}"] = float(amount * draw.uniform(0.1, 0.4))
    for name in ("brown-1", "cheek-1", "eye-1", "eye-2", "jaw-1", "mouth-1", "nose-1", "nose-2", "temple-1"):
        value = draw.normal(0, 0.12)
        shape[f"asym/asym-{name}-{'l' if value > 0 else 'r'}"] = float(abs(value))
    return shape
