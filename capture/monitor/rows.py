"""The lines of text that the monitor shows, as pure functions of the figures: what is said, and in which role."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.renderables.digits import DIGITS, DIGITS3X3_BOLD

from capture.messages import Event, TrialEnded
from capture.monitor import figures
from capture.monitor.figures import History, Level, WallClock
from capture.statistics import RING_GREEN_BELOW, RING_RED_ABOVE, CameraState, CaptureStatistics


class Role(StrEnum):
    """What a piece of text is; the palette gives it a colour."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    TAG = "tag"
    """The notice that the camera is simulated."""


class Span(NamedTuple):
    """A piece of one line."""

    text: str
    role: Role = Role.TEXT


Row = tuple[Span, ...]
BLANK: Row = (Span(""),)

FIGURES_WIDTH = 40
"""Cells that every row of figures fits into, whatever the figures."""
FIGURES_HEIGHT = 15
_LABEL = 8
_BAR = 20
_LEVEL_ROLES = (Role.OK, Role.WARN, Role.BAD)


def role_of(level: Level | None) -> Role:
    """The role in which a figure of this level is drawn."""
    return Role.DIM if level is None else _LEVEL_ROLES[level]


def width_of(row: Row) -> int:
    """Cells that the row takes."""
    return sum(cell_len(span.text) for span in row)


def _labelled(label: str, *spans: Span, level: Level | None = None) -> Row:
    """Label, content, and the level's symbol at the right edge."""
    head = Span(label.ljust(_LABEL), Role.DIM)
    if level is None:
        return (head, *spans)
    gap = FIGURES_WIDTH - 1 - width_of((head, *spans))
    return (head, *spans, Span(" " * gap), Span(level.symbol, role_of(level)))


def bar(fill: float, most: float, width: int = _BAR) -> Row:
    """A bar of `width` cells for a share of the ring, with the thresholds and the maximum marked.

    The scale is the square root of the share: 4 % stands at a fifth and 20 % at under half of the width, so that the
    small fills that matter can be seen.
    """

    def cell_of(share: float) -> int:
        return min(width - 1, int(min(1.0, max(0.0, share)) ** 0.5 * width))

    eighths = round(min(1.0, max(0.0, fill)) ** 0.5 * width * 8)
    full, part = divmod(eighths, 8)
    colour = role_of(figures.ring_level(fill))
    marks = {cell_of(RING_GREEN_BELOW): Span("┊", Role.WARN), cell_of(RING_RED_ABOVE): Span("┊", Role.BAD)}
    if most > 0:
        marks[cell_of(most)] = Span("│", role_of(figures.ring_level(most)))
    spans = [Span("█" * full, colour)] if full else []
    at = full
    if part and full < width:
        spans.append(Span("▏▎▍▌▋▊▉"[part - 1], colour))
        at += 1
    for cell in sorted(cell for cell in marks if cell >= at):
        spans += [Span("·" * (cell - at), Role.DIM), marks[cell]]
        at = cell + 1
    spans.append(Span("·" * (width - at), Role.DIM))
    return tuple(span for span in spans if span.text)


def _loss_rows(statistics: CaptureStatistics) -> list[Row]:
    losses = statistics.losses
    names, values = [], []
    for name, lost, width in (
        ("camera", losses.camera, 8),
        ("incomplete", losses.incomplete, 11),
        ("ring", losses.ring, 7),
        ("disk", losses.disk, 6),
    ):
        level = figures.loss_level(lost)
        value = f"{level.symbol} {figures.few(lost)}"
        names.append(Span(name.ljust(width), Role.DIM))
        values.append(Span(value.ljust(width), role_of(level)))
    return [_labelled("Lost", *names), _labelled("", *values)]


def _bar_rows(label: str, used: int, most: int, slots: int, tail: str) -> list[Row]:
    fill, peak = (used / slots, most / slots) if slots > 0 else (0.0, 0.0)
    level = figures.ring_level(fill) if slots > 0 else None
    said = f"{figures.percent(fill) if slots > 0 else figures.UNKNOWN:>8}"
    return [
        _labelled(label, *bar(fill, peak), Span(said, role_of(level)), level=level),
        (Span(" " * _LABEL), Span(f"{figures.count(used, 7)} {tail}, most {figures.percent(peak)}", Role.DIM)),
    ]


def _rate_rows(statistics: CaptureStatistics, history: History) -> list[Row]:
    camera = statistics.camera
    level = figures.rate_level(statistics)
    measured = figures.rate(camera.rate_measured_fps) if camera.rate_measured_fps else figures.UNKNOWN
    asked = figures.rate(camera.rate_asked_fps) if camera.rate_asked_fps else figures.UNKNOWN
    spark = figures.sparkline(history.rates(FIGURES_WIDTH - _LABEL), camera.rate_asked_fps)
    return [
        _labelled(
            "Rate", Span(measured, Role.STRONG), Span(" fps of "), Span(asked), Span(" asked", Role.DIM), level=level
        ),
        (Span(" " * _LABEL), Span(spark, role_of(level) if level else Role.DIM)),
    ]


def _disk_rows(statistics: CaptureStatistics) -> list[Row]:
    recorder = statistics.recorder
    left = figures.disk_level(statistics.disk_time_left_s)
    known = recorder.disk_total_bytes > 0
    free = figures.size(recorder.disk_free_bytes) if known else figures.UNKNOWN
    path = "direct I/O" if recorder.direct_io else "page cache"
    return [
        _labelled(
            "Write",
            Span(f"{figures.megabytes_per_second(recorder.write_mb_s)} MB/s "),
            Span(path, Role.DIM if recorder.direct_io else Role.WARN),
            level=(Level.OK if recorder.direct_io else Level.WARN) if known else None,
        ),
        _labelled(
            "Disk",
            Span(figures.time_left(statistics.disk_time_left_s), role_of(left) if left else Role.TEXT),
            Span(" left"),
            Span(f"  {free} free", Role.DIM),
            level=left,
        ),
    ]


def _machine_rows(statistics: CaptureStatistics, history: History, last: Row) -> list[Row]:
    camera, live = statistics.camera, statistics.live
    source = figures.clip(camera.clock_source, 8)
    clock = (
        (Span(f"{source}, residual "), Span(figures.residual(camera.clock_residual_ns)))
        if source
        else (Span("no fit yet", Role.DIM),)
    )
    shares = [figures.UNKNOWN if share is None else figures.percent(share) for share in history.cpu]
    service = [_labelled("Live", Span("off", Role.DIM)), BLANK]
    if live.running:
        service = [
            _labelled(
                "Live",
                Span(figures.count(live.frames_analysed, 7)),
                Span(" analysed ", Role.DIM),
                Span(figures.count(live.frames_skipped, 7)),
                Span(" skipped", Role.DIM),
            ),
            _labelled("", Span(figures.count(live.spotted), Role.STRONG), Span(" spotted", Role.DIM), *last),
        ]
    return [
        _labelled("Clock", *clock),
        _labelled("CPU", Span(f"camera {shares[0]}, recorder {shares[1]}")),
        *service,
    ]


def figure_rows(
    statistics: CaptureStatistics, history: History, height: int = FIGURES_HEIGHT, last: Row = ()
) -> list[Row]:
    """All figures, at most `FIGURES_WIDTH` cells wide; with blank lines between the groups where `height` allows.

    Args:
        statistics: The figures.
        history: What was seen before.
        height: Lines that there are.
        last: What the readout says in a few cells; at most 18.
    """
    camera, recorder = statistics.camera, statistics.recorder
    frames = _labelled(
        "Frames",
        Span(figures.count(camera.frames)),
        Span(" ring → ", Role.DIM),
        Span(figures.count(recorder.frames)),
        Span(" disk", Role.DIM),
    )
    groups = [
        _rate_rows(statistics, history),
        [frames, *_loss_rows(statistics)],
        [
            *_bar_rows("Ring", camera.ring_used, camera.ring_used_max, camera.ring_slots, "held"),
            *_bar_rows("Queue", recorder.queued, history.queue_max, camera.ring_slots, "waiting"),
        ],
        _disk_rows(statistics),
        _machine_rows(statistics, history, last),
    ]
    rows = [row for group in groups for row in group]
    spare = height - len(rows)
    if spare >= len(groups) - 1:
        rows = [row for group in groups for row in (*group, BLANK)][:-1]
    return rows


def big(text: str) -> tuple[str, str, str]:
    """`text` (digits, colons, points) in letters three cells high."""
    lines = ["", "", ""]
    for char in text:
        glyph: Sequence[str]
        if char == ":":
            glyph = (" ", "╏", " ")
        elif char == ".":
            glyph = (" ", " ", "•")
        elif char in DIGITS:
            at = DIGITS.index(char) * 3
            glyph = [part.ljust(3) for part in DIGITS3X3_BOLD[at : at + 3]]
        else:
            glyph = (" ", char, " ")
        lines = [line + part for line, part in zip(lines, glyph, strict=True)]
    return lines[0], lines[1], lines[2]


class Banner(NamedTuple):
    """The three lines at the top, and what colour they stand on."""

    rows: tuple[Row, Row, Row]
    level: Level | None
    """None where nothing is at stake: starting, stopped."""
    recording: bool


_STATE_WORDS = {
    CameraState.STARTING: "◌ STARTING",
    CameraState.PREVIEW: "○ PREVIEW",
    CameraState.RECORDING: "● RECORDING",
    CameraState.LOST: "✗ CAMERA LOST",
    CameraState.STOPPED: "■ STOPPED",
}


def _three_parts(left: str, middle: str, right: Row, width: int) -> Row:
    """Left text, middle text where the lines above and below have theirs, and right text flush with the edge."""
    room = max(0, width - 2 - cell_len(left) - cell_len(middle) - width_of(right))
    return (Span(" " + left, Role.STRONG), Span(middle, Role.STRONG), Span(" " * room), *right, Span(" "))


def banner(
    statistics: CaptureStatistics | None,
    *,
    width: int,
    silent_s: float | None = None,
    leaving: bool = False,
    last: TrialEnded | None = None,
) -> Banner:
    """What must be seen from two metres: does it record, is anything lost.

    Args:
        statistics: The last report; None before the first.
        width: Cells there are; 80 hold everything.
        silent_s: Seconds since the last word from the supervisor where that is too long.
        leaving: The operator asked to quit.
        last: How the last trial ended.
    """
    tag: Row = (Span(" SIMULATED CAMERA ", Role.TAG),) if statistics and statistics.camera.simulated else ()
    if silent_s is not None:
        return Banner(
            (
                _three_parts("✗ NO WORD FROM DFME-CAPTURE", "", (), width),
                _three_parts(f"  no report for {silent_s:.0f} s; these figures are old", "", (), width),
                _three_parts("  a trial that runs may still be recorded", "", tag, width),
            ),
            Level.BAD,
            recording=False,
        )
    if statistics is None:
        blank = _three_parts("", "", (), width)
        return Banner(
            (
                _three_parts("◌ STARTING", "", (), width),
                _three_parts("  waiting for a first report", "", (), width),
                blank,
            ),
            None,
            recording=False,
        )
    camera = statistics.camera
    found = figures.findings(statistics)
    level = found[0][0] if found else Level.OK
    state = "◌ QUITTING" if leaving else _STATE_WORDS[camera.state]
    if figures.is_recording(statistics):
        time_cells = figures.elapsed(statistics.trial_elapsed_s)
        if len(time_cells) > 7:
            time_cells = time_cells.partition(".")[0]
        limit_s = statistics.trial_limit_s
        planned = "until stopped" if limit_s is None else f"of {figures.limit(limit_s)}"
        lefts = [state, f"  {figures.clip(statistics.trial, 22)}", f"  {planned}"]
        middles: Sequence[str] = big(time_cells)
    elif camera.state is CameraState.LOST and camera.lost_s is not None:
        waits = f"{figures.clip(statistics.trial, 16)} waits" if statistics.trial_open else "check cable and power"
        left_s = figures.time_left(max(0.0, camera.patience_s - camera.lost_s))
        lefts = [state, f"  {waits}", f"  {left_s} more"]
        middles = big(figures.elapsed(camera.lost_s).partition(".")[0])
    else:
        lefts = [state, f"  {_hint(statistics, leaving=leaving)}", f"  {_last_words(last)}"]
        middles = ("", "", "")
    shown = level if camera.state not in {CameraState.STARTING, CameraState.STOPPED} else None
    if not found:
        found = [(Level.OK, "nothing lost" if figures.is_recording(statistics) else "ready")]
    elif camera.state is CameraState.LOST:
        found = found[1:]  # the state says so already
    said: list[Row] = [(Span(f"{worst.symbol} {words}", Role.STRONG),) for worst, words in found[:2]]
    rights: list[Row] = [*(said if shown is not None else []), (), ()][:2]
    rights.append(tag)
    pad = 25 if any(middles) else 0
    rows = [
        _three_parts(set_cell_size(lefts[i], pad) if pad else lefts[i], middles[i], rights[i], width) for i in range(3)
    ]
    return Banner((rows[0], rows[1], rows[2]), shown, figures.is_recording(statistics))


def _hint(statistics: CaptureStatistics, *, leaving: bool) -> str:
    if leaving:
        return "waiting until everything is on disk"
    match statistics.camera.state:
        case CameraState.STARTING:
            return "waiting for the camera"
        case CameraState.PREVIEW:
            by_itself = statistics.elicitation is not None
            return "nothing is recorded; " + ("the session starts trials" if by_itself else "space starts a trial")
        case CameraState.LOST:
            return "check its cable and power; frames on disk are kept"
        case _:
            return ""


def _last_words(last: TrialEnded | None) -> str:
    if last is None:
        return ""
    name = figures.clip(last.trial, 18)
    return f"{name}: {figures.count(last.end.frames)} frames, {figures.lost_words(last.end.losses.total)}"


_EVENT_MARKS = {"info": ("·", Role.DIM), "warning": ("▲", Role.WARN), "error": ("✗", Role.BAD)}


def event_rows(events: Sequence[Event], clock: WallClock, width: int, height: int) -> list[Row]:
    """The last events that fit into `height` lines of `width` cells, oldest first; long ones are wrapped."""
    rows: list[Row] = []
    for event in reversed(events):
        if len(rows) >= height:
            break
        mark, role = _EVENT_MARKS[event.level]
        head: Row = (
            Span(f" {clock.time_of_day(event.host_ns)} ", Role.DIM),
            Span(f"{mark} ", role),
            Span(f"{figures.clip(event.source, 10):<10} ", Role.DIM),
        )
        lead = width_of(head)
        text = figures.clip(event.text, 10_000)
        # Characters two cells wide (a name in Chinese, say) count twice.
        room = max(8, width - lead - 1) * len(text) // max(1, cell_len(text))
        said = wrap(text, max(4, room)) or [""]
        body = Role.TEXT if event.level == "info" else role
        block: list[Row] = [(*head, Span(said[0], body))]
        block += [(Span(" " * lead), Span(line, body)) for line in said[1:]]
        rows = block + rows
    return rows[-height:] if height > 0 else []
