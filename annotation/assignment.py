"""Who codes which clip, and in what order: balanced, random per coder, with hidden repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_FEWEST_FOR_REPEATS: Final = 10
"""With fewer clips a coder would know the repeated one."""


@dataclass(frozen=True)
class Piece:
    """One piece of a coder's work."""

    target: int
    """Clip or recording."""
    repeat: bool = False
    """The second time that this coder gets it."""


def deal(
    targets: Sequence[int], coders: Sequence[int], per_target: int, *, repeat_share: float = 0.0, seed: int = 0
) -> dict[int, list[Piece]]:
    """Deal every target to `per_target` coders, so that all have the same number or one more.

    Args:
        targets: Clips or recordings.
        coders: Who can code; at least `per_target`.
        per_target: Coders of each target.
        repeat_share: Share of a coder's targets that come a second time, in the later half, of those that came in
            the earlier half; none where a coder has fewer than ten.
        seed: The same seed deals the same.

    Returns:
        By coder, their work in their own random order.

    Raises:
        ValueError: There are fewer coders than needed.
    """
    if len(coders) < per_target:
        raise ValueError(f"{len(coders)} coders cannot code each clip {per_target} times")
    generator = np.random.default_rng(seed)
    load = dict.fromkeys(coders, 0)
    own: dict[int, list[int]] = {coder: [] for coder in coders}
    for index in generator.permutation(len(targets)):
        # The least busy ones; chance decides among equals.
        chance = dict(zip(coders, generator.random(len(coders)), strict=True))
        for coder in sorted(coders, key=lambda who: (load[who], chance[who]))[:per_target]:
            own[coder].append(targets[index])
            load[coder] += 1
    return {coder: _in_order(dealt, repeat_share, generator) for coder, dealt in own.items()}


def _in_order(targets: list[int], repeat_share: float, generator: np.random.Generator) -> list[Piece]:
    order = [Piece(targets[index]) for index in generator.permutation(len(targets))]
    repeats = round(repeat_share * len(order)) if len(order) >= _FEWEST_FOR_REPEATS else 0
    if not repeats:
        return order
    half = len(order) // 2
    again = generator.choice(half, size=min(repeats, half), replace=False)
    for index in again:
        # Behind the middle, and the later the later the first one came.
        place = int(generator.integers(half + 1 + int(index) // 2, len(order) + 1))
        order.insert(place, Piece(order[index].target, repeat=True))
    return order
