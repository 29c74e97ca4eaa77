"""How a model is trained, as one checked document: the paper's recipe, and others, as presets and TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expression.clip_input import ClipChannels, ClipRecipe
from expression.errors import BadInput
from expression.paper import MODEL_SETUPS, ModelName, Setting
from expression.sampling import SamplingMethod
from training.catalogue import PAPER_NETWORKS, PARAMETERS, LossName

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]


class Augmentation(BaseModel):
    """How training clips are changed, differently in every epoch; all zero is not at all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flip: bool = False
    """Mirror every other clip: left units become right ones, the emotion stays."""
    shift: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    """Up to this share of the side, as where another finder puts the face."""
    zoom: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    """Larger or smaller by up to this share."""
    turn_deg: Annotated[float, Field(ge=0, le=30)] = 0.0
    gain: Annotated[float, Field(ge=0, le=0.8)] = 0.0
    """Brightness, or strength of movement, times 1 - gain to 1 + gain."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of what is added, in units of the network's input."""
    key_frames: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Standard deviation of how far onset, apex and offset are moved, as a share of the expression's length: what a
    spotter gets wrong."""
    frames_lost: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of frames that are replaced by the one before."""


class Recipe(BaseModel):
    """Everything that a trained model follows from, besides its data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "i3d"
    """A key of `training.catalogue.PARAMETERS`."""
    width: Annotated[float, Field(gt=0, le=2)] = 1.0
    """Factor on I3D's channels."""
    frames: Annotated[int, Field(ge=4, le=64)] = 16
    size_px: Annotated[int, Field(ge=16, le=512)] = 224
    crop_px: Annotated[int, Field(ge=32, le=512)] = 224
    channels: ClipChannels = "rgb"
    """The grey frame three times, as published networks take it."""
    sampling: SamplingMethod = "adaptive-halves"
    scale: Annotated[float, Field(gt=0)] = 0.25
    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    learning_rate: Annotated[float, Field(gt=0)] = 0.005
    schedule: Literal["step", "cosine"] = "step"
    step_epochs: Annotated[int, Field(ge=1)] = 10
    """The learning rate is divided by ten after so many epochs."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_gradient: Annotated[float, Field(ge=0)] = 0.0
    """Largest norm of the gradient; 0 leaves it as it is."""
    batch: Annotated[int, Field(ge=1)] = 32
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Batches whose gradients are added up before a step, where memory is short: batch / accumulate clips at a time."""
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 30
    """The paper does not say how many it had."""
    loss: LossName = "cross-entropy"
    beta: Annotated[float, Field(gt=0, lt=1)] = 0.999
    gamma: Annotated[float, Field(ge=0)] = 2.0
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    resample: bool = False
    """Draw every class with equal probability."""
    adjust_priors: bool = False
    """Add a share of the classes' log frequency to the outputs, chosen on the validation samples by UF1: for models
    that were trained on classes drawn alike."""
    norm_momentum: Annotated[float, Field(gt=0, le=1)] | None = None
    """Weight of the newest batch in what batch normalisation remembers; None is the network's own, 0.01 in I3D, which
    takes hundreds of steps to settle."""
    precision: Precision = "32-true"
    compile: bool = False
    seed: int = 0
    augment: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.model not in PARAMETERS:
            raise ValueError(f"there is no model {self.model!r}: give one of {', '.join(PARAMETERS)}")
        if self.width != 1 and self.model != "i3d":
            raise ValueError(f"{self.model} comes in its published width alone: leave width at 1")
        if self.batch % self.accumulate:
            raise ValueError(f"a batch of {self.batch} cannot be parted into {self.accumulate} equal ones")
        if self.channels.startswith("flow") and self.crop_px % 16:
            raise ValueError(f"flow needs a crop_px that is a multiple of 16, not {self.crop_px}")
        if self.model.startswith("p3d") and self.frames < 16:
            raise ValueError(f"{self.model} halves time four times: it needs 16 frames, not {self.frames}")
        if self.model.startswith("d3d") and (self.frames < 16 or self.size_px < 32):
            raise ValueError(f"{self.model} halves time four times and sides five times: give 16 frames of 32 pixels")
        return self

    @property
    def clip(self) -> ClipRecipe:
        """What the network sees."""
        return ClipRecipe(
            frames=self.frames,
            size_px=self.size_px,
            crop_px=self.crop_px,
            channels=self.channels,
            sampling=self.sampling,
            scale=self.scale,
        )

    def changed(self, **values: Any) -> Recipe:
        """This recipe with other values; None leaves one as it is.

        Raises:
            BadInput: A value makes no sense.
        """
        return recipe_of(self.model_dump() | {name: value for name, value in values.items() if value is not None})


def recipe_of(content: dict[str, Any], source: str = "the recipe") -> Recipe:
    """Check a document.

    Raises:
        BadInput: It does not fit; names the key.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{source}: {f'{where}: ' if where else ''}{message}") from error


def paper_recipe(model: ModelName, setting: Setting = "baseline", *, network: str | None = None) -> Recipe:
    """A cell of the paper's tables.

    Args:
        model: The paper's name of the model.
        setting: What was varied.
        network: Another depth of it than `PAPER_NETWORKS` has.
    """
    setup = MODEL_SETUPS[model]
    return recipe_of(
        {
            "model": network or PAPER_NETWORKS[model],
            "size_px": setup.input_px,
            "crop_px": setup.input_px,
            "learning_rate": setup.learning_rate,
            "resample": setting == "class-resampling",
            "loss": "class-balanced" if setting == "class-balanced-loss" else "cross-entropy",
            "sampling": "uniform" if setting == "uniform-key-frames" else "adaptive-halves",
        }
    )


_SMALL: Final[dict[str, Any]] = {
    "model": "i3d",
    "width": 0.25,
    "size_px": 64,
    "crop_px": 128,
    "channels": "flow",
    "scale": 1.0,
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "schedule": "cosine",
    "weight_decay": 0.05,
    "clip_gradient": 5.0,
    "epochs": 16,
    "smoothing": 0.05,
    "norm_momentum": 0.1,
    "resample": True,
    "adjust_priors": True,
    "augment": {
        "flip": True,
        "shift": 0.04,
        "zoom": 0.06,
        "turn_deg": 4.0,
        "gain": 0.25,
        "noise": 0.05,
        "key_frames": 0.06,
        "frames_lost": 0.05,
    },
}

PRESETS: Final[dict[str, Recipe]] = {
    **{f"paper-{name.lower()}": paper_recipe(name) for name in MODEL_SETUPS},
    "small": recipe_of(_SMALL),
}
"""`paper-i3d` and so on: the paper's baselines. `small`: flow at 64 pixels, an I3D of quarter width, for processors."""


def load_recipe(name: str) -> Recipe:
    """A preset by its name, or a TOML file; `preset = "small"` in a file names what the rest of it changes.

    Raises:
        BadInput: There is neither, or the file does not fit.
    """
    if name in PRESETS:
        return PRESETS[name]
    path = Path(name)
    if path.suffix != ".toml":
        raise BadInput(f"no recipe is called {name!r}: give {', '.join(PRESETS)}, or a TOML file")
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise BadInput(f"there is no recipe {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    base = content.pop("preset", None)
    if base is not None and base not in PRESETS:
        raise BadInput(f"{path}: no preset is called {base!r}: give {', '.join(PRESETS)}")
    start = PRESETS[base].model_dump() if base is not None else {}
    if "augment" in content and "augment" in start and isinstance(content["augment"], dict):
        content["augment"] = start["augment"] | content["augment"]
    return recipe_of(start | content, str(path))
