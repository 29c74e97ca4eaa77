"""Where a participant's session is, in one line: for the monitor, and for progress lines without one."""

from __future__ import annotations

from capture.monitor.figures import time_left
from capture.monitor.spans import Role, Row, Span, width_of
from capture.statistics import ElicitationStatistics

_PHASES = {
    "affect_grade": "affective grade scale",
    "self_report": "self-report",
}
"""Kinds of step whose names are not words."""


def phase_words(session: ElicitationStatistics) -> str:
    """What goes on now, such as `self-report`."""
    return _PHASES.get(session.phase, session.phase)


def session_words(session: ElicitationStatistics) -> list[str]:
    """The line's parts, the most important first."""
    words = [phase_words(session).upper() if session.phase in ("paused", "finished") else phase_words(session)]
    if session.stimulus_number:
        stimulus = f"stimulus {session.stimulus_number} of {session.stimuli} ({session.stimulus})"
        # Said once where it is what goes on: 80 cells must hold what follows.
        words = [stimulus] if session.phase == "stimulus" else [*words, stimulus]
    if session.left_s is not None:
        words.append(f"{time_left(session.left_s)} left")
    elif session.waits_for:
        words.append(f"until the {session.waits_for} goes on")
    if session.pausing and session.phase != "paused":
        words.append(f"pauses after this {'stimulus' if session.phase == 'stimulus' else 'step'}")
    if session.penalty:
        words.append("questionnaire follows")
    if session.dropped:
        words.append(f"{session.dropped} stimulus frames dropped")
    if session.steps:
        words.append(f"step {session.step} of {session.steps}")
    return words


def session_row(session: ElicitationStatistics, width: int) -> Row:
    """The line on the monitor, at most `width` cells: what does not fit as a whole is left out."""
    first, *others = session_words(session)
    role = Role.WARN if session.pausing or session.phase == "paused" else Role.STRONG
    spans = [Span(" Session ", Role.DIM), Span(first, role)]
    for text in others:
        loud = text.startswith("pauses") or "follows" in text or "dropped" in text
        more = (Span(" · ", Role.DIM), Span(text, Role.WARN if loud else Role.TEXT))
        if width_of((*spans, *more)) > width:
            break
        spans += more
    return tuple(spans)
