"""The supervisor's side of a participant's session: which session goes on, its process, and what that process says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from capture.errors import CaptureError, RecordingInvalid
from capture.messages import (
    Command,
    ElicitationEnded,
    ElicitationReport,
    Planned,
    SessionOpened,
    TrialEnded,
    TrialStarted,
)
from capture.participants import PSEUDONYM
from capture.processes.common import ElicitationTask
from capture.recording.repair import repair
from capture.session import SESSION_FILE, Session
from capture.session.claim import FolderClaim, claim_session
from capture.session.record import ElicitationEntry
from capture.statistics import CameraStatistics, ElicitationStatistics
from capture.supervisor.children import Child
from capture.supervisor.hub import Hub
from capture.supervisor.request import CaptureRequest
from capture.supervisor.typed_commands import TypedCommands

_MODULE: Final = "elicitation.session"
PROCESS: Final = "elicitation"
_RESTARTS: Final = 5
"""A process that dies more often than this in one session will not get better."""
Note = tuple[Literal["info", "warning"], str]


class Elicitation:
    """A session by a protocol, as the supervisor sees it; knows the process only by its messages."""

    def __init__(self, request: CaptureRequest, hub: Hub) -> None:
        self._request = request
        self._hub = hub
        self._restarts = 0
        self._session: Session | None = None
        self._claim: FolderClaim | None = None
        """Held as long as this runs: the session is neither begun twice nor removed."""
        self._opened = False
        self._starting: TrialStarted | None = None
        self._typed = TypedCommands() if request.elicit is not None and not request.monitor else None
        self.statistics = ElicitationStatistics(phase="starting") if request.elicit is not None else None
        self.over = False
        """Whether the session has come to its end, or its process has given up."""
        self.complete = False
        """Whether nothing of it is left to do."""

    @property
    def wanted(self) -> bool:
        """Whether there is a session to be run."""
        return self._request.elicit is not None

    def start(self, runtime: Path) -> Child:
        """Start the process, for a session that begins or goes on; it says `hello` when all it needs is there."""
        options, session = self._request.elicit, self._session or self._unfinished()
        if options is None:
            raise CaptureError("there is no protocol to run a session by")
        self._session = session
        task = ElicitationTask(
            hub=self._hub.endpoint,
            protocol=options.protocol,
            study=str(self._request.out.absolute()),
            participant=self._request.participant,
            stimuli=options.stimuli,
            seed=options.seed,
            session=str(session.path.absolute()) if session is not None else "",
            lsl=options.lsl,
            storage=str(self._request.remote) if self._request.remote is not None else "",
        )
        return Child.worker(PROCESS, _MODULE, task, runtime, [])

    def may_restart(self) -> bool:
        """Whether a process that died is to be started anew: it then goes on at the next trial."""
        self._restarts += 1
        return not self.over and self._restarts <= _RESTARTS

    def open_session(self) -> tuple[Session, Iterable[Note]]:
        """The session folder: a new one, or the one that goes on; with what is worth noting.

        Raises:
            CaptureError: The session runs already.
        """
        request, self._opened = self._request, True
        if self._session is None:
            self._session = Session.create(request.out, participant=request.participant, hardware=request.hardware)
            self._claim = claim_session(self._session.path)
            return self._session, ()
        self._claim = claim_session(self._session.path)
        return self._session, (("info", f"{self._session.path.name} goes on"), *_close_interrupted(self._session))

    def begin(self) -> None:
        """Camera and recorder are ready: the participant's session may begin."""
        if self._session is not None and self._opened:
            self._hub.tell(PROCESS, SessionOpened(str(self._session.path.absolute())))

    def follow(self, message: TrialStarted | TrialEnded) -> None:
        """Tell the process of a trial's begin and end; it has begun when its first frame is there."""
        self._starting = message if isinstance(message, TrialStarted) else None
        if isinstance(message, TrialEnded):
            self._hub.tell(PROCESS, message)

    def camera_reported(self, camera: CameraStatistics) -> None:
        """The camera process says how far it is: starting a camera takes a moment, in which nothing is recorded."""
        if self._starting is not None and camera.frames > 0:
            self._hub.tell(PROCESS, self._starting)
            self._starting = None

    def typed(self) -> Iterable[Command]:
        """What the operator typed, where there is no monitor with keys."""
        return self._typed.commands() if self._typed is not None else ()

    def take(self, message: Planned | ElicitationReport | ElicitationEnded) -> None:
        """What the process says of the session."""
        session = self._session
        match message:
            case ElicitationReport(statistics):
                self.statistics = statistics
            case Planned(protocol, sha256, seed, stimuli) if session is not None:
                session.enter_elicitation(ElicitationEntry(protocol, sha256, seed, stimuli))
            case ElicitationEnded(complete):
                self.over, self.complete = True, complete
                entry = session.record.elicitation if session is not None else None
                if complete and session is not None and entry is not None:
                    session.enter_elicitation(msgspec.structs.replace(entry, finished=True))
            case _:
                pass

    def result(self) -> dict[str, Any] | None:
        """What came of it, as `--json` prints it; None where there was no session to be run."""
        entry = self._session.record.elicitation if self._session is not None else None
        if not self.wanted or self._session is None or self.statistics is None:
            return None
        return {
            "protocol": entry.protocol if entry is not None else "",
            "seed": entry.seed if entry is not None else None,
            "finished": self.complete,
            "stimuli": list(entry.stimuli) if entry is not None else [],
            "shown": [trial.stimulus for trial in self._session.trials if trial.stimulus],
            "dropped": self.statistics.dropped,
        }

    def _unfinished(self) -> Session | None:
        """The last session of this participant that was begun by a protocol and not finished."""
        options, participant = self._request.elicit, self._request.participant
        if options is None or not options.resume or participant is None or not PSEUDONYM.fullmatch(participant):
            return None
        for file in sorted(self._request.out.glob(f"*/{SESSION_FILE}"), reverse=True):
            try:
                session = Session.open(file.parent)
            except (RecordingInvalid, OSError):
                continue
            entry = session.record.elicitation
            if session.record.participant == participant and entry is not None:
                return None if entry.finished else session
        return None


def _close_interrupted(session: Session) -> list[Note]:
    """Make recordings whole that a killed recorder left open, and enter them as trials."""
    notes: list[Note] = []
    for trial in session.trials:
        path = session.path / trial.recording
        if trial.seconds is not None or not path.is_dir():
            continue
        try:
            report = repair(path)
        except CaptureError as error:
            notes.append(("warning", f"{trial.name} stays as it is: {error}"))
            continue
        notes.append(("info", f"{trial.name} was interrupted and is made whole: {report.frames:,} frames"))
    session.adopt_interrupted_trials()
    return notes
