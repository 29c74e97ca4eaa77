"""A rehearsal: the session without a camera, in this process, its log in a folder of its own."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from typing import Any

from capture.messages import Event, Finished, Message, Planned, TrialStarted, TrialWanted
from capture.monitor.figures import WallClock
from capture.monitor.session_line import session_words
from capture.session import Session
from capture.session.record import ElicitationEntry
from capture.statistics import ElicitationStatistics
from capture.supervisor.typed_commands import TypedCommands
from elicitation.session.desk import now_ns

_MARKS = {"info": "", "warning": "WARNING ", "error": "ERROR "}


class RehearsalDesk:
    """Answers like camera and operator would: every trial starts and ends at once; keys are typed with Enter."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clock = WallClock.of_this_machine()
        self._answers: deque[Message] = deque()
        self._typed = TypedCommands()
        self._trials = 0
        self._trial: str | None = None
        self._said = (0, "")

    @property
    def source(self) -> Any:
        """As `Desk`: nothing comes by itself."""
        return None

    @property
    def ended(self) -> bool:
        """As `Desk`: Ctrl-C ends the command itself."""
        return False

    def received(self) -> Iterable[Message]:
        """As `Desk`."""
        yield from self._typed.commands()
        while self._answers:
            yield self._answers.popleft()

    def plan(self, planned: Planned) -> None:
        """As `Desk`."""
        entry = ElicitationEntry(planned.name, planned.protocol_sha256, planned.seed, planned.stimuli)
        self._session.enter_elicitation(entry)

    def start_trial(self, wanted: TrialWanted) -> None:
        """As `Desk`."""
        self._trials += 1
        self._trial = f"trial-{self._trials:03d}"
        self._answers.append(TrialStarted("", self._trial, now_ns()))

    def stop_trial(self) -> None:
        """As `Desk`."""
        self._answers.append(Finished("", "", 0, 0, 0, 0.0))

    def event(self, event: Event) -> None:
        """As `Desk`: kept in the rehearsal's log, and said."""
        self._session.keep_event(event, self._trial)
        self._say(event.host_ns, f"{_MARKS[event.level]}{event.text}")

    def report(self, statistics: ElicitationStatistics) -> None:
        """As `Desk`: said when another step begins."""
        now = (statistics.step, statistics.phase)
        if now != self._said:
            self._said = now
            self._say(now_ns(), ", ".join(session_words(statistics)))

    def _say(self, host_ns: int, text: str) -> None:
        sys.stderr.write(f"{self._clock.time_of_day(host_ns)} {text}\n")
        sys.stderr.flush()
