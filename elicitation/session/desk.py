"""What a session knows of camera and operator: the seam, and the real one, which is the supervisor's hub."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

from capture.messages import ElicitationReport, Event, Message, Planned, StopTrial, TrialWanted
from capture.processes.common import HubLink, StopRequest
from capture.statistics import ElicitationStatistics


class Desk(Protocol):
    """Where trials are recorded, events are kept, and the operator's word comes from."""

    @property
    def source(self) -> Any:
        """What becomes readable when a message comes, for a ZeroMQ poller; None where none ever comes by itself."""
        ...

    @property
    def ended(self) -> bool:
        """Whether somebody asked this process to end."""
        ...

    def received(self) -> Iterable[Message]:
        """Called many times a second: messages that have come; must not block."""
        ...

    def plan(self, planned: Planned) -> None:
        """Called once, before the first step."""
        ...

    def start_trial(self, wanted: TrialWanted) -> None:
        """Ask for a recording; `TrialStarted` or `TrialRefused` comes back."""
        ...

    def stop_trial(self) -> None:
        """Ask for its end; `TrialEnded` and `Finished` come back."""
        ...

    def event(self, event: Event) -> None:
        """Called for each event of the session, in their order."""
        ...

    def report(self, statistics: ElicitationStatistics) -> None:
        """Called some times a second."""
        ...


class HubDesk:
    """The supervisor, over its hub."""

    def __init__(self, hub: HubLink, stop: StopRequest) -> None:
        self._hub = hub
        self._stop = stop

    @property
    def source(self) -> Any:
        """As `Desk`."""
        return self._hub.socket

    @property
    def ended(self) -> bool:
        """As `Desk`: the supervisor died, or told us by a signal."""
        return self._stop.requested

    def received(self) -> Iterable[Message]:
        """As `Desk`."""
        return self._hub.received()

    def plan(self, planned: Planned) -> None:
        """As `Desk`."""
        self._hub.send(planned)

    def start_trial(self, wanted: TrialWanted) -> None:
        """As `Desk`."""
        self._hub.send(wanted)

    def stop_trial(self) -> None:
        """As `Desk`."""
        self._hub.send(StopTrial("protocol"))

    def event(self, event: Event) -> None:
        """As `Desk`."""
        self._hub.send(event)

    def report(self, statistics: ElicitationStatistics) -> None:
        """As `Desk`."""
        self._hub.send(ElicitationReport(statistics))


def now_ns() -> int:
    """The clock of everything here: CLOCK_MONOTONIC."""
    return time.monotonic_ns()
