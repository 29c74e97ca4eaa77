"""One clock: the lines that map a camera's device time to CLOCK_MONOTONIC of the recording machine."""

from capture.clock.arrivals import STEP_NS, find_arrival_steps, fit_arrival_pieces, fit_arrivals
from capture.clock.brackets import LatchBracket, fit_bracket_pieces, fit_brackets
from capture.clock.lines import (
    MAX_SEGMENTS,
    ClockFit,
    ClockSegment,
    PiecewiseClock,
    clock_fit_from_attributes,
    piecewise_clock_from_attributes,
)

__all__ = [
    "MAX_SEGMENTS",
    "STEP_NS",
    "ClockFit",
    "ClockSegment",
    "LatchBracket",
    "PiecewiseClock",
    "clock_fit_from_attributes",
    "find_arrival_steps",
    "fit_arrival_pieces",
    "fit_arrivals",
    "fit_bracket_pieces",
    "fit_brackets",
    "piecewise_clock_from_attributes",
]
