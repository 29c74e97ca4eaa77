"""The supervisor's journal: each event goes to the session's log and to whoever watches, now or later."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal

from capture.messages import Event
from capture.monitor.plain import PlainProgress
from capture.session import Session
from capture.supervisor.hub import Hub

_WATCHERS = ("monitor", "elicitation")
"""Processes that are told every event, where they run: the operator's screen, and markers for other recorders."""
_KEPT = 50
"""Events told to a monitor that comes up after they happened."""

Level = Literal["info", "warning", "error"]


class Journal:
    """Takes events; knows the session and the watchers once there are any."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._events: deque[Event] = deque(maxlen=_KEPT)
        self._session: Session | None = None
        self.plain: PlainProgress | None = None
        self.trial: str | None = None
        """Trial that events belong to from now on."""

    def note(self, level: Level, text: str, kind: str = "note", host_ns: int = 0) -> None:
        """An event of the supervisor's own, now unless `host_ns` says when; `kind` is its `trial_type` in the log."""
        self.log(Event(host_ns or time.monotonic_ns(), level, "supervisor", text, kind))

    @property
    def session(self) -> Session | None:
        """Where events are kept; what came before there was one goes in first."""
        return self._session

    @session.setter
    def session(self, session: Session | None) -> None:
        self._session = session
        for event in self._events:
            self._keep(event)

    def log(self, event: Event) -> None:
        """Any event."""
        self._events.append(event)
        self._keep(event)
        for watcher in _WATCHERS:
            self._hub.tell(watcher, event)
        if self.plain is not None:
            self.plain.event(event)

    def _keep(self, event: Event) -> None:
        if self._session is not None:
            self._session.keep_event(event, self.trial)

    def show(self, plain: PlainProgress) -> None:
        """Show events as lines from now on, those first that came while the processes were starting."""
        self.plain = plain
        for event in self._events:
            plain.event(event)

    def tell_monitor_the_past(self) -> None:
        """Send the events so far to a monitor that has just come up."""
        for event in self._events:
            self._hub.tell("monitor", event)
