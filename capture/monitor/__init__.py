"""What the operator sees while frames are recorded: the Textual monitor, and progress lines where there is no terminal.

The monitor is a process of its own (`python -m capture.monitor`); it draws `capture.statistics.CaptureStatistics`,
looks at the ring without holding frames back, and may lag or die without touching the recording.
"""

from capture.monitor.plain import PlainProgress

__all__ = ["PlainProgress"]
