"""The whole study, step by step: from an empty folder to a model that reads out what was recorded."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from capture.demo import plan as names
from capture.demo.coding import Coding
from capture.demo.participant import SimulatedParticipant
from capture.demo.plan import RATE_FPS, StudyPlan
from capture.demo.steps import Done, Steps
from capture.demo.truth import Trial, TrueExpression, pictures_of, read_performance, shown, write_truth
from capture.errors import BadInput, CaptureError, FolderUnusable, NoSpace
from capture.session import SESSION_FILE, Session

NO_SCREEN: Final = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
"""The stimuli are played for nobody: the player's pictures and sound go nowhere, at their times."""
TRAINING: Final = ("torch", "lightning", "sklearn")
"""What a model cannot be trained without."""
_FRAME_BYTES: Final = 1024 * 768
_COPIES: Final = 2.3
"""The performance as a bank, the recordings, and what is exported of them."""
_SPARE_BYTES: Final = 10**9
CONTEXT_FRAMES: Final = 4
"""Pictures around each coded expression that are exported."""
LIVE: Final = "live"
DEMO: Final = "demo"
HELD_OUT: Final = "held out"
LOADED: Final = "loaded"
"""Who reads out: the model that comes along, live; the one trained here over all recordings, over those of a
participant whom it has not seen, and live with that participant before the camera."""
LOADED_S: Final = 6


@dataclass
class Story:
    """What came of the study."""

    plan: StudyPlan
    participants: tuple[str, ...] = ()
    captures: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What `dfme-capture` said, by participant."""
    verified: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    pages: dict[str, list[str]] = field(default_factory=dict)
    """Pages that each participant answered."""
    trials: list[Trial] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    answers: int = 0
    agreement: Mapping[str, Any] = field(default_factory=dict)
    exported: Mapping[str, Any] = field(default_factory=dict)
    statistics: Mapping[str, Any] = field(default_factory=dict)
    trained: Mapping[str, Any] = field(default_factory=dict)
    """Empty where there is no model."""
    without_model: str = ""
    """Why there is none."""
    held_out: tuple[str, ...] = ()
    """Participants whom the trained model has not seen."""
    replays: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What `dfme-live` said, by trial."""
    said: dict[str, dict[str, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)
    """Expressions that were read out, by who read (`LIVE`, `DEMO`), then by trial."""
    scores: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By who read."""
    steps: list[Done] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def shown(self) -> list[Trial]:
        """Trials with a stimulus: those that are scored."""
        return [trial for trial in self.trials if trial.stimulus]

    @property
    def lost(self) -> dict[str, int]:
        """Frames lost by place, over all trials."""
        found: dict[str, int] = {}
        for said in self.captures.values():
            for trial in said.get("trials", [said]):
                for place, count in trial["lost"].items():
                    found[place] = found.get(place, 0) + count
        return found

    @property
    def verified_ok(self) -> bool:
        """Whether `dfme-session verify` found nothing wrong anywhere."""
        return bool(self.verified) and all(said["ok"] for said in self.verified.values())


def prepare_folder(out: Path, plan: StudyPlan) -> None:
    """Make sure that there is an empty folder with room for the study.

    Raises:
        BadInput: There is something in it.
        FolderUnusable: It cannot be made.
        NoSpace: The disk has no room.
    """
    try:
        if out.is_dir() and any(out.iterdir()):
            raise BadInput(f"{out} is not empty: choose another --out, or remove it")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnusable(f"cannot write to {out} ({error.strerror}): choose another --out") from error
    needed = _COPIES * plan.participants * plan.minutes * 60 * RATE_FPS * _FRAME_BYTES + _SPARE_BYTES
    free = shutil.disk_usage(out).free
    if free < needed:
        raise NoSpace(f"{out} has {free / 1e9:.1f} GB left and the study takes {needed / 1e9:.1f} GB: make room")


class Journey:
    """One study in one folder; `run` once."""

    def __init__(self, out: Path, plan: StudyPlan, *, screen: bool = False) -> None:
        self._out = out.absolute()
        self._plan = plan
        models = find_spec("training") is not None and all(find_spec(name) is not None for name in TRAINING)
        each, with_model = 4, 5 + plan.participants * plan.stimuli
        commands = 8 + each * plan.participants + with_model * models
        # A camera of its own: another program may hold the usual one.
        environment = {"DFME_SIMULATOR_SERIALS": f"DEMO{os.getpid()}", **({} if screen else NO_SCREEN)}
        self._steps = Steps(self._out, commands, environment)
        self.story = Story(plan)
        if not models:
            missing = ", ".join(name for name in TRAINING if find_spec(name) is None) or "training"
            self.story.without_model = (
                f"no model was trained: {missing} is not installed (./install.sh --with training)"
            )

    def run(self) -> Story:
        """Do everything.

        Raises:
            CaptureError: A step failed; what was made before it stays.
        """
        began_s = time.monotonic()
        story, steps = self.story, self._steps
        self._plan.write_documents(self._out)
        self._prepare()
        for number, participant in enumerate(story.participants):
            self._session(number, participant)
        self._code()
        self._score_live()
        if not story.without_model:
            self._train()
            self._read_out()
        else:
            steps.say(story.without_model)
        story.steps = steps.done
        story.seconds = time.monotonic() - began_s
        return story

    # --- before the first participant ------------------------------------------------------------------------------

    def _prepare(self) -> None:
        run, plan = self._steps.run, self._plan
        part = "Stimuli"
        run(part, "dfme-elicit", "placeholders", "--out", names.VIDEOS, "--manifest", names.MANIFEST)
        run(part, "dfme-elicit", "validate", "--stimuli", names.VIDEOS, "--manifest", names.MANIFEST, "--json")
        part = "Participants"
        run(
            *(part, "dfme-train", "synthesize", "--out", names.PEOPLE, "--subjects", plan.participants, "--long"),
            *("--bank", "--minutes", plan.minutes, "--micro-per-minute", f"{plan.micro_per_min:g}", "--part", "C"),
            *("--fps", RATE_FPS, "--seed", plan.seed, "--json"),
        )
        entered = []
        for _ in range(plan.participants):
            entered.append(run(part, "dfme-elicit", "participant", "add", "--study", names.STUDY).said.split()[-1])
            run(
                *(part, "dfme-elicit", "participant", "consent", entered[-1], "--study", names.STUDY),
                *("--form", names.CONSENT, "--agree", "recording", "--agree", "analysis"),
            )
        self.story.participants = tuple(entered)

    # --- a participant's session -----------------------------------------------------------------------------------

    def _session(self, number: int, participant: str) -> None:
        story, plan = self.story, self._plan
        name = f"sub{number + 1:04}_01"
        performance = read_performance(self._out / names.PEOPLE / "truth" / f"{name}.json")
        study = self._out / names.STUDY

        def folder() -> Path | None:
            found = sorted(study.glob(f"*_{participant}/{SESSION_FILE}"))
            return found[-1].parent if found else None

        def remembered(trial: str) -> tuple[TrueExpression, ...]:
            place = folder()
            return () if place is None else shown(pictures_of(Session.open(place).recording(trial)), performance)

        person = SimulatedParticipant(folder, remembered, plan.seed + number)
        done = self._steps.run(
            *(f"Session of {participant}", "dfme-capture", "--fps", RATE_FPS, "--no-tui", "--json"),
            *("--participant", participant, "--elicit", names.PROTOCOL, "--stimuli", names.VIDEOS),
            *("--seed", plan.seed + number, "--out", names.STUDY),
            *("--frame-bank", names.PEOPLE / "long" / f"{name}.bank"),
            *("--set", "SimulationStamp=true", "--set", "SimulationBankGoesOn=true"),
            act=person.act,
        )
        story.captures[participant] = done.result
        story.pages[participant] = person.pages
        place = folder()
        if place is None:
            raise CaptureError(f"dfme-capture left no session of {participant} in {study}")
        story.verified[participant] = self._steps.run(
            f"Session of {participant}", "dfme-session", "verify", place.relative_to(self._out), "--json"
        ).result
        session = Session.open(place)
        story.trials += [
            _trial(participant, session, trial.name, trial.stimulus or "", performance) for trial in session.trials
        ]

    # --- coding ----------------------------------------------------------------------------------------------------

    def _code(self) -> None:
        story, steps, part = self.story, self._steps, "Coding"
        with steps.serving(part, "dfme-annotate", "serve", names.STUDY, "--port", 0, "--json") as said:
            coding = Coding(said["url"], said["lead_password"], story.trials, self._plan.seed)
            story.rounds = coding.run(lambda text: steps.say(f"        {text}"))
            story.answers = coding.answers
        story.agreement = steps.run(
            part, "dfme-annotate", "agreement", names.STUDY, "--plots", "agreement", "--json"
        ).result
        part = "Data set"
        story.exported = steps.run(
            part, "dfme-annotate", "export", names.STUDY, "--out", names.CODED, "--context", CONTEXT_FRAMES, "--json"
        ).result
        story.statistics = steps.run(
            part, "dfme-annotate", "stats", names.STUDY, "--out", "statistics", "--json"
        ).result

    # --- a model ---------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        self.story.trained = self._steps.run(
            *("Model", "dfme-train", "from-sessions", names.CODED, "--out", names.MODEL, "--recipe", names.RECIPE),
            *("--folds", self._plan.participants, "--licence", "demonstration only", "--no-int8"),
            *("--cache", "cache", "--json"),
        ).result

    def _score_live(self) -> None:
        """What was read out while participants were recorded, by the model that comes along."""
        for trial in self.story.shown:
            self.story.said.setdefault(LIVE, {})[trial.label] = self._keep_live(names.LIVE, trial)
        self.story.scores[LIVE] = self._score(names.LIVE, names.TRUTH, self.story.shown)

    def _keep_live(self, folder: Path, trial: Trial) -> list[dict[str, Any]]:
        """Lines of the readout that belong to a trial, also as a file for `dfme-live score`."""
        lines = [line for line in _lines(trial.session / "live.jsonl") if line["trial"] == trial.name]
        path = self._out / folder / f"{trial.label}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return lines

    def _score(self, found: Path, truth: Path, trials: Sequence[Trial]) -> Mapping[str, Any]:
        """Score what was read out of some trials; nothing where these show nothing."""
        write_truth(self._out / truth, trials)
        if not any(trial.truth for trial in trials):
            return {}
        return self._steps.run("Readout", "dfme-live", "score", found, truth, "--kind", "all", "--json").result

    def _read_out(self) -> None:
        """What the model that was trained here says of the same recordings."""
        story = self.story
        for trial in story.shown:
            lines = names.FOUND / trial.participant / f"{trial.label}.jsonl"
            (self._out / lines).parent.mkdir(parents=True, exist_ok=True)
            story.replays[trial.label] = self._steps.run(
                *("Readout", "dfme-live", "--replay", trial.recording.path.relative_to(self._out)),
                *("--model", names.MODEL, "--out", lines, "--json"),
            ).result
            story.said.setdefault(DEMO, {})[trial.label] = _lines(self._out / lines)
        story.scores[DEMO] = self._score(names.FOUND, names.TRUTH, story.shown)
        subjects = json.loads((self._out / names.MODEL / "bundle.json").read_bytes())["subjects"]
        # A bundle names people together with their data set.
        seen = {subject.rpartition("/")[2] for subject in subjects}
        story.held_out = tuple(one for one in story.participants if one not in seen)
        if story.held_out:
            one = story.held_out[0]
            theirs = [trial for trial in story.shown if trial.participant == one]
            story.scores[HELD_OUT] = self._score(names.FOUND / one, _with(names.TRUTH, one), theirs)
            self._read_out_live(one)

    def _read_out_live(self, participant: str) -> None:
        """The model that was trained here, while a participant whom it has not seen is recorded."""
        name = f"sub{self.story.participants.index(participant) + 1:04}_01"
        said = self._steps.run(
            *("Readout", "dfme-capture", "--fps", RATE_FPS, "--duration", LOADED_S, "--no-tui", "--json"),
            *("--frame-bank", names.PEOPLE / "long" / f"{name}.bank", "--set", "SimulationStamp=true"),
            *("--live-model", names.MODEL, "--out", names.LOADED),
        ).result
        performance = read_performance(self._out / names.PEOPLE / "truth" / f"{name}.json")
        session = Session.open(self._out / said["session"])
        trial = _trial(participant, session, session.trials[0].name, "", performance)
        lines = names.LOADED / "readout"
        self._keep_live(lines, trial)
        self.story.scores[LOADED] = self._score(lines, _with(names.TRUTH, "loaded"), [trial])


def _with(path: Path, more: str) -> Path:
    return path.with_stem(f"{path.stem}_{more}")


def _trial(
    participant: str, session: Session, name: str, stimulus: str, performance: Sequence[TrueExpression]
) -> Trial:
    recording = session.recording(name)
    pictures = pictures_of(recording)
    return Trial(participant, session.path, name, stimulus, recording, pictures, shown(pictures, performance))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
