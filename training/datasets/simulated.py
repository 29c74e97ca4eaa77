"""Simulated participants as a data set without files: a frame is rendered when it is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from expression.synthetic.dataset import Recording, SynthesisPlan, identity_seed, performance_of
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.participant import Participant
from expression.synthetic.state import FaceTrack
from training.datasets.sample import Picture, Sample

PREFIX = "simulated:"
"""How `--data` begins where no folder is meant."""
_SPELLING = re.compile(
    r"(?P<subjects>\d+)x(?P<clips>\d+)(?:,part=(?P<part>[ABC]))?(?:,fps=(?P<fps>\d+))?(?:,seed=(?P<seed>\d+))?"
)
_MOST_SUBJECTS = 9999
_MOST_CLIPS = 999
_MOST_TRIES = 20


@dataclass(frozen=True)
class SimulatedFrames:
    """The frames of one clip, rendered one by one."""

    plan: SynthesisPlan
    recording: Recording

    @property
    def identity(self) -> str:
        """All that the frames follow from."""
        return f"{msgspec.json.encode(self.plan).decode()} {self.recording.name}"

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame."""
        return 0, len(_track(self.plan, self.recording)) - 1

    def read(self, number: int) -> Picture:
        """Render a frame; the first of a participant takes seconds."""
        frame: Picture = np.empty((HEIGHT_PX, WIDTH_PX), np.uint8)
        participant = _participant(identity_seed(self.plan, self.recording.subject))
        participant.render(_track(self.plan, self.recording), number, frame, self.recording.number)
        return frame


@lru_cache(maxsize=1)
def _participant(seed: int) -> Participant:
    return Participant.of(seed)


@lru_cache(maxsize=2)
def _track(plan: SynthesisPlan, recording: Recording) -> FaceTrack:
    return performance_of(plan, recording).track(plan.rate_fps)


def parse_simulated(text: str) -> tuple[SynthesisPlan, int, int]:
    """Plan, subjects and clips of a data set named like `simulated:64x24,part=C,fps=200,seed=1`.

    Raises:
        BadInput: It is written in another way.
    """
    match = _SPELLING.fullmatch(text.removeprefix(PREFIX))
    if match is None:
        raise BadInput(
            f"{text!r} names no simulated data: write SUBJECTSxCLIPS as in simulated:64x24,part=C,fps=200,seed=1"
        )
    plan = SynthesisPlan(
        seed=int(match["seed"] or 0), part=match["part"] or "C", rate_fps=float(match["fps"] or 200)
    ).checked()
    subjects, clips = int(match["subjects"]), int(match["clips"])
    if not (1 <= subjects <= _MOST_SUBJECTS and 1 <= clips <= _MOST_CLIPS):
        raise BadInput(f"{text}: give 1 to {_MOST_SUBJECTS} subjects and 1 to {_MOST_CLIPS} clips of each")
    return plan, subjects, clips


def simulated_samples(plan: SynthesisPlan, subjects: int, clips_per_subject: int) -> tuple[Sample, ...]:
    """Clips of the seven emotions; performances that show `others` are passed over.

    Args:
        plan: Emotions as often as in its part of DFME.
        subjects: How many.
        clips_per_subject: Of each.
    """
    samples: list[Sample] = []
    for subject in range(1, subjects + 1):
        found = 0
        for number in range(1, clips_per_subject * _MOST_TRIES):
            recording = Recording(subject, number)
            (micro,) = performance_of(plan, recording).expressions
            if micro.expression.emotion not in BASIC_EMOTIONS:
                continue
            samples.append(
                Sample(
                    dataset="simulated",
                    subject=recording.subject_name,
                    name=recording.name,
                    key_frames=micro.expression.key_frames(micro.start_s, plan.rate_fps),
                    emotion=micro.expression.emotion,
                    frames=SimulatedFrames(plan, recording),
                    units=micro.expression.units,
                    rate_fps=plan.rate_fps,
                )
            )
            found += 1
            if found == clips_per_subject:
                break
    return tuple(samples)
