"""Agreement on emotions: Fleiss' kappa with its interval, of each label, and each annotator against the majority."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from annotation.agreement.coded import CodedClip, by_coder, coders_of
from annotation.agreement.measures import cohen_kappa, fleiss_kappa, fleiss_kappa_interval, krippendorff_alpha
from annotation.agreement.tables import cells, figure, share
from annotation.api_models import EmotionAnswer
from annotation.lead_models import Cell, Figure, FigureTable
from expression import Emotion
from expression.paper import EMOTION_KAPPA

LABELS: Final = tuple(Emotion)
Clip = CodedClip[EmotionAnswer]


def emotion_figures(clips: Sequence[Clip], draws: int) -> list[Figure]:
    """Figures of one round."""
    micro = [clip for clip in clips if clip.micro]
    settled = sum(clip.settled is not None for clip in clips)
    return [
        figure(
            "fleiss_kappa",
            "Fleiss' kappa",
            fleiss_kappa_interval(emotion_counts(clips), draws=draws),
            about="Of all clips; interval over clips",
            words=True,
        ),
        figure(
            "micro_fleiss_kappa",
            "Fleiss' kappa of micro-expressions",
            fleiss_kappa_interval(emotion_counts(micro), draws=draws),
            about=f"Of the {len(micro)} clips whose key-frames make them one; the DFME paper reached {EMOTION_KAPPA}",
            words=True,
        ),
        figure(
            "alpha", "Krippendorff's alpha", krippendorff_alpha(_ratings(clips)), about="Missing annotators allowed"
        ),
        figure("settled_share", "Clips with more than half for one label", share(settled, len(clips)), unit="share"),
    ]


def emotion_tables(clips: Sequence[Clip]) -> list[FigureTable]:
    """A row per label, votes against what counts, and a row per annotator."""
    counts = emotion_counts(clips)
    total = int(counts.sum())
    labels = [
        cells(
            label.value,
            sum(clip.settled is not None and clip.settled.emotion is label for clip in clips),
            int(counts[:, index].sum()),
            share(int(counts[:, index].sum()), total),
            fleiss_kappa(np.stack([counts[:, index], counts.sum(1) - counts[:, index]], axis=1)),
        )
        for index, label in enumerate(LABELS)
    ]
    votes: list[list[Cell]] = [
        [label.value, *(int(count) for count in vote_matrix(clips)[index])] for index, label in enumerate(LABELS)
    ]
    return [
        FigureTable(
            key="labels",
            title="Labels, each against all others",
            columns=["emotion", "clips", "votes", "share of votes", "kappa"],
            rows=labels,
        ),
        FigureTable(
            key="votes",
            title="Votes (columns) on clips by what counts (rows)",
            columns=["emotion", *(label.value for label in LABELS)],
            rows=votes,
        ),
        FigureTable(
            key="coders",
            title="Annotators",
            columns=["coder", "clips", "with what counts", "kappa with what counts", "repeats", "same on repeats"],
            rows=[_coder_row(coder, theirs) for coder, theirs in by_coder(clips)],
        ),
    ]


def emotion_counts(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """(clips, 8): how many gave each label."""
    counts = np.zeros((len(clips), len(LABELS)))
    for row, clip in enumerate(clips):
        for answer in clip.answers.values():
            counts[row, LABELS.index(answer.emotion)] += 1
    return counts


def vote_matrix(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    """(8, 8): votes for each label (columns) on clips by what counts (rows)."""
    counts = emotion_counts(clips)
    matrix = np.zeros((len(LABELS), len(LABELS)))
    for row, clip in enumerate(clips):
        if clip.settled is not None:
            matrix[LABELS.index(clip.settled.emotion)] += counts[row]
    return matrix


def _ratings(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    coders = coders_of(clips)
    ratings = np.full((len(coders), len(clips)), np.nan)
    for column, clip in enumerate(clips):
        for coder, answer in clip.answers.items():
            ratings[coders.index(coder), column] = LABELS.index(answer.emotion)
    return ratings


def _coder_row(coder: str, clips: Sequence[Clip]) -> list[Cell]:
    pairs = [(clip.answers[coder].emotion, clip.settled.emotion) for clip in clips if clip.settled is not None]
    repeated = [(clip.answers[coder].emotion, clip.repeats[coder].emotion) for clip in clips if coder in clip.repeats]
    own, counted = ([LABELS.index(pair[side]) for pair in pairs] for side in (0, 1))
    return cells(
        coder,
        len(clips),
        share(sum(a == b for a, b in pairs), len(pairs)),
        cohen_kappa(np.array(own, int), np.array(counted, int)),
        len(repeated),
        share(sum(a == b for a, b in repeated), len(repeated)),
    )
