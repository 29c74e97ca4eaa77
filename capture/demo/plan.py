"""What the demonstration study consists of, and the files that a lab would write by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

RATE_FPS: Final = 200
MARGIN_S: Final = 0.5
BASELINE_S: Final = 1.0
_SPARE_S: Final = 0.5
"""A trial takes as much longer than its margins and its stimulus, at most."""
_TARGETS: Final = ("happiness", "disgust", "fear", "surprise", "sadness", "anger", "contempt")

STUDY: Final = Path("study")
VIDEOS: Final = Path("videos")
PEOPLE: Final = Path("people")
PROTOCOL: Final = Path("protocol.toml")
MANIFEST: Final = Path("stimuli.tsv")
CONSENT: Final = Path("consent-v1.txt")
RECIPE: Final = Path("recipe.toml")
CODED: Final = Path("coded")
MODEL: Final = Path("models/demo")
FOUND: Final = Path("found")
LIVE: Final = Path("live")
LOADED: Final = Path("loaded")
TRUTH: Final = Path("truth.csv")
"""Names within the folder of the demonstration."""


@dataclass(frozen=True)
class StudyPlan:
    """How large the study is; everything in it follows from the seed."""

    participants: int = 3
    stimuli: int = 2
    stimulus_s: float = 4.0
    micro_per_min: float = 40.0
    """Many more than people show: every second is to hold something."""
    epochs: int = 8
    seed: int = 557
    """With it each of three participants shows nine expressions or more, and the study all seven emotions."""

    @property
    def minutes(self) -> float:
        """Length of what each participant does in front of the camera: a little more than is recorded."""
        recorded_s = BASELINE_S + MARGIN_S + _SPARE_S
        recorded_s += self.stimuli * (self.stimulus_s + 2 * MARGIN_S + _SPARE_S)
        return max(0.1, round(recorded_s / 60, 3))

    def write_documents(self, folder: Path) -> None:
        """Write protocol, list of stimuli, consent form, study file and recipe into the folder of the demonstration."""
        (folder / STUDY).mkdir(parents=True)
        files = {
            PROTOCOL: _PROTOCOL.format(count=self.stimuli, margin=MARGIN_S, baseline=BASELINE_S),
            MANIFEST: self._manifest(),
            CONSENT: _CONSENT,
            STUDY / "annotation.toml": f'name = "Demonstration (SIMULATED)"\nseed = {self.seed}\n',
            RECIPE: f'preset = "small"\nepochs = {self.epochs}\nbatch = 8\n',
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _manifest(self) -> str:
        lines = ["stim_id\ttarget_emotion\tduration_s"]
        lines += [
            f"{_TARGETS[number % 7]}{number + 1}\t{_TARGETS[number % 7]}\t{self.stimulus_s:g}"
            for number in range(self.stimuli)
        ]
        return "\n".join(lines) + "\n"


_PROTOCOL: Final = """# A session of the demonstration: the paper's steps, shortened to seconds.
name = "demo"
stimuli = "stimuli.tsv"
stimulus_folder = "videos"
margin_s = {margin}

[draw]
count = {count}

[screen]
browser = ""  # the participant's pages are opened by hand, at the address in the event log

[[before]]
kind = "instruction"
text = "Welcome. You will watch short videos. Please keep a neutral face whatever you see."

[[before]]
kind = "baseline"
seconds = {baseline}
text = "Please look at the screen and relax."

[[each]]
kind = "stimulus"

[[each]]
kind = "rest"
seconds = 0.5
text = "Please rest for a moment."

[[each]]
kind = "affect_grade"
text = "How strongly did you feel each of these while you watched?"

[[each]]
kind = "self_report"
text = "Please go through the recording of your face and mark every expression that you remember."
"""
_CONSENT: Final = """SIMULATED. Nobody signed this form: it stands for the one of your ethics board.

My face is recorded while I watch videos. The recordings are analysed, and computers may be trained on them. I can
stop at any time, and have everything removed.
"""
