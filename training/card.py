"""The card of a model: what it was trained on, how good it is, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from expression.emotions import BASIC_EMOTIONS
from training.calibrate import Calibration
from training.recipe import Recipe


@dataclass(frozen=True)
class CardFacts:
    """What the recipe does not say."""

    data: str
    """What it was trained on, in a sentence."""
    subjects: tuple[str, ...]
    """Participants in training and validation."""
    samples: Mapping[str, int]
    """How many for what: `training`, `validation`, `test`."""
    simulated: bool
    licence: str
    per_emotion: Mapping[str, int] = field(default_factory=dict)
    """Samples of each emotion in training and validation."""
    best_epoch: int | None = None
    """From 1."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """On test subjects."""
    remarks: tuple[str, ...] = ()


_SIMULATED = """> **SIMULATED.** This model was trained on rendered faces of people who do not exist, and on expressions
> drawn from published tables. It shows that the way from camera to readout works. What it says about real faces has
> not been measured, and must not be used to judge anybody.
"""
_USE = """It names one of seven emotions for a spotted micro-expression, as a help for coders and experimenters. It
does not know what a person feels: the same units occur with several emotions, and trained people are right in about
half of all cases. It is not made for decisions about people, nor for faces or lighting unlike those it was trained on.
"""


def model_card(
    name: str,
    recipe: Recipe,
    facts: CardFacts,
    calibration: Calibration | None,
    sizes: Mapping[str, int],
    int8_agreement: float | None,
) -> str:
    """Markdown."""
    clip = recipe.clip
    lines = [f"# {name}", ""]
    if facts.simulated:
        lines += [_SIMULATED]
    lines += [
        "## What it is",
        "",
        f"{recipe.model}"
        + (f" of width {recipe.width:g}" if recipe.width != 1 else "")
        + f", {clip.channel_count} x {clip.frames} x {clip.size_px} x {clip.size_px} ({recipe.channels}, key-frames"
        f" {recipe.sampling}). Classes: {', '.join(emotion.value for emotion in BASIC_EMOTIONS)}.",
        "",
        "| file | bytes |",
        "|---|---|",
        *(f"| {file} | {size:,} |" for file, size in sizes.items()),
        "",
        "## Data",
        "",
        f"{facts.data}. {len(facts.subjects)} subjects in training and validation; no test subject among them.",
        "",
        "| part | samples |",
        "|---|---|",
        *(f"| {part} | {count} |" for part, count in facts.samples.items()),
        "",
    ]
    if facts.per_emotion:
        counts = ", ".join(f"{emotion} {count}" for emotion, count in facts.per_emotion.items() if count)
        unseen = [emotion for emotion, count in facts.per_emotion.items() if not count]
        lines += [f"In training and validation: {counts}.", ""]
        if unseen:
            lines += [f"**Never seen: {', '.join(unseen)}.** What it says of these means nothing.", ""]
    if facts.best_epoch is not None:
        lines += [f"Trained for {recipe.epochs} epochs; the validation subjects chose number {facts.best_epoch}.", ""]
    if facts.metrics:
        lines += ["## On test subjects", "", "| | |", "|---|---|"]
        lines += [f"| {metric} | {value:.4f} |" for metric, value in facts.metrics.items()]
        lines.append("")
    if calibration is not None:
        lines += [
            "## Probabilities",
            "",
            f"Temperature {calibration.temperature:.3f}, chosen on validation subjects: expected calibration error"
            f" {calibration.error:.3f} before, {calibration.error_after:.3f} after. Below a probability of"
            f" {calibration.unsure_below:.2f} it says `not sure`; {calibration.answered:.0%} of the validation samples"
            f" get an answer, and {calibration.accuracy_answered:.0%} of these are right.",
            "",
        ]
    if int8_agreement is not None:
        lines += [
            f"The INT8 network names the same class as the trained one for {int8_agreement:.1%} of its samples.",
            "",
        ]
    lines += ["## Use", "", _USE]
    for remark in facts.remarks:
        lines += [remark, ""]
    lines += ["## Licence", "", facts.licence or "Not stated: ask who trained it.", ""]
    return "\n".join(lines)
