"""Who a simulated participant is: everything that tells one from another, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from expression.synthetic.shape_space import draw_shape

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


def sample_identity(seed: int) -> Identity:
    """The participant of this number.

    Sex alternates; of each dozen seeds four have each main ancestry (as many women as men) and two wear glasses, in a
    shuffled order, so that any long run of seeds is balanced. All else is drawn from the seed.
    """
    draw = np.random.default_rng(np.random.SeedSequence([20230105, seed]))
    is_male = seed % 2 == 0
    main, wears_glasses = _turn(seed)
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
        shape=draw_shape(draw, is_male),
        skin=_skin(draw, ancestry, age, is_male),
        hair=_hair(draw, ancestry, age, is_male),
        eyes=_eyes(draw, ancestry, is_male),
        glasses=_glasses(draw, wears_glasses),
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


def _turn(seed: int) -> tuple[str, bool]:
    """Main ancestry, and whether they wear glasses."""
    dozen, place = divmod(seed, 12)
    shuffle = np.random.default_rng([20230105, 1, dozen])
    of_men, of_women = shuffle.permutation(6) % 3, shuffle.permutation(6) % 3
    wearers = (2 * int(shuffle.integers(6)), 2 * int(shuffle.integers(6)) + 1)
    return ANCESTRIES[int((of_men if place % 2 == 0 else of_women)[place // 2])], place in wearers


def _ancestry(draw: np.random.Generator, main: str) -> dict[str, float]:
    own = float(draw.beta(8, 1.1))
    rest = draw.dirichlet([1, 1]) * (1 - own)
    others = [name for name in ANCESTRIES if name != main]
    return {main: own, others[0]: float(rest[0]), others[1]: float(rest[1])}


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
    albedo = float(draw.choice([0.03, 0.05, 0.09, 0.14, 0.21], p=[0.15, 0.3, 0.3, 0.15, 0.1])) if fair else 0.03
    albedo *= float(draw.uniform(0.85, 1.2))
    styles: list[HairStyle]
    if is_male:
        styles = (
            ["bald", "buzz", "buzz", "curly"]
            if african
            else ["short", "short", "side part", "side part", "fringe", "buzz", "short", "curly"]
        )
    else:
        styles = (
            ["curly", "curly", "tied", "tied", "long"]
            if african
            else ["long", "long parted", "long parted", "tied", "tied", "bob", "bob", "fringe", "long"]
        )
    style = styles[int(draw.integers(len(styles)))]
    if is_male and not african and age > 26 and draw.random() < 0.2:
        style = "bald"
    beards: list[BeardStyle] = ["none", "none", "none", "stubble", "stubble", "stubble", "goatee", "full", "full"]
    beard = beards[int(draw.integers(len(beards)))] if is_male and age > 18.5 else "none"
    if style == "curly":
        curl = float(draw.uniform(0.8, 1.0) if african else draw.uniform(0.4, 0.7))
    elif style in ("long", "long parted", "bob") and not african:
        curl = float(draw.beta(0.9, 1.4))
    else:
        curl = float(draw.uniform(0.6, 0.9) if african else draw.uniform(0, 0.25))
    return Hair(
        style=style,
        albedo=albedo,
        curl=curl,
        length_cm=float(draw.uniform(0.75, 1.25)),
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
    iris = float(draw.choice([0.05, 0.08, 0.12, 0.16], p=[0.3, 0.2, 0.25, 0.25]) if fair else draw.uniform(0.03, 0.06))
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
    height = width * float(
        {"round": 0.92, "oval": 0.72, "square": 0.72, "wide": 0.62}[shape] * draw.uniform(0.95, 1.05)
    )
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
        background=float(np.exp(draw.uniform(np.log(0.05), np.log(0.62)))),
        background_tilt=(float(draw.normal(0, 0.06)), float(draw.normal(0, 0.05))),
    )
