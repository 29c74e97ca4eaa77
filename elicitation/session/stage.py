"""What the steps of a session act on: the participant's screen, the camera, and the operator's word.

Everything that waits waits in `until`, where messages of all processes are dealt with as they come.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
import zmq

from capture.elicited import Elicited
from capture.messages import (
    Command,
    Event,
    Finished,
    Message,
    Quit,
    TrialEnded,
    TrialRefused,
    TrialStarted,
    TrialWanted,
)
from capture.statistics import ElicitationStatistics
from capture.web import new_token
from elicitation.errors import ElicitationError
from elicitation.player import messages as player_messages
from elicitation.protocol import ScreenSettings
from elicitation.session.desk import Desk, now_ns
from elicitation.session.line_process import LineProcess
from elicitation.session.markers import Markers
from elicitation.web import messages as web_messages

Outcome = Literal["done", "time", "skipped"]
Level = Literal["info", "warning", "error"]
_TURN_MS = 100
_REPORT_NS = 200_000_000
_PLAYER_COMES_UP_S = 30.0
_PAGES_COME_UP_S = 30.0
_SLOWER_BY_S = 30.0
"""A video that takes longer than it lasts by more than this is ended."""
_STARTS_IN_A_ROW = 3
"""A player or page server that dies this often in one step will not get better."""


class SessionOver(Exception):  # not an error: somebody asked for the end
    """The process was asked to end; what is left of the session is done another time."""


class Trial(msgspec.Struct):
    """The trial that is recorded, as far as it has come."""

    name: str = ""
    """Empty until it has started."""
    refused: str = ""
    ended: bool = False
    finished: Finished | None = None


class Stage:
    """The participant's screen, the camera and the operator, for one session."""

    def __init__(
        self,
        desk: Desk,
        screen: ScreenSettings,
        *,
        language: str = "",
        speed: float = 1.0,
        markers: Markers | None = None,
    ) -> None:
        self.session = Path()
        """Folder of the session; to be set before the first step."""
        self.speed = speed
        """How many times faster than life a rehearsal goes."""
        self.pausing = False
        self.penalty = False
        self.statistics = ElicitationStatistics()
        """Where the session is; steps and runner keep it up to date."""
        self.answered: Callable[[web_messages.Answer], None] = lambda _answer: None
        """Called for each answer of the participant."""
        self.trial: Trial | None = None
        self.flip_source = ""
        self._language = language
        self._desk = desk
        self._screen = screen
        self._markers = markers
        self._skip = False
        self._deadline_ns: int | None = None
        self._reported_ns = 0
        self._player: LineProcess[player_messages.Answer] | None = None
        self._pages: LineProcess[web_messages.Reply] | None = None
        self._played: player_messages.Ended | None = None
        self._began_ns = 0
        self._player_failed = ""
        self._page_done: web_messages.Done | None = None
        self._page_failed = ""
        self._pages_url = ""
        self._pages_token = new_token()

    # --- waiting ---------------------------------------------------------------------------------------------------

    def until(
        self,
        condition: Callable[[], bool] = lambda: False,
        seconds: float | None = None,
        *,
        skippable: bool = True,
        grace_s: float = 0.0,
    ) -> Outcome:
        """Wait until `condition` holds, the time is over, or the operator goes on to the next step.

        Args:
            condition: Asked after every message.
            seconds: How long it should take; the operator sees what is left of it.
            skippable: Whether the operator can cut it short.
            grace_s: How much longer it may take.

        Raises:
            SessionOver: The process was asked to end.
        """
        if skippable:
            self._skip = False
        due_ns = None if seconds is None else now_ns() + round(seconds * 1e9)
        deadline_ns = None if due_ns is None else due_ns + round(grace_s * 1e9)
        self._deadline_ns = due_ns if skippable else None
        try:
            while True:
                if condition():
                    return "done"
                if skippable and self._skip:
                    return "skipped"
                left_ms = _TURN_MS if deadline_ns is None else (deadline_ns - now_ns()) / 1e6
                if left_ms <= 0:
                    return "time"
                self._turn(min(left_ms, _TURN_MS))
        finally:
            self._deadline_ns = None

    def _turn(self, timeout_ms: float) -> None:
        poller = zmq.Poller()
        for source in (self._desk.source, *(child.fd for child in (self._player, self._pages) if child is not None)):
            if source is not None:
                poller.register(source, zmq.POLLIN)
        poller.poll(max(1, round(timeout_ms)))
        if self._desk.ended:
            raise SessionOver
        for message in self._desk.received():
            self._hear(message)
        if self._player is not None:
            for answer in self._player.received():
                self._hear_player(answer)
            if not self._player.running:
                self._player.close(player_messages.Quit())
                self._player, self._player_failed = None, "the player process ended"
        if self._pages is not None:
            for reply in self._pages.received():
                self._hear_pages(reply)
            if not self._pages.running:
                self._pages.close(web_messages.Quit())
                self._pages, self._page_failed = None, "the process of the participant's pages ended"
        if now_ns() - self._reported_ns >= _REPORT_NS:
            self.report()

    def report(self) -> None:
        """Tell the operator where the session is."""
        self._reported_ns = now_ns()
        left_s = None if self._deadline_ns is None else max(0.0, (self._deadline_ns - self._reported_ns) / 1e9)
        self._desk.report(
            msgspec.structs.replace(self.statistics, left_s=left_s, pausing=self.pausing, penalty=self.penalty)
        )

    def _hear(self, message: Message) -> None:
        trial = self.trial
        match message:
            case Quit():
                raise SessionOver
            case Command(name="pause"):
                self.pausing = not self.pausing
                self.event("info", self._pause_words() if self.pausing else "goes on", "session")
                self.report()
            case Command(name="next"):
                self._skip = True
            case Command(name="penalty"):
                self.penalty = not self.penalty
                self.report()
            case Event() if self._markers is not None:
                self._markers.push(message)
            case TrialStarted(trial=name) if trial is not None:
                trial.name = name
            case TrialRefused(reason) if trial is not None:
                trial.refused = reason
            case TrialEnded() if trial is not None:
                trial.ended = True
            case Finished() if trial is not None:
                trial.finished = message
            case _:
                pass

    def _pause_words(self) -> str:
        # A film that was stopped in the middle does not evoke again what it evoked.
        return f"pauses after this {'stimulus' if self.statistics.phase == 'stimulus' else 'step'}"

    # --- events ----------------------------------------------------------------------------------------------------

    def event(
        self,
        level: Level,
        text: str,
        kind: str,
        *,
        host_ns: int = 0,
        duration_s: float | None = None,
        trial: str | None = None,
        frames: int | None = None,
        elicited: Elicited | None = None,
    ) -> None:
        """Enter an event, now unless `host_ns` says when."""
        self._desk.event(
            Event(
                host_ns or now_ns(),
                level,
                "session",
                text,
                kind,
                duration_s=duration_s,
                frames=frames,
                trial=trial,
                elicited=elicited,
            )
        )

    # --- the camera ------------------------------------------------------------------------------------------------

    def start_trial(self, kind: str, stimulus: str | None, timeout_s: float = 30.0) -> str:
        """Record from now on; returns the trial's name, or `` where it was refused, which `trial` tells."""
        trial = self.trial = Trial()
        self._desk.start_trial(TrialWanted(kind, stimulus))
        if self.until(lambda: bool(trial.name or trial.refused), timeout_s, skippable=False) == "time":
            trial.refused = f"no frame came within {timeout_s:.0f} s"
            self._desk.stop_trial()
        return "" if trial.refused else trial.name

    def stop_trial(self, timeout_s: float = 60.0) -> Finished | None:
        """End the recording and wait until it is closed; None where that takes too long."""
        trial, self.trial = self.trial, self.trial
        if trial is None or trial.refused:
            return None
        if not trial.ended:
            self._desk.stop_trial()
        self.until(lambda: trial.finished is not None, timeout_s, skippable=False)
        self.trial = None
        return trial.finished

    # --- the participant's screen ----------------------------------------------------------------------------------

    def open_player(self) -> None:
        """Open the window on the participant's screen, unless it is open.

        Raises:
            ElicitationError: There is no such screen, or the player does not come up.
        """
        if self._player is not None:
            return
        arguments = ["--display", self._screen.display] + (["--patch"] if self._screen.photodiode_patch else [])
        if self.speed != 1.0:
            arguments.append("--mute")
        self.flip_source, self._player_failed = "", ""
        self._player = LineProcess("player", "elicitation.player", arguments, player_messages.answer_decoder)
        self.until(lambda: bool(self.flip_source or self._player_failed), _PLAYER_COMES_UP_S, skippable=False)
        if not self.flip_source:
            raise ElicitationError(self._player_failed or "the player did not come up")

    def show_text(self, text: str) -> None:
        """Show lines of text, or a dark screen."""
        self._order(player_messages.Show(text, self._language))

    def play(self, stimulus: str, video: Path, flips: Path, seconds: float) -> player_messages.Ended | None:
        """Show a video to its end, or until the operator goes on; None where the player died of it.

        Args:
            stimulus: Its id.
            video: Its file.
            flips: File that gets a line for each frame.
            seconds: Its length; in a rehearsal at speed it is ended after its share of that.
        """
        self._played, self._player_failed = None, ""
        self._order(player_messages.Play(stimulus, str(video), str(flips)))
        over = self.until(
            lambda: self._played is not None or bool(self._player_failed),
            seconds / self.speed,
            grace_s=0.0 if self.speed != 1.0 else _SLOWER_BY_S,
        )
        if over != "done":
            self._order(player_messages.Stop())
            self.until(lambda: self._played is not None or bool(self._player_failed), 10.0, skippable=False)
        if self._played is None and (not self._player_failed or self._player is None):
            self.event("error", self._player_failed or "the player does not answer", "session")
        return self._played

    def _order(self, order: player_messages.Order) -> None:
        for _ in range(_STARTS_IN_A_ROW):
            self.open_player()
            if self._player is not None:
                self._player.send(order)
                if self._player.running:
                    return
                self._turn(0)

    def _hear_player(self, answer: player_messages.Answer) -> None:
        match answer:
            case player_messages.Ready(display, width, height, refresh, source, sound):
                self.flip_source = source
                where = f"{width}x{height}" + (f" at {refresh:g} Hz" if refresh else "")
                heard: Level = "warning" if sound.startswith("no sound") else "info"
                self.event(heard, f"participant's screen {display}: {where}, {source}; sound: {sound}", "session")
            case player_messages.Began(host_ns=host_ns):
                self._began_ns = host_ns
            case player_messages.Ended():
                self._played = answer
            case player_messages.Failed(error):
                self._player_failed = error
                self.event("warning", error, "session")

    # --- the participant's pages -----------------------------------------------------------------------------------

    def page(self, order: web_messages.Show, seconds: float | None = None) -> Outcome:
        """Show a page until the participant ends it, the time is over, or the operator goes on."""
        for _ in range(_STARTS_IN_A_ROW):
            self._page_done, self._page_failed = None, ""
            self._open_pages()
            if self._player is not None:
                self._player.send(player_messages.Hide())
            if self._pages is not None:
                self._pages.send(order)
            outcome = self.until(lambda: self._is_done(order) or bool(self._page_failed), seconds)
            if not self._page_failed:
                break
            self.event("error", self._page_failed, "session")
            if self._pages is not None:  # the order itself was refused
                break
        if self._pages is not None:
            self._pages.send(web_messages.Show(page="blank"))
        return "skipped" if self._page_failed else outcome

    def _is_done(self, order: web_messages.Show) -> bool:
        done = self._page_done
        return done is not None and (done.page, done.step) == (order.page, order.step)

    def _open_pages(self) -> None:
        if self._pages is not None:
            return
        # Started anew it answers where it did before, so that a browser that waits for it comes back by itself.
        port = urlsplit(self._pages_url).port or 0
        self._pages_url = ""
        browser = self._screen.browser
        arguments = ["--session", str(self.session.absolute()), "--port", str(port)]
        if browser:
            arguments += ["--browser", browser, "--display", self._screen.display]
        self._pages = LineProcess(
            "pages", "elicitation.web", arguments, web_messages.reply_decoder, {"DFME_WEB_TOKEN": self._pages_token}
        )
        self.until(lambda: bool(self._pages_url or self._page_failed), _PAGES_COME_UP_S, skippable=False)

    def _hear_pages(self, reply: web_messages.Reply) -> None:
        match reply:
            case web_messages.Ready(url):
                self._pages_url = url
                if not self._screen.browser:
                    self.event("info", f"open the participant's pages at {url}", "session")
            case web_messages.BrowserState(state, text):
                level: Level = "warning" if state in ("ended", "missing", "silent") else "info"
                self.event(level, f"browser {state}{': ' if text else ''}{text}", "session")
            case web_messages.Answer():
                self.answered(reply)
            case web_messages.Done():
                self._page_done = reply
            case web_messages.Failed(error):
                self._page_failed = error

    def close(self) -> None:
        """Take everything off the participant's screen."""
        if self._player is not None:
            self._player.close(player_messages.Quit())
            self._player = None
        if self._pages is not None:
            self._pages.close(web_messages.Quit())
            self._pages = None
