"""`python -m elicitation.player`: takes orders as lines of JSON on standard input and answers on standard output."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import queue
import signal
import sys
import threading

import msgspec

from elicitation.errors import ElicitationError
from elicitation.player.messages import (
    Answer,
    Failed,
    Hide,
    Order,
    Play,
    Quit,
    Show,
    Stop,
    order_decoder,
)
from elicitation.player.player import Player
from elicitation.player.screen import ScreenOptions

_NICENESS = -8
"""Above analysis, below the camera: a late picture is logged, a lost frame is lost."""
_IDLE_S = 0.05
_READ_BYTES = 65_536
_PR_SET_PDEATHSIG = 1
_SWITCH_INTERVAL_S = 0.0005
"""How long the decoding thread may keep the interpreter when a picture is due."""


def main() -> None:
    """Play until told to quit, or until nobody gives orders any more."""
    parser = argparse.ArgumentParser(prog="python -m elicitation.player")
    parser.add_argument("--display", default="", help="name or number of the participant's display")
    parser.add_argument("--window", action="store_true", help="a window instead of the full screen")
    parser.add_argument("--patch", action="store_true", help="a patch in the corner for a photodiode")
    parser.add_argument("--mute", action="store_true", help="no sound")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    try:
        options = ScreenOptions(arguments.display, not arguments.window, arguments.patch)
        player = Player(options, sound=not arguments.mute)
    except ElicitationError as error:
        _say(Failed(str(error)))
        raise SystemExit(1) from None
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    _say(player.ready())
    _obey(player, orders)
    player.close()


def _obey(player: Player, orders: queue.SimpleQueue[Order]) -> None:
    waiting: Order | None = None

    def stopped() -> bool:
        """Whether another order came; it is carried out next."""
        nonlocal waiting
        with contextlib.suppress(queue.Empty):
            waiting = orders.get_nowait()
            return True
        return False

    while True:
        try:
            order, waiting = waiting or orders.get(timeout=_IDLE_S), None
        except queue.Empty:
            player.screen.closed_by_user()
            continue
        try:
            match order:
                case Play():
                    _say(player.play(order, _say, stopped))
                case Show(text, language):
                    player.screen.show_text(text, language)
                case Hide():
                    player.screen.hide()
                case Stop():
                    pass
                case Quit():
                    return
        except ElicitationError as error:
            _say(Failed(str(error)))


def _listen(orders: queue.SimpleQueue[Order]) -> None:
    """Read orders until the one who gives them is gone."""
    # Unbuffered: a thread that waits in a buffered reader keeps the interpreter from ending.
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), _READ_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _take(line, orders)
    orders.put(Quit())


def _take(line: bytes, orders: queue.SimpleQueue[Order]) -> None:
    try:
        orders.put(order_decoder.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _say(Failed(f"not an order: {error}"))


def _say(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
