"""Who a simulated participant is: everything that tells one from another, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

HairStyle = Literal["bald", "buzz", "short", "side part", "fringe", "curly", "long", "long parted", "tied", "bob"]
BeardStyle = Literal["none", "stubble", "moustache", "goatee", "full"]
NeckLine = Literal["crew", "v", "scoop", "collar", "hood", "turtle"]
Frame = Literal["round", "oval", "square", "wide"]

ANCESTRIES: Final = ("african", "asian", "caucasian")


@dataclass(frozen=True)
class Skin:
    """Skin as a monochrome camera sees it."""

    albedo: float
    """Share of light that plain cheek skin returns, 0.1 (very dark) to 0.65 (very fair)."""
    ruddiness: float
    """How much darker blood makes lips, nose, cheeks and ears, 0 to 1."""
    freckles: float
    """0 (none) to 1 (covered)."""
    moles: int
    pores: float
    """Depth of pores and fine creases, 0 to 1."""
    oil: float
    """Strength of the shine, 0 to 1."""
    blotches: float
    """Unevenness of the tone, 0 to 1."""
    circles: float
    """Darkness under the eyes, 0 to 1."""
    lines: float
    """Static lines of age: nasolabial, forehead, under the eyes, 0 to 1."""


@dataclass(frozen=True)
class Hair:
    """Scalp hair, brows and beard."""

    style: HairStyle
    albedo: float
    """0.02 (black) to 0.5 (very fair)."""
    curl: float
    """0 (straight) to 1 (tight curls)."""
    length_cm: float
    line_cm: float
    """How far the hair line lies above (positive) or below its usual place."""
    recession: float
    """Receding at the temples, 0 to 1."""
    parting: float
    """Side of the parting: -1 the participant's right, 0 the middle, 1 their left."""
    brow_density: float
    brow_height: float
    """Thickness of the brows, 1 is usual."""
    beard: BeardStyle
    beard_density: float


@dataclass(frozen=True)
class Eyes:
    """Irises, lashes."""

    iris: float
    """Brightness of the iris, 0.03 (dark brown) to 0.25 (light blue)."""
    ring: float
    """Darkness of the limbus, 0 to 1."""
    pupil_mm: float
    lashes: float
    """Length and darkness of the lashes, 0 to 1."""


@dataclass(frozen=True)
class Glasses:
    """A pair of glasses."""

    shape: Frame
    width_cm: float
    """Of one lens."""
    height_cm: float
    rim_mm: float
    albedo: float
    half_rim: bool


@dataclass(frozen=True)
class Clothing:
    """What shows of the clothes."""

    neck_line: NeckLine
    albedo: float
    pattern: Literal["plain", "stripes", "heather"]
    drop_cm: float
    """How low the neck line lies."""


@dataclass(frozen=True)
class LightSetup:
    """Three lamps with umbrellas, and the room."""

    azimuth_deg: tuple[float, float, float]
    """Towards the participant's left."""
    elevation_deg: tuple[float, float, float]
    power: tuple[float, float, float]
    softness: float
    """Angular radius of an umbrella as seen from the face, in radians."""
    ambient: float
    background: float
    """Grey of the wall, 0 to 1 of full scale."""
    background_tilt: tuple[float, float]
    """Change of the wall's grey across the picture, to the right and down."""


@dataclass(frozen=True)
class Framing:
    """Where the operator put the camera."""

    distance_cm: float
    face_height: float
    """From chin to hair line, as a part of the picture's height."""
    offset_px: tuple[float, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True)
class Identity:
    """One simulated participant. Same seed, same person."""

    seed: int
    male: float
    """0 (female) to 1 (male): the weight of the male shape."""
    age: float
    ancestry: dict[str, float]
    """Weights of `ANCESTRIES`; they sum to 1."""
    weight: float
    """Body weight, -1 (slight) to 1 (heavy)."""
    muscle: float
    shape: dict[str, float] = field(repr=False)
    """Weights of local morph targets by name."""
    skin: Skin
    hair: Hair
    eyes: Eyes
    glasses: Glasses | None
    clothing: Clothing
    light: LightSetup
    framing: Framing

    @property
    def sex(self) -> Literal["female", "male"]:
        """As a participants table says it."""
        return "male" if self.male > 0.5 else "female"


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
    ("eyes/{}-eye-height2-decr", "eyes/{}-eye-height2-incr", 0.3),
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
_OUTLINES: Final = ("oval", "round", "rectangular", "square", "triangular", "invertedtriangular", "diamond")


def sample_identity(seed: int) -> Identity:
    """The participant of this number.

    Sex alternates, and ancestry and glasses go round in fixed turns, so that any run of seeds is balanced; all else is
    drawn from the seed.
    """
    draw = np.random.default_rng(np.random.SeedSequence([20230105, seed]))
    is_male = seed % 2 == 0
    main = _ancestry_turn(seed)
    ancestry = _ancestry(draw, main)
    age = float(np.clip(17 + draw.gamma(2.2, 3.4), 17, 40))
    male = float(np.clip(draw.normal(0.93 if is_male else 0.07, 0.05), 0, 1))
    weight = float(np.clip(draw.normal(0, 0.4), -1, 1))
    return Identity(
        seed=seed,
        male=male,
        age=age,
        ancestry=ancestry,
        weight=weight,
        muscle=float(np.clip(draw.normal(0, 0.4), -1, 1)),
        shape=_shape(draw),
        skin=_skin(draw, ancestry, age, is_male),
        hair=_hair(draw, ancestry, age, is_male),
        eyes=_eyes(draw, ancestry, is_male),
        glasses=_glasses(draw, (seed * 5) % 6 == 2 or (seed % 30 == 11)),
        clothing=_clothing(draw),
        light=_light(draw),
        framing=Framing(
            distance_cm=float(draw.uniform(110, 170)),
            face_height=float(draw.uniform(0.53, 0.57)),
            offset_px=(float(draw.normal(0, 10)), float(draw.normal(0, 6))),
            yaw_deg=float(draw.normal(0, 1.6)),
            pitch_deg=float(draw.normal(0, 1.6)),
            roll_deg=float(draw.normal(0, 1.2)),
        ),
    )


def _ancestry_turn(seed: int) -> str:
    return ("asian", "asian", "caucasian", "caucasian", "african", "african")[seed % 6]


def _ancestry(draw: np.random.Generator, main: str) -> dict[str, float]:
    own = float(draw.beta(5, 1.2))
    rest = draw.dirichlet([1, 1]) * (1 - own)
    others = [name for name in ANCESTRIES if name != main]
    return {main: own, others[0]: float(rest[0]), others[1]: float(rest[1])}


def _spread(draw: np.random.Generator, spread: float) -> float:
    # The targets at full weight are caricatures: half of the tabled spread looks like a crowd.
    return float(0.52 * spread * np.clip(draw.normal(), -2, 2))


def _shape(draw: np.random.Generator) -> dict[str, float]:
    shape: dict[str, float] = {}

    def put(negative: str, positive: str, value: float) -> None:
        shape[positive if value > 0 else negative] = abs(value)

    for negative, positive, spread in _PAIRS:
        put(negative, positive, _spread(draw, spread))
    for negative, positive, spread in _SIDED:
        value = _spread(draw, spread)
        for side in "lr":
            put(negative.format(side), positive.format(side), value + float(draw.normal(0, 0.12 * spread)))
    for name, amount in zip(draw.permutation(_OUTLINES)[:2], draw.dirichlet([1, 1]), strict=True):
        shape[f"head/head-{name}"] = float(amount * draw.uniform(0.1, 0.4))
    for name in ("brown-1", "cheek-1", "eye-1", "eye-2", "jaw-1", "mouth-1", "nose-1", "nose-2", "temple-1"):
        value = draw.normal(0, 0.12)
        shape[f"asym/asym-{name}-{'l' if value > 0 else 'r'}"] = float(abs(value))
    return shape


def _skin(draw: np.random.Generator, ancestry: dict[str, float], age: float, is_male: bool) -> Skin:
    tone = 0.42 * ancestry["caucasian"] + 0.36 * ancestry["asian"] + 0.13 * ancestry["african"]
    albedo = float(np.clip(tone * np.exp(draw.normal(0, 0.14)), 0.08, 0.56))
    fair = ancestry["caucasian"] > 0.5
    return Skin(
        albedo=albedo,
        ruddiness=float(draw.uniform(0.3, 1.0) if fair else draw.uniform(0.2, 0.7)),
        freckles=float(draw.uniform(0.3, 1) if fair and draw.random() < 0.4 else draw.uniform(0, 0.12)),
        moles=int(draw.poisson(4)),
        pores=float(draw.uniform(0.35, 1.0) if is_male else draw.uniform(0.2, 0.7)),
        oil=float(draw.uniform(0.25, 1.0)),
        blotches=float(draw.uniform(0.3, 1)),
        circles=float(draw.beta(2, 3)),
        lines=float(np.clip((age - 18) / 24 + draw.normal(0, 0.1), 0, 1)),
    )


def _hair(draw: np.random.Generator, ancestry: dict[str, float], age: float, is_male: bool) -> Hair:
    african = ancestry["african"] > 0.5
    fair = ancestry["caucasian"] > 0.5
    albedo = float(draw.choice([0.035, 0.06, 0.12, 0.22, 0.34], p=[0.1, 0.3, 0.3, 0.2, 0.1])) if fair else 0.03
    albedo *= float(draw.uniform(0.85, 1.2))
    styles: list[HairStyle]
    if is_male:
        styles = ["bald", "buzz", "buzz", "curly"] if african else ["short", "short", "side part", "side part", "fringe", "buzz", "curly"]
    else:
        styles = ["curly", "tied", "tied", "buzz", "long"] if african else ["long", "long parted", "long parted", "tied", "bob", "fringe", "curly"]
    style = styles[int(draw.integers(len(styles)))]
    if is_male and not african and age > 26 and draw.random() < 0.2:
        style = "bald"
    beards: list[BeardStyle] = ["none", "none", "none", "stubble", "stubble", "stubble", "goatee", "full", "moustache"]
    beard = beards[int(draw.integers(len(beards)))] if is_male and age > 18.5 else "none"
    if style == "curly":
        curl = float(draw.uniform(0.8, 1.0) if african else draw.uniform(0.4, 0.7))
    else:
        curl = float(draw.uniform(0.6, 0.9) if african else draw.uniform(0, 0.25))
    return Hair(
        style=style,
        albedo=albedo,
        curl=curl,
        length_cm=float(draw.uniform(0.85, 1.2)),
        line_cm=float(draw.normal(0, 0.35)),
        recession=float(draw.beta(1.5, 4) if is_male else 0.1 * draw.random()),
        parting=float(draw.choice([-1, 1]) * draw.uniform(0.3, 1)),
        brow_density=float(draw.uniform(0.6, 1.0)),
        brow_height=float(draw.uniform(0.9, 1.3) if is_male else draw.uniform(0.65, 1.0)),
        beard=beard,
        beard_density=float(draw.uniform(0.5, 1)),
    )


def _eyes(draw: np.random.Generator, ancestry: dict[str, float], is_male: bool) -> Eyes:
    fair = ancestry["caucasian"] > 0.5
    iris = float(draw.choice([0.06, 0.1, 0.15, 0.2], p=[0.3, 0.2, 0.25, 0.25]) if fair else draw.uniform(0.03, 0.06))
    return Eyes(
        iris=iris * float(draw.uniform(0.85, 1.15)),
        ring=float(draw.uniform(0.4, 1)),
        pupil_mm=float(draw.uniform(2.6, 3.8)),
        lashes=float(draw.uniform(0.25, 0.55) if is_male else draw.uniform(0.5, 1.0)),
    )


def _glasses(draw: np.random.Generator, wears: bool) -> Glasses | None:
    shapes: list[Frame] = ["round", "oval", "square", "wide"]
    shape = shapes[int(draw.integers(4))]
    width = float(draw.uniform(4.7, 5.3))
    height = width * float({"round": 0.92, "oval": 0.72, "square": 0.72, "wide": 0.62}[shape] * draw.uniform(0.95, 1.05))
    thin = draw.random() < 0.5
    rim = float(draw.uniform(0.9, 1.4) if thin else draw.uniform(2.2, 4.2))
    albedo = float(draw.choice([0.03, 0.08, 0.3]))
    half = bool(draw.random() < 0.25)
    return Glasses(shape, width, height, rim, albedo, half and thin) if wears else None


def _clothing(draw: np.random.Generator) -> Clothing:
    necks: list[NeckLine] = ["crew", "crew", "crew", "v", "scoop", "collar", "hood", "turtle"]
    patterns: list[Literal["plain", "stripes", "heather"]] = ["plain", "plain", "heather", "stripes"]
    return Clothing(
        neck_line=necks[int(draw.integers(len(necks)))],
        albedo=float(np.exp(draw.uniform(np.log(0.03), np.log(0.6)))),
        pattern=patterns[int(draw.integers(len(patterns)))],
        drop_cm=float(draw.uniform(-0.4, 0.8)),
    )


def _light(draw: np.random.Generator) -> LightSetup:
    return LightSetup(
        azimuth_deg=(float(draw.normal(38, 7)), float(draw.normal(-38, 7)), float(draw.normal(0, 6))),
        elevation_deg=(float(draw.normal(22, 6)), float(draw.normal(22, 6)), float(draw.normal(42, 6))),
        power=(float(draw.uniform(0.5, 1.25)), float(draw.uniform(0.5, 1.25)), float(draw.uniform(0.3, 0.9))),
        softness=float(draw.uniform(0.18, 0.32)),
        ambient=float(draw.uniform(0.14, 0.26)),
        background=float(draw.uniform(0.18, 0.62)),
        background_tilt=(float(draw.normal(0, 0.06)), float(draw.normal(0, 0.05))),
    )
