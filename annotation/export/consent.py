"""Whose pictures and labels an export may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from capture.participants import Participant, Registry


class Purpose(StrEnum):
    """What an export is for; each needs a consent of its own."""

    ANALYSIS = "analysis"
    """To work with in the lab."""
    SHARING = "sharing"
    """To hand to other researchers."""
    PUBLICATION = "publication"
    """To show faces in a paper or a talk."""


@dataclass(frozen=True)
class ConsentCheck:
    """Who may be in an export."""

    left_out: Mapping[str, str]
    """By participant, why not."""
    warning: str = ""
    """What the one who exports must know."""


def check_consent(study: Path, participants: Iterable[str], purpose: Purpose) -> ConsentCheck:
    """Ask the registry of a study about each participant.

    Where a study has no registry at all, an export for analysis goes ahead with a warning; for anything else everybody
    is left out.

    Raises:
        RecordingInvalid: The registry is damaged.
    """
    registry = Registry.around(study)
    wanted = sorted(set(participants))
    if registry is None:
        if purpose is Purpose.ANALYSIS:
            return ConsentCheck({}, "this study has no registry of participants: nobody's consent was checked")
        return ConsentCheck(dict.fromkeys(wanted, "the study has no registry of participants"))
    known = registry.participants()
    problems = {name: _problem(known.get(name), purpose) for name in wanted}
    return ConsentCheck({name: problem for name, problem in problems.items() if problem})


def _problem(participant: Participant | None, purpose: Purpose) -> str:
    if participant is None:
        return "not in the registry of participants"
    if participant.erased:
        return "erased"
    if participant.withdrawn:
        return "consent withdrawn"
    if participant.consent is None:
        return "no consent on file"
    if purpose is Purpose.PUBLICATION:
        return "" if participant.may_be_published else "did not agree that pictures are published"
    return "" if participant.consent.items.get(purpose.value, False) else f"did not agree to {purpose.value}"
