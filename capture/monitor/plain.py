"""Progress without a terminal interface: one compact line a second, and events as lines of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import TextIO

from capture.messages import Event
from capture.monitor import figures
from capture.monitor.figures import History, Level, WallClock
from capture.monitor.session_line import phase_words, session_words
from capture.statistics import CameraState, CaptureStatistics

_INTERVAL_NS = 1_000_000_000
_COLOURS = {Level.OK: "32", Level.WARN: "33", Level.BAD: "1;31"}
_EVENT_LEVELS = {"info": Level.OK, "warning": Level.WARN, "error": Level.BAD}


def progress_fields(statistics: CaptureStatistics, history: History) -> list[tuple[str, Level | None]]:
    """The figures as short pieces of text with their levels, the most important first."""
    camera, recorder, live, losses = statistics.camera, statistics.recorder, statistics.live, statistics.losses
    state = figures.lost_for(camera.lost_s) if camera.state is CameraState.LOST else camera.state.value
    if figures.is_recording(statistics):
        planned = "" if statistics.trial_limit_s is None else f"/{figures.limit(statistics.trial_limit_s)}"
        state = f"RECORDING {figures.clip(statistics.trial, 24)} {figures.elapsed(statistics.trial_elapsed_s)}{planned}"
    causes = ", ".join(
        f"{name} {figures.few(lost)}"
        for name, lost in (
            ("camera", losses.camera),
            ("incomplete", losses.incomplete),
            ("ring", losses.ring),
            ("disk", losses.disk),
        )
        if lost
    )
    slots = camera.ring_slots
    most = camera.ring_used_max / slots if slots > 0 else 0.0
    cpu = "+".join(figures.UNKNOWN if share is None else figures.percent(share) for share in history.cpu)
    seen, skipped, spotted = (
        figures.count(number, 6) for number in (live.frames_analysed, live.frames_skipped, live.spotted)
    )
    simulated: list[tuple[str, Level | None]] = [("SIMULATED CAMERA", None)] if camera.simulated else []
    session: list[tuple[str, Level | None]] = []
    if statistics.elicitation is not None:
        session = [(", ".join(session_words(statistics.elicitation)), None)]
    return [
        (state, None),
        *session,
        (f"lost {figures.count(losses.total)}" + (f" ({causes})" if causes else ""), figures.loss_level(losses.total)),
        (
            f"{figures.rate(camera.rate_measured_fps)} of {figures.rate(camera.rate_asked_fps)} fps",
            figures.rate_level(statistics),
        ),
        (f"{figures.count(camera.frames)} frames, {figures.count(recorder.frames)} on disk", None),
        (
            f"ring {figures.percent(statistics.ring_fill)} (most {figures.percent(most)})",
            figures.ring_level(statistics.ring_fill),
        ),
        (
            f"queue {figures.percent(figures.queue_fill(statistics))}",
            figures.ring_level(figures.queue_fill(statistics)),
        ),
        (f"{figures.megabytes_per_second(recorder.write_mb_s)} MB/s", None),
        (
            f"disk {figures.time_left(statistics.disk_time_left_s)} left",
            figures.disk_level(statistics.disk_time_left_s),
        ),
        *simulated,
        ("direct I/O" if recorder.direct_io else "page cache", None if recorder.direct_io else Level.WARN),
        (f"clock {camera.clock_source or 'no fit'} {figures.residual(camera.clock_residual_ns)}", None),
        (f"cpu {cpu}", None),
        (f"live {seen} seen, {skipped} skipped, {spotted} hits" if live.running else "live off", None),
    ]


def _phase(statistics: CaptureStatistics) -> tuple[int, str] | None:
    session = statistics.elicitation
    return None if session is None else (session.step, phase_words(session))


class PlainProgress:
    """Writes the monitor's figures to a stream as text.

    On a terminal the line is rewritten in place and cut, after a whole field, where the terminal ends; elsewhere every
    second gives a new, complete line. Colours only on a terminal that has them, and never with NO_COLOR set.

    Args:
        stream: Where to write, usually stderr.
        clock: Turns host times into the time of day.
        environment: Looked up for NO_COLOR and TERM.
    """

    def __init__(
        self, stream: TextIO, clock: WallClock | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._stream = stream
        self._clock = clock or WallClock.of_this_machine()
        self._terminal = stream.isatty() and environment.get("TERM") != "dumb"
        self._colour = self._terminal and not environment.get("NO_COLOR")
        self._history = History()
        self._said: CaptureStatistics | None = None
        self._open = False

    def update(self, statistics: CaptureStatistics) -> None:
        """Take a report in; a line is written once a second, and at once when the state or a loss changed."""
        self._history.observe(statistics)
        said = self._said
        if (
            said is not None
            and statistics.host_ns - said.host_ns < _INTERVAL_NS
            and statistics.camera.state is said.camera.state
            and statistics.losses == said.losses
            and _phase(statistics) == _phase(said)
        ):
            return
        self._said = statistics
        fields = progress_fields(statistics, self._history)
        if self._terminal:
            self._rewrite(fields)
        else:
            stamp = self._clock.time_of_day(statistics.host_ns)
            self._write(f"{stamp} " + "  ".join(self._painted(*field) for field in fields) + "\n")

    def event(self, event: Event) -> None:
        """Write an event as a line of its own; a progress line in place is moved below it."""
        self._clear()
        level = _EVENT_LEVELS[event.level]
        word = event.level if level is Level.OK else event.level.upper()
        if self._colour and level is not Level.OK:
            word = self._painted(word, level)
        text = "".join(char if char.isprintable() else " " for char in event.text)
        self._write(f"{self._clock.time_of_day(event.host_ns)} {word} {event.source}: {text}\n")

    def close(self) -> None:
        """End a progress line in place, so that what follows starts on a line of its own."""
        if self._open:
            self._open = False
            self._write("\n")

    def _painted(self, text: str, level: Level | None) -> str:
        if level is None:
            return text
        # Where there is no colour the word carries what colour would; good news needs no word.
        if not self._colour:
            return text if level is Level.OK else f"{text} [{level.word}]"
        return f"\x1b[{_COLOURS[level]}m{text}\x1b[0m"

    def _rewrite(self, fields: list[tuple[str, Level | None]]) -> None:
        room = shutil.get_terminal_size().columns - 1
        pieces: list[str] = []
        for text, level in fields:
            cells = len(text) if self._colour else len(self._painted(text, level))
            room -= cells + (2 if pieces else 0)
            if room < 0 and pieces:
                break
            pieces.append(self._painted(text, level))
        self._clear()
        self._write("  ".join(pieces))
        self._open = True

    def _clear(self) -> None:
        if self._open:
            self._open = False
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
