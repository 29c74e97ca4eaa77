"""The three lines at the top of the monitor: does it record, is anything lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from capture.messages import TrialEnded
from capture.monitor import figures
from capture.monitor.figures import Level
from capture.monitor.spans import Role, Row, Span, big, width_of
from capture.statistics import CameraState, CaptureStatistics


class Banner(NamedTuple):
    """The three lines at the top, and what colour they stand on."""

    rows: tuple[Row, Row, Row]
    level: Level | None
    """None where nothing is at stake: starting, stopped."""
    recording: bool


_PREVIEW_HINTS = {
    None: "nothing is recorded; space starts a trial",
    "paused": "nothing is recorded; p goes on",
    "finished": "the session is complete; q ends it",
}
"""By the phase of a participant's session; None without one."""
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
            phase = statistics.elicitation.phase if statistics.elicitation is not None else None
            return _PREVIEW_HINTS.get(phase, "nothing is recorded; the session starts trials")
        case CameraState.LOST:
            return "check its cable and power; frames on disk are kept"
        case _:
            return ""


def _last_words(last: TrialEnded | None) -> str:
    if last is None:
        return ""
    name = figures.clip(last.trial, 18)
    return f"{name}: {figures.count(last.end.frames)} frames, {figures.lost_words(last.end.losses.total)}"
