"""How figures are written and judged: pure functions that the monitor and the progress lines share.

Every function that formats has a greatest width, whatever value it is given, so that no figure can spill over the
field it stands in. Values that cannot be meant (not a number, negative, astronomically large) come out as words.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import IntEnum

from rich.cells import cell_len, set_cell_size

from capture.statistics import RING_GREEN_BELOW, RING_RED_ABOVE, CameraState, CaptureStatistics, RecorderState

UNKNOWN = "—"
DISK_WARN_BELOW_S = 600.0
"""Recording time left on the disk below which the operator is warned."""
DISK_BAD_BELOW_S = 120.0
"""Recording time left below which a trial is likely not to fit."""
RATE_WARN_BEYOND = 0.01
"""Share by which the measured rate may differ from the one asked for before it is remarked on."""
RATE_BAD_BEYOND = 0.05
RATE_SETTLES_S = 2.0
"""Length of the first stretch of a trial in which the measured rate is not judged: it is a mean over one second."""

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
_SPARKS = "▁▂▃▄▅▆▇█"


class Level(IntEnum):
    """How well something stands; the larger, the worse."""

    OK = 0
    WARN = 1
    BAD = 2

    @property
    def symbol(self) -> str:
        """One cell that says the level without colour."""
        return "✓▲✗"[self]

    @property
    def word(self) -> str:
        """The level in plain letters, for terminals without symbols."""
        return ("ok", "warning", "BAD")[self]


def _scaled(value: float, width: int) -> str:
    """`value` with three significant digits and a prefix, at most `width` (5 or more) cells: `12.3k`."""
    for prefix in _PREFIXES:
        for digits in (2, 1, 0):
            text = f"{value:.{digits}f}"
            if len(text.replace(".", "")) <= 3:
                return f"{text}{prefix}"
        value /= 1000
    return ">999E"[:width]


def _finite(value: float) -> bool:
    return math.isfinite(value) and value >= 0


def count(value: int, width: int = 9) -> str:
    """A count of frames: exact with thousands separators where it fits `width` (5 or more) cells, else `12.3M`."""
    if value < 0:
        return UNKNOWN
    text = f"{value:,}" if value < 10**21 else ""
    return text if text and len(text) <= width else _scaled(float(min(value, 10**21)), width)


def few(value: int) -> str:
    """A count that should be 0, at most 4 cells: exact up to 9999, then `12k`."""
    if value < 0:
        return UNKNOWN
    if value <= 9999:
        return str(value)
    scaled = float(min(value, 10**21))
    for prefix in _PREFIXES[1:]:
        scaled /= 1000
        if scaled < 999.5:
            return f"{scaled:.0f}{prefix}"
    return ">1Z"


def rate(fps: float) -> str:
    """Frames a second, at most 6 cells: `500.0`."""
    if not _finite(fps):
        return UNKNOWN
    return f"{fps:.1f}" if fps < 9_999.95 else _scaled(fps, 6)


def percent(share: float) -> str:
    """A share of 1 as per cent, at most 7 cells: `2.1 %`."""
    if not _finite(share):
        return UNKNOWN
    return f"{share * 100:.1f} %" if share < 9.9995 else "> 999 %"


def size(value: int) -> str:
    """Bytes with a decimal prefix, at most 7 cells: `1.24 TB`."""
    if value < 0:
        return UNKNOWN
    text = _scaled(float(min(value, 10**21)), 5)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{value} B"


def megabytes_per_second(value: float) -> str:
    """Megabytes a second, at most 6 cells: `393.2`."""
    return rate(value)


def elapsed(seconds: float) -> str:
    """Time into a trial, at most 10 cells: `00:12.3`, `1:02:03.4`."""
    if not _finite(seconds):
        return "--:--.-"
    if seconds >= 359_999.9:
        return "> 99 h"
    tenths = int(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{tail}" if hours else tail


def limit(seconds: float) -> str:
    """The planned length of a trial, at most 10 cells: `01:00`, with tenths only where it has them."""
    return elapsed(seconds).removesuffix(".0")


def time_left(seconds: float | None) -> str:
    """Recording time left, at most 11 cells: `4 h 12 min`, `9 min 30 s`."""
    if seconds is None or not _finite(seconds):
        return UNKNOWN
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" if whole >= 600 else f"{whole // 60} min {whole % 60} s"
    if whole < 100 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    days = whole // 86_400
    return f"{days} days" if days < 10_000 else "> 9999 d"


def residual(nanoseconds: float | None) -> str:
    """A clock residual, at most 7 cells: `840 ns`, `1.2 µs`."""
    if nanoseconds is None or not math.isfinite(nanoseconds):
        return UNKNOWN
    value = abs(nanoseconds)
    for unit in ("ns", "µs", "ms", "s"):
        if value < 9.95 and unit != "ns":
            return f"{value:.1f} {unit}"
        if value < 999.5:
            return f"{value:.0f} {unit}"
        value /= 1000
    return "> 999 s"


def clip(text: str, width: int) -> str:
    """A name in at most `width` (1 or more) cells, an ellipsis where it was cut, spaces for control characters."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean if cell_len(clean) <= width else set_cell_size(clean, width - 1) + "…"


def sparkline(values: Iterable[float], asked: float) -> str:
    """One block per value: the lowest for 90 % of `asked` or less, the full one for 104 % or more."""
    low, high = asked * 0.90, asked * 1.04
    if not asked > 0 or not math.isfinite(high):
        return ""
    top = len(_SPARKS) - 1
    shares = ((value - low) / (high - low) if math.isfinite(value) else 0.0 for value in values)
    return "".join(_SPARKS[round(min(1.0, max(0.0, share)) * top)] for share in shares)


def ring_level(fill: float) -> Level:
    """How a fill of the ring, or of the queue to the disk, is judged."""
    if fill < RING_GREEN_BELOW:
        return Level.OK
    return Level.BAD if fill > RING_RED_ABOVE else Level.WARN


def loss_level(frames: int) -> Level:
    """One lost frame is one too many."""
    return Level.BAD if frames else Level.OK


def disk_level(seconds_left: float | None) -> Level | None:
    """How much recording time is left on the disk; None before it is known."""
    if seconds_left is None:
        return None
    if seconds_left < DISK_BAD_BELOW_S:
        return Level.BAD
    return Level.WARN if seconds_left < DISK_WARN_BELOW_S else Level.OK


def rate_level(statistics: CaptureStatistics) -> Level | None:
    """How far the measured rate is from the one asked for; None while there is nothing to compare."""
    camera = statistics.camera
    if camera.state not in {CameraState.PREVIEW, CameraState.RECORDING} or not camera.rate_asked_fps > 0:
        return None
    settling = camera.state is CameraState.RECORDING and statistics.trial_elapsed_s < RATE_SETTLES_S
    if settling or (camera.rate_measured_fps == 0 and camera.state is CameraState.PREVIEW):
        return None
    off = abs(camera.rate_measured_fps / camera.rate_asked_fps - 1)
    if off <= RATE_WARN_BEYOND:
        return Level.OK
    return Level.BAD if off > RATE_BAD_BEYOND and camera.state is CameraState.RECORDING else Level.WARN


def queue_fill(statistics: CaptureStatistics) -> float:
    """Frames that wait for the disk, as a share of the ring."""
    slots = statistics.camera.ring_slots
    return statistics.recorder.queued / slots if slots > 0 else 0.0


def is_recording(statistics: CaptureStatistics) -> bool:
    """Whether a trial runs."""
    return statistics.camera.state is CameraState.RECORDING


def lost_words(frames: int) -> str:
    """`nothing lost`, `1 frame lost`, `14 frames lost`; at most 21 cells."""
    if frames == 0:
        return "nothing lost"
    return f"{count(frames)} frame{'' if frames == 1 else 's'} lost"


def lost_for(seconds: float | None) -> str:
    """`camera lost`, with the time since while it is waited for; at most 24 cells."""
    return "camera lost" if seconds is None else f"camera lost {elapsed(seconds)}"


def findings(statistics: CaptureStatistics) -> list[tuple[Level, str]]:
    """What is wrong now, the worst first, each in at most 24 cells; empty when all is well."""
    camera, recorder, left = statistics.camera, statistics.recorder, statistics.disk_time_left_s
    lost = statistics.losses.total if is_recording(statistics) else 0
    found = [
        (Level.BAD if camera.state is CameraState.LOST else Level.OK, lost_for(camera.lost_s)),
        (Level.BAD if recorder.state is RecorderState.FAILED else Level.OK, "recorder failed"),
        (loss_level(lost), lost_words(lost)),
        (ring_level(statistics.ring_fill), f"ring {percent(statistics.ring_fill)} full"),
        (disk_level(left) or Level.OK, f"disk: {time_left(left)} left"),
        (rate_level(statistics) or Level.OK, f"rate {rate(camera.rate_measured_fps)} fps"),
    ]
    wrong = [finding for finding in found if finding[0] is not Level.OK]
    return sorted(wrong, key=lambda finding: -finding[0])


@dataclass(frozen=True)
class WallClock:
    """Turns host times (CLOCK_MONOTONIC) into the time of day."""

    offset_ns: int
    """Wall clock minus CLOCK_MONOTONIC."""
    zone: tzinfo | None = None
    """Time zone; None for the machine's own."""

    @classmethod
    def of_this_machine(cls) -> WallClock:
        """The clock as it stands now; the operator's log needs seconds, so one reading is enough."""
        return cls(time.time_ns() - time.monotonic_ns())

    def time_of_day(self, host_ns: int) -> str:
        """`14:03:12`, 8 cells."""
        try:
            moment = datetime.fromtimestamp((host_ns + self.offset_ns) / 1e9, UTC).astimezone(self.zone)
        except (OverflowError, OSError, ValueError):
            return "--:--:--"
        return moment.strftime("%H:%M:%S")


class History:
    """What has to be remembered between reports: the rate second by second, and processor time over a while."""

    _WINDOW_NS = 2_000_000_000

    def __init__(self, seconds: int = 120) -> None:
        self._rates: deque[float] = deque(maxlen=seconds)
        self._rate_ns: int | None = None
        self._cpu: deque[tuple[int, float, float]] = deque()
        self.queue_max = 0
        """Most frames that waited for the disk at once in this trial, as far as reports told."""
        self._trial = ""

    def observe(self, statistics: CaptureStatistics) -> None:
        """Take one report in; reports come in order of `host_ns`."""
        camera, recorder, now = statistics.camera, statistics.recorder, statistics.host_ns
        if camera.rate_measured_fps > 0 and (self._rate_ns is None or now - self._rate_ns >= 1_000_000_000):
            self._rates.append(camera.rate_measured_fps)
            self._rate_ns = now
        if statistics.trial != self._trial:
            self._trial, self.queue_max = statistics.trial, 0
        self.queue_max = max(self.queue_max, recorder.queued)
        self._cpu.append((now, camera.cpu_s, recorder.cpu_s))
        while len(self._cpu) > 2 and now - self._cpu[1][0] >= self._WINDOW_NS:
            self._cpu.popleft()

    def rates(self, seconds: int) -> tuple[float, ...]:
        """The measured rates of the last `seconds`, oldest first."""
        return tuple(self._rates)[-seconds:] if seconds > 0 else ()

    @property
    def cpu(self) -> tuple[float | None, float | None]:
        """Share of one core that camera and recorder took over the last two seconds; None before that is known."""
        if len(self._cpu) < 2:
            return None, None
        (then, camera, recorder), (now, camera_now, recorder_now) = self._cpu[0], self._cpu[-1]
        if now <= then:
            return None, None
        seconds = (now - then) / 1e9
        # A process that was restarted counts from zero again: nothing is known until two of its reports are in.
        shares = ((camera_now - camera) / seconds, (recorder_now - recorder) / seconds)
        return tuple(share if share >= 0 else None for share in shares)  # type: ignore[return-value]  # two in, two out
