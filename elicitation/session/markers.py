"""A marker stream of the Lab Streaming Layer: every event of the session, with its own time."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from capture.errors import BadInput
from capture.messages import Event

STREAM_NAME: Final = "dfme-events"
STREAM_TYPE: Final = "Markers"


class Markers:
    """One outlet. Its clock is CLOCK_MONOTONIC, as that of all our times, so that stamps are passed on unchanged."""

    def __init__(self, source_id: str) -> None:
        """Open the outlet.

        Args:
            source_id: By which a recorder finds the stream again after an interruption; the session's name.

        Raises:
            BadInput: The package `pylsl` is missing.
        """
        try:
            import pylsl  # noqa: PLC0415  an extra
        except (ImportError, RuntimeError) as error:
            raise BadInput(f"--lsl needs the package pylsl: ./install.sh --with lsl ({error})") from None
        info = pylsl.StreamInfo(STREAM_NAME, STREAM_TYPE, 1, 0.0, "string", source_id)
        self._outlet: Any = pylsl.StreamOutlet(info)

    def push(self, event: Event) -> None:
        """Send one event as a line of JSON, stamped with its own time."""
        self._outlet.push_sample([msgspec.json.encode(event).decode()], event.host_ns / 1e9)
