"""The Textual application: takes messages from its feed, draws them, and turns keys into commands."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Final, Literal

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer

from capture.messages import CaptureReport, Command, Event, Message, Quit, TrialEnded
from capture.monitor import figures, rows
from capture.monitor.banner import banner
from capture.monitor.dialogs import Help, MarkerPrompt, QuitQuestion
from capture.monitor.feed import MonitorFeed
from capture.monitor.figures import History, WallClock
from capture.monitor.lines import Lines
from capture.monitor.palette import DARK, LIGHT, banner_styles
from capture.monitor.picture import Picture
from capture.monitor.readout import READOUT_HEIGHT, READOUT_NEEDS, Readout, last_words
from capture.monitor.session_line import session_row
from capture.monitor.spans import Role, Span
from capture.statistics import CameraState, CaptureStatistics, LiveStatistics

SILENT_AFTER_S = 3.0
"""Without a word from the supervisor for this long, the figures are called old."""
GONE_AFTER_S = 10.0
"""Without a word for this long, the supervisor is taken for gone and the monitor ends."""
_DRAW_EVERY_NS = 150_000_000
"""Reports come ten times a second; every other one is drawn, which is as often as a figure can be read."""
_KEY_HOLDS_S = 2.0
"""How long a start or stop that was sent blocks the next one, unless the state changes first."""
_EVENTS_KEPT = 200
_SESSION_COMMANDS: Final[dict[str, Literal["pause", "next", "penalty"]]] = {
    "pause": "pause",
    "next": "next",
    "penalty": "penalty",
}


class MonitorApp(App[None]):
    """The operator's screen.

    Args:
        feed: Where messages and pictures come from and commands go.
        clock: Turns host times into the time of day.
        now_ns: CLOCK_MONOTONIC; decides when silence has lasted too long.
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "dfme-capture"
    CSS = f"""
    Screen {{ background: $background; }}
    #banner {{ height: 3; }}
    #session {{ height: 1; display: none; }}
    #middle {{ height: 1fr; min-height: {rows.FIGURES_HEIGHT}; }}
    #figures {{ width: {rows.FIGURES_WIDTH}; margin: 0 1; }}
    #view {{ width: 1fr; }}
    #caption {{ height: 1; }}
    #picture {{ height: 1fr; }}
    #readout {{ height: {READOUT_HEIGHT}; display: none; }}
    #events {{ height: 5; }}
    Footer {{ background: $panel; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "trial", "Start/Stop", key_display="space", priority=False),
        Binding("m", "marker", "Marker"),
        Binding("M", "marker_text", "Marker text", key_display="M"),
        Binding("s", "still", "Still"),
        Binding("p", "session('pause')", "Pause"),
        Binding("n", "session('next')", "Next"),
        Binding("L", "session('penalty')", "Penalty", key_display="L"),
        Binding("t", "theme", "Theme"),
        Binding("question_mark", "explain", "Help", key_display="?"),
        Binding("q", "leave", "Quit"),
        Binding("ctrl+c,ctrl+q", "leave", "Quit", show=False, priority=True),
    ]

    def __init__(
        self, feed: MonitorFeed, *, clock: WallClock | None = None, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name
        self.parting = ""
        """The line to leave on the terminal when the application has ended."""
        self._feed = feed
        self._clock = clock or WallClock.of_this_machine()
        self._now_ns = now_ns
        self._heard_ns = now_ns()
        self._history = History()
        self._statistics: CaptureStatistics | None = None
        self._drawn: CaptureStatistics | None = None
        self._events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self._last: TrialEnded | None = None
        self._laid_out = False
        self._leaving = False
        self._asked_ns: int | None = None

    def compose(self) -> ComposeResult:
        """Banner, figures beside the picture, event log, keys."""
        yield Lines(id="banner")
        yield Lines(id="session")
        with Horizontal(id="middle"):
            yield Lines(id="figures")
            with Vertical(id="view"):
                yield Lines(id="caption")
                yield Picture(id="picture")
                yield Readout(id="readout")
        yield Lines(id="events")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Start listening, and watching for silence."""
        self._laid_out = True
        self.run_worker(self._listen(), name="listen")
        self.set_interval(0.5, self._watch)
        self._draw()

    def on_resize(self) -> None:
        """Lay everything out anew for the size the terminal has now."""
        self._lay_out()
        self.call_after_refresh(self._draw)

    def _lay_out(self) -> None:
        """The event log's height: what the figures and the line of a session leave."""
        session = self.screen_stack[0].query_one("#session", Lines).display
        height = self.size.height - session
        self.screen_stack[0].query_one("#events").styles.height = (
            height - 19 if height < 24 else (5 if height < 34 else min(9, height - 30))
        )

    async def _listen(self) -> None:
        async for message in self._feed.messages():
            self._heard_ns = self._now_ns()
            self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case CaptureReport(statistics=statistics):
                self._history.observe(statistics)
                before, self._statistics = self._statistics, statistics
                if before is None or before.camera.state is not statistics.camera.state:
                    self._asked_ns = None
                if self._is_due(statistics):
                    self._draw()
            case Event():
                self._events.append(message)
                self._draw_events()
            case TrialEnded():
                self._last = message
                self._draw()
            case Quit():
                self.exit(return_code=0)
            case _:
                pass

    def _is_due(self, statistics: CaptureStatistics) -> bool:
        drawn = self._drawn
        return (
            drawn is None
            or statistics.host_ns - drawn.host_ns >= _DRAW_EVERY_NS
            or statistics.camera.state is not drawn.camera.state
            or statistics.recorder.state is not drawn.recorder.state
            or statistics.losses != drawn.losses
        )

    def _watch(self) -> None:
        silent_s = self._silent_s()
        if silent_s > GONE_AFTER_S:
            self.parting = (
                f"monitor: no word from the supervisor for {GONE_AFTER_S:.0f} s, so this screen ended; "
                "look at its message and check the recording with dfme-session verify"
            )
            self.exit(return_code=1)
        elif silent_s > SILENT_AFTER_S or self._drawn is not self._statistics:
            self._draw()

    def _silent_s(self) -> float:
        return (self._now_ns() - self._heard_ns) / 1e9

    def _draw(self) -> None:
        if not self._laid_out:
            return
        base = self.screen_stack[0]
        statistics = self._statistics
        silent_s = self._silent_s()
        top = banner(
            statistics,
            width=self.size.width,
            silent_s=silent_s if silent_s > SILENT_AFTER_S else None,
            leaving=self._leaving,
            last=self._last,
        )
        styles = banner_styles(top.level, recording=top.recording, dark=self.current_theme.dark)
        base.query_one("#banner", Lines).show(top.rows, styles)
        self._draw_session()
        shown = base.query_one("#figures", Lines)
        figured = statistics or CaptureStatistics()
        shown.show(rows.figure_rows(figured, self._history, shown.size.height, last_words(figured.live)))
        self._draw_readout(figured.live)
        caption = base.query_one("#caption", Lines)
        name = statistics.camera.camera if statistics else ""
        caption.show(
            [(Span(figures.clip(name or " ", max(1, caption.size.width)).center(caption.size.width), Role.DIM),)]
        )
        picture = base.query_one("#picture", Picture)
        picture.show(self._feed.picture(picture.step))
        self._drawn = statistics
        self._draw_events()

    def _draw_readout(self, live: LiveStatistics) -> None:
        """What the live service reads out, where there is room; in a small terminal the figures say the last."""
        readout = self.screen_stack[0].query_one("#readout", Readout)
        room = self.size.width >= READOUT_NEEDS[0] and self.size.height >= READOUT_NEEDS[1]
        readout.display = live.running and bool(live.state) and room
        if readout.display:
            readout.show(live, self._clock)

    def _draw_session(self) -> None:
        """The participant's session; its line and its keys are there only while there is one."""
        session = self._statistics.elicitation if self._statistics is not None else None
        line = self.screen_stack[0].query_one("#session", Lines)
        if line.display != (session is not None):
            line.display = session is not None
            self._lay_out()
            self.refresh_bindings()
        if session is not None:
            line.show([session_row(session, line.size.width or self.size.width)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys are there: those of a session while one runs, that of a trial while none does."""
        running = self._statistics is not None and self._statistics.elicitation is not None
        if action == "session":
            return running
        # In a session there is no room for every key at 80 columns.
        return not (action in ("trial", "theme") and running)

    async def action_session(self, name: str) -> None:
        """Pass the operator's word on to the participant's session."""
        await self._send(Command(name=_SESSION_COMMANDS[name]))

    def _draw_events(self) -> None:
        log = self.screen_stack[0].query_one("#events", Lines)
        width, height = log.size
        title = (Span(" Events " + "─" * max(0, width - 9), Role.DIM),)
        log.show([title, *rows.event_rows(self._events, self._clock, width, height - 1)])

    async def _send(self, command: Command) -> None:
        await self._feed.send(command)

    def _state(self) -> CameraState:
        return self._statistics.camera.state if self._statistics else CameraState.STARTING

    def _trial_open(self) -> bool:
        """Whether a trial runs, or waits for a camera that went away."""
        statistics = self._statistics
        return statistics is not None and (
            figures.is_recording(statistics) or (statistics.camera.lost_s is not None and statistics.trial_open)
        )

    def _remark(self, text: str) -> None:
        self._events.append(Event(host_ns=self._now_ns(), level="warning", source="monitor", text=text))
        self._draw_events()

    async def action_trial(self) -> None:
        """Start a trial in preview, stop the one that runs."""
        now = self._now_ns()
        if self._asked_ns is not None and now - self._asked_ns < _KEY_HOLDS_S * 1e9:
            return
        match self._state():
            case CameraState.PREVIEW:
                self._asked_ns = now
                await self._send(Command(name="start_trial"))
            case CameraState.RECORDING | CameraState.LOST if self._trial_open():
                self._asked_ns = now
                await self._send(Command(name="stop_trial"))
            case state:
                self._remark(f"no trial can start or stop while the camera is {state.value}")

    async def action_marker(self) -> None:
        """Set a marker without text."""
        await self._send(Command(name="marker", host_ns=self._now_ns()))

    def action_marker_text(self) -> None:
        """Ask for a text and set a marker with it, at the time of the key and not of the text."""
        pressed_ns = self._now_ns()

        async def answered(text: str | None) -> None:
            if text is not None:
                await self._send(Command(name="marker", text=text, host_ns=pressed_ns))

        self.push_screen(MarkerPrompt(), answered)

    async def action_still(self) -> None:
        """Save the newest frame as a picture."""
        await self._send(Command(name="still"))

    async def action_leave(self) -> None:
        """Quit; asks first while a trial runs."""
        if isinstance(self.screen, QuitQuestion):
            return
        if self._trial_open() and not self._leaving:
            self.push_screen(QuitQuestion(), self._answered)
        else:
            await self._leave()

    async def _answered(self, yes: bool | None) -> None:
        if yes:
            await self._leave()

    async def _leave(self) -> None:
        self._leaving = True
        self._draw()
        await self._send(Command(name="quit"))

    def action_theme(self) -> None:
        """Change between dark and light."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name
        self._draw()

    def action_explain(self) -> None:
        """Show keys and signs."""
        self.push_screen(Help())
