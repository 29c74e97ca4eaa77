"""The lines of figures and events that the monitor shows, as pure functions: what is said, and in which role."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from rich.cells import cell_len

from capture.messages import Event
from capture.monitor import figures
from capture.monitor.figures import History, Level, WallClock
from capture.monitor.spans import BLANK, Role, Row, Span, bar, role_of, width_of
from capture.statistics import CaptureStatistics

FIGURES_WIDTH = 40
"""Cells that every row of figures fits into, whatever the figures."""
FIGURES_HEIGHT = 15
_LABEL = 8


def _labelled(label: str, *spans: Span, level: Level | None = None) -> Row:
    """Label, content, and the level's symbol at the right edge."""
    head = Span(label.ljust(_LABEL), Role.DIM)
    if level is None:
        return (head, *spans)
    gap = FIGURES_WIDTH - 1 - width_of((head, *spans))
    return (head, *spans, Span(" " * gap), Span(level.symbol, role_of(level)))


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
