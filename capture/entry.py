"""Where every command begins: Ctrl-C while its modules are still being loaded ends it without a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable
from importlib import import_module


def _command(module: str) -> Callable[[], None]:
    """The entry point of the command in `module`, which is loaded only when the command is run."""

    def command() -> None:
        # Nothing is begun yet that would need tidying up; `run_command` handles the signal from then on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loaded = import_module(module)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loaded.main()

    return command


capture = _command("capture.cli")
record = _command("capture.record_cli")
session = _command("capture.session_cli")
elicit = _command("elicitation.cli")
live = _command("realtime.cli")
annotate = _command("annotation.cli")
train = _command("training.cli")
