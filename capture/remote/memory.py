"""Memory of messages as large as frames: kept by the process, in place of asked for and given back each time."""

from __future__ import annotations

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEPT_BYTES = 500_000_000
_STEP_BYTES = 16 * 2**20
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
"""What glibc allows."""


def keep_message_memory() -> None:
    """Have the C library keep what it was given back; call before the first message.

    An encrypted frame passes through three buffers of its size on each side. Fetched from the system anew every time,
    their page faults cost four to nine hundredths of all processor time (benchmarks/remote_recording.py).
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TOP_PAD, _STEP_BYTES)
