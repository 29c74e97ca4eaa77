"""`python -m elicitation.web`: serves the participant's pages; orders and answers are lines of JSON."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from capture.errors import CaptureError
from capture.web import WebServer, checked_address, new_token
from elicitation.errors import ElicitationError
from elicitation.web.answer_book import AnswerBook
from elicitation.web.app import participant_app
from elicitation.web.browser import Kiosk
from elicitation.web.messages import BrowserState, Failed, Quit, Ready, Reply, Show, order_decoder
from elicitation.web.screens import place_of
from elicitation.web.stage import Stage

_LOOK_EVERY_S: Final = 1.0
_PR_SET_PDEATHSIG: Final = 1
_READ_BYTES: Final = 65_536
_speaking = threading.Lock()


def main() -> None:
    """Serve until told to quit, or until nobody gives orders any more."""
    parser = argparse.ArgumentParser(
        prog="python -m elicitation.web",
        description="Serve the participant's pages on this machine. Orders come as lines of JSON on standard input, "
        "answers go as lines of JSON to standard output.",
        epilog="example: python -m elicitation.web --session sessions/2026-11-25T10-00-00_P07 --browser chromium",
    )
    parser.add_argument("--session", type=Path, required=True, help="session folder, which gets self_report.json")
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--token", default="", help="default: DFME_WEB_TOKEN, or else a new one")
    parser.add_argument("--browser", default="", help="program to show the pages with; none is started without it")
    parser.add_argument("--display", default="", help="name or number of the participant's display for the browser")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        _run(arguments)
    except CaptureError as error:
        _say(Failed(str(error)))
        raise SystemExit(error.exit_code) from None


def _run(arguments: argparse.Namespace) -> None:
    session: Path = arguments.session
    if not session.is_dir():
        raise ElicitationError(f"{session} is not a session folder")
    token = arguments.token or os.environ.get("DFME_WEB_TOKEN") or new_token()
    stage, book = Stage(session), AnswerBook(session)
    with WebServer(participant_app(stage, book, token, _say), checked_address("127.0.0.1", arguments.port)) as server:
        url = f"{server.url}/enter?token={token}"
        _say(Ready(url))
        kiosk = None
        if arguments.browser:
            kiosk = Kiosk(url, _say, browser=arguments.browser, place=place_of(arguments.display))
            kiosk.start()
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: _end_by_signal())
        threading.Thread(target=_watch_page, args=(stage, ended), daemon=True).start()
        try:
            _obey(stage)
        finally:
            ended.set()
            if kiosk is not None:
                kiosk.stop()
            stage.close()


def _obey(stage: Stage) -> None:
    """Carry out orders until the one who gives them is gone."""
    # Unbuffered: a thread that waits in a buffered reader keeps the interpreter from ending.
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), _READ_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            try:
                order = order_decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                _say(Failed(f"not an order: {error}"))
                continue
            match order:
                case Show():
                    _show(stage, order)
                case Quit():
                    return


def _show(stage: Stage, order: Show) -> None:
    try:
        stage.show(order)
    except (CaptureError, OSError) as error:
        _say(Failed(str(error), order.page))


def _watch_page(stage: Stage, ended: threading.Event) -> None:
    """Say when a page begins to follow, and when none does any more."""
    followed = False
    while not ended.wait(_LOOK_EVERY_S):
        if stage.followed != followed:
            followed = not followed
            text = "a page follows" if followed else "no page has asked for a while: look at the participant's screen"
            _say(BrowserState("connected" if followed else "silent", text))


def _say(reply: Reply) -> None:
    line = msgspec.json.encode(reply) + b"\n"
    # Whoever listened may be gone; what was answered is in the file all the same.
    with _speaking, contextlib.suppress(OSError, ValueError):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def _end_by_signal() -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
