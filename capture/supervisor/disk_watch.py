"""Watches the disk while a trial runs, so that it can be ended cleanly while there is room to do so."""

from __future__ import annotations

from typing import Final

from capture.statistics import RecorderState, RecorderStatistics

_FREE_SHARDS_TO_GO_ON: Final = 1.2
"""The next shard is allocated ahead; with less than this free the one after it could not be."""


class DiskWatch:
    """Says once for each trial that the disk ends it."""

    def __init__(self, shard_bytes: int, frame_bytes: int) -> None:
        self._room = shard_bytes * _FREE_SHARDS_TO_GO_ON
        self._frame_bytes = frame_bytes
        self._said = False

    def begin_trial(self) -> None:
        """Another trial: what was said of the last one no longer counts."""
        self._said = False

    def verdict(self, recorder: RecorderStatistics) -> str | None:
        """None while the trial may go on, and after it was said; else why it must end, empty where that was told."""
        if self._said:
            return None
        known = recorder.state is RecorderState.RECORDING and recorder.disk_total_bytes > 0
        # What waits in the ring needs room as well: a disk that is slow as it fills up has much of it.
        full = known and recorder.disk_free_bytes < self._room + recorder.queued * self._frame_bytes
        if not full and recorder.state is not RecorderState.FAILED:
            return None
        self._said = True
        if not full:
            return ""
        left = f"{recorder.disk_free_bytes / 1e6:.0f} MB left"
        return f"the disk is full ({left}): ending the trial while that can be done cleanly"
