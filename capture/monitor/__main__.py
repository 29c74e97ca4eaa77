"""The monitor process: `python -m capture.monitor --hub ipc://… --ring-fd N`, started by the supervisor."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from functools import partial
from types import FrameType

from capture.errors import CaptureError
from capture.monitor.app import MonitorApp
from capture.monitor.feed import HubFeed


def main() -> int:
    """Run the monitor on this terminal; 0 after the supervisor's `Quit`, 1 when the supervisor is gone."""
    parser = argparse.ArgumentParser(prog="python -m capture.monitor", description="The operator's screen.")
    parser.add_argument("--hub", required=True, help="the supervisor's hub, ipc://…")
    parser.add_argument("--ring-fd", type=int, default=None, help="inherited descriptor of the frame ring")
    options = parser.parse_args()
    # Textual draws on stderr and reads stdin.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        print("monitor: there is no terminal here: use --no-tui for progress lines", file=sys.stderr)  # noqa: T201  # the command's one line of error
        return 2
    try:
        feed = HubFeed(options.hub, options.ring_fd)
    except (CaptureError, OSError) as error:
        print(f"monitor: {error}", file=sys.stderr)  # noqa: T201  # the command's one line of error
        return 1
    # Ctrl-C is a key here; one sent to the whole group is the supervisor's to answer, with a Quit.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    app = MonitorApp(feed)

    def end(number: int, _frame: FrameType | None) -> None:
        app.parting = f"monitor: ended by {signal.Signals(number).name}; the recording is not touched by that"
        asyncio.get_running_loop().call_soon_threadsafe(partial(app.exit, return_code=1))

    # Killed outright, Textual would leave the terminal without echo and on its other screen.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        app.run()
    finally:
        feed.close()
    if app.parting:
        print(app.parting, file=sys.stderr)  # noqa: T201  # the command's one line of error
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
