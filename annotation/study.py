"""The study file, `annotation.toml`: how many code each clip, and how; every mistake names file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from annotation.api_models import Role, RoundKind, RoundRules
from capture.errors import BadInput
from capture.study.coding import WORK_FOLDER
from capture.toml_file import parse, read_text
from expression import Emotion

__all__ = [
    "STUDY_FILE",
    "WORK_FOLDER",
    "CoderNumbers",
    "Study",
    "StudyInvalid",
    "load_study",
    "parse_study",
]

STUDY_FILE: Final = "annotation.toml"

Coders = Annotated[int, Field(ge=1, le=50)]


class StudyInvalid(BadInput):
    """The study file cannot be read, or one of its keys is wrong; names file, line and key."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CoderNumbers(_Table):
    """How many code each clip independently."""

    selection: Coders = 1
    """Per recording."""
    keyframes: Coders = 5
    units: Annotated[int, Field(ge=2, le=50)] = 2
    emotion: Coders = 7


class Study(_Table):
    """How a study is annotated; the values of the DFME paper unless the file says otherwise."""

    name: str = "study"
    coders: CoderNumbers = CoderNumbers()
    repeat_share: Annotated[float, Field(ge=0, le=0.5)] = 0.08
    """Share of a coder's clips that come a second time, unmarked, for self-consistency."""
    context_s: Annotated[float, Field(ge=0, le=30)] = 0.5
    """Seconds around a clip that coders may look at."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of the random orders, together with the round's number."""
    default_rate_fps: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Of recordings that do not say their rate, such as folders of pictures."""
    bootstrap_draws: Annotated[int, Field(ge=100, le=100_000)] = 2000
    login_hours: Annotated[float, Field(gt=0, le=24 * 90)] = 24 * 7
    stimuli: dict[str, Emotion] = {}
    """Emotion of each stimulus, where the sessions do not say."""

    @property
    def rules(self) -> tuple[RoundRules, ...]:
        """Who codes in each kind of round."""
        numbers = self.coders
        return (
            RoundRules(kind=RoundKind.SELECTION, role=Role.SELECTOR, coders=numbers.selection),
            RoundRules(kind=RoundKind.KEYFRAMES, role=Role.KEYFRAME, coders=numbers.keyframes),
            RoundRules(kind=RoundKind.UNITS, role=Role.AU, coders=numbers.units),
            RoundRules(kind=RoundKind.CROSSCHECK, role=Role.AU, coders=numbers.units),
            RoundRules(kind=RoundKind.EMOTION, role=Role.EMOTION, coders=numbers.emotion),
        )

    def rule(self, kind: RoundKind) -> RoundRules:
        """Who codes in this kind of round."""
        return next(rule for rule in self.rules if rule.kind is kind)


def load_study(sessions: Path, file: Path | None = None) -> Study:
    """The study of a folder of sessions.

    Args:
        sessions: The folder; its `annotation.toml` is read where there is one.
        file: Another study file.

    Raises:
        StudyInvalid: A file was named that cannot be read, or a key is wrong.
    """
    path = file or sessions / STUDY_FILE
    if file is None and not path.is_file():
        return Study(name=sessions.absolute().name)
    return parse_study(read_text(path, StudyInvalid), str(path))


def parse_study(text: str, name: str) -> Study:
    """A study from TOML.

    Args:
        text: The file's content.
        name: The file, for messages.

    Raises:
        StudyInvalid: Not TOML, or a key is wrong.
    """
    return parse(text, name, Study, StudyInvalid)
