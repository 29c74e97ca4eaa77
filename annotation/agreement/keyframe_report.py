"""Agreement on key-frames: whether there is an expression, how far the marks spread, and each coder's habits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from annotation.agreement.coded import CodedClip, by_coder, coders_of
from annotation.agreement.measures import (
    fleiss_kappa,
    fleiss_kappa_interval,
    icc_agreement,
    icc_one_way,
    krippendorff_alpha,
)
from annotation.agreement.tables import cells, figure, median, number, share
from annotation.api_models import KeyFrameAnswer
from annotation.lead_models import Cell, Figure, FigureTable
from annotation.rules import key_frames_of

Mark = Literal["onset", "apex", "offset"]
MARKS: Final[tuple[Mark, ...]] = ("onset", "apex", "offset")
WITHIN: Final = (1, 2, 5)
"""Frames from the median of all within which marks are counted."""
Clip = CodedClip[KeyFrameAnswer]
Floats = npt.NDArray[np.float64]


def keyframe_figures(clips: Sequence[Clip], draws: int) -> list[Figure]:
    """Figures of one round.

    Args:
        clips: Of the round.
        draws: Of the bootstrap.
    """
    presence = presence_counts(clips)
    durations = {mark: _durations(clips, mark) for mark in ("apex", "offset")}
    same = _same_coders(clips)
    icc, name = (icc_agreement, "ICC(A,1)") if same else (icc_one_way, "ICC(1,1)")
    key = "icc_a1" if same else "icc_1"
    spread = {mark: deviations(clips, mark) for mark in MARKS}
    return [
        figure(
            "presence_fleiss_kappa",
            "Expression or none, Fleiss' kappa",
            fleiss_kappa_interval(presence, draws=draws),
            about="Whether there is an expression; interval over clips",
            words=True,
        ),
        figure(
            "presence_alpha",
            "Expression or none, Krippendorff's alpha",
            krippendorff_alpha(_presence(clips)),
            about="The same with missing coders taken into account",
        ),
        *(
            figure(
                f"{mark}_mad_{unit}",
                f"{mark.capitalize()}, median absolute deviation",
                median(np.abs(spread[mark][unit])),
                unit=unit,
                about="Of all marks from the median of their clip",
            )
            for mark in MARKS
            for unit in ("frames", "ms")
        ),
        *(
            figure(
                f"{mark}_{key}",
                f"Onset to {mark}, {name}",
                icc(durations[mark]),
                about="Of durations in ms; of frame numbers it would be near 1 whatever coders do"
                + ("" if same else ". Clips have different coders, so it is the one-way form"),
            )
            for mark in ("apex", "offset")
        ),
        figure(
            "duration_alpha",
            "Onset to offset, Krippendorff's alpha (interval)",
            krippendorff_alpha(durations["offset"].T, "interval"),
        ),
        figure(
            "micro_fleiss_kappa",
            "Micro or macro, Fleiss' kappa",
            fleiss_kappa(_micro_counts(clips)),
            about="By each coder's own marks, among those who marked",
            words=True,
        ),
    ]


def keyframe_tables(clips: Sequence[Clip]) -> list[FigureTable]:
    """Spread of the marks, and a row per coder."""
    spread = []
    for mark in MARKS:
        found = deviations(clips, mark)
        off = np.abs(found["frames"])
        within = [share(int((off <= limit).sum()), len(off)) for limit in WITHIN]
        frames, ms = median(off), median(np.abs(found["ms"]))
        spread.append(cells(mark, len(off), frames, ms, *within))
    return [
        FigureTable(
            key="spread",
            title="Marks against the median of their clip",
            columns=["mark", "marks", "MAD frames", "MAD ms", *(f"within ±{limit}" for limit in WITHIN)],
            rows=spread,
        ),
        FigureTable(
            key="coders",
            title="Coders: marks against the median of the others",
            columns=[
                *("coder", "clips", "expressions", "onset bias", "apex bias", "offset bias"),
                *("onset MAD", "apex MAD", "offset MAD", "repeats", "same vote", "repeat MAD frames"),
            ],
            rows=[_coder_row(coder, theirs) for coder, theirs in by_coder(clips)],
        ),
    ]


def deviations(clips: Sequence[Clip], mark: Mark) -> dict[str, Floats]:
    """How far each mark lies from the median of its clip, where two or more marked it: `frames` and `ms`, signed."""
    frames, ms = [], []
    for clip in clips:
        marked = _marks(clip, mark)
        if len(marked) >= 2:
            off = np.array(list(marked.values()), np.float64) - np.median(list(marked.values()))
            frames.append(off)
            ms.append(off * 1000 / clip.rate_fps)
    empty = [np.empty(0)]
    return {"frames": np.concatenate(frames or empty), "ms": np.concatenate(ms or empty)}


def presence_counts(clips: Sequence[Clip]) -> Floats:
    """(clips, 2): how many saw an expression, and how many none."""
    counts = [
        (sum(answer.expression for answer in clip.answers.values()), len(clip.answers))
        for clip in clips
        if clip.answers
    ]
    return np.array([(yes, all_ - yes) for yes, all_ in counts], np.float64).reshape(-1, 2)


def _marks(clip: Clip, mark: Mark) -> dict[str, int]:
    found = {coder: getattr(answer, mark) for coder, answer in clip.answers.items()}
    return {coder: value for coder, value in found.items() if value is not None}


def _presence(clips: Sequence[Clip]) -> Floats:
    coders = coders_of(clips)
    said = [[clip.answers[one].expression if one in clip.answers else np.nan for clip in clips] for one in coders]
    return np.array(said, np.float64).reshape(len(coders), len(clips))


def _micro_counts(clips: Sequence[Clip]) -> Floats:
    counts = []
    for clip in clips:
        micro = [key_frames_of(answer).is_micro(clip.rate_fps) for answer in clip.answers.values() if answer.expression]
        counts.append((sum(micro), len(micro) - sum(micro)))
    return np.array(counts, np.float64).reshape(-1, 2)


def _same_coders(clips: Sequence[Clip]) -> bool:
    return len({frozenset(clip.answers) for clip in clips}) <= 1


def _durations(clips: Sequence[Clip], mark: str) -> Floats:
    """(clips, coders) ms from onset to a mark, nan where a coder marked nothing."""
    coders = coders_of(clips)
    values = np.full((len(clips), len(coders)), np.nan)
    for row, clip in enumerate(clips):
        for coder, answer in clip.answers.items():
            end = getattr(answer, mark)
            if answer.onset is not None and end is not None:
                values[row, coders.index(coder)] = (end - answer.onset) * 1000 / clip.rate_fps
    return values


def _coder_row(coder: str, clips: Sequence[Clip]) -> list[Cell]:
    off: dict[Mark, list[float]] = {mark: [] for mark in MARKS}
    for clip in clips:
        for mark in MARKS:
            others = _marks(clip, mark)
            own = others.pop(coder, None)
            if own is not None and others:
                off[mark].append(own - float(np.median(list(others.values()))))
    repeated = [(clip.answers[coder], clip.repeats[coder]) for clip in clips if coder in clip.repeats]
    both = [(first, second) for first, second in repeated if first.expression and second.expression]
    again = [abs(getattr(second, mark) - getattr(first, mark)) for first, second in both for mark in MARKS]
    expressions = sum(clip.answers[coder].expression for clip in clips)
    same = sum(first.expression == second.expression for first, second in repeated)
    return cells(
        coder,
        len(clips),
        number(share(expressions, len(clips))),
        *(median(off[mark]) for mark in MARKS),
        *(median(np.abs(off[mark])) for mark in MARKS),
        len(repeated),
        share(same, len(repeated)),
        median(again),
    )
