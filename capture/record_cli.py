"""`dfme-record`: stores on this machine what `dfme-capture --remote` records on another."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from capture.console import print_json, run_command
from capture.errors import BadInput
from capture.messages import Start
from capture.processes.common import prefer_this_process
from capture.remote.address import Endpoint
from capture.remote.keys import make_keys, require_keys
from capture.remote.memory import keep_message_memory
from capture.remote.server import ServerResult, StorageServer
from capture.session import DEFAULT_OUT
from capture.statistics import RecorderStatistics

_EPILOG = """
Examples:

  dfme-record keys --out keys          once; then move keys/capture.keys to the capture machine

  dfme-record --listen tcp://10.0.0.2:5599 --out /data/study1 --keys keys/storage.keys

and on the capture machine:

  dfme-capture --fps 500 --remote tcp://10.0.0.2:5599 --keys capture.keys
"""
_NICENESS = -5
_LINE_S = 1.0
_LINE_IN_LOG_S = 10.0

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True, epilog=_EPILOG)
def record(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option(help="Address of this machine to listen on, as tcp://HOST:PORT; HOST may be *.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that gets the session folders.")] = DEFAULT_OUT,
    keys: Annotated[
        Path | None, typer.Option(help="This machine's key file; needed unless HOST is a loopback address.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was received as one JSON object.")] = False,
) -> None:
    """Store on this machine what dfme-capture records on another, one capture after the other, until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    if listen is None:
        raise BadInput("--listen is missing: give an address of this machine, such as tcp://10.0.0.2:5599")
    endpoint = Endpoint.parse(listen, "--listen")
    require_keys(endpoint, keys)
    lines = Lines()
    # First: the threads that ZeroMQ starts take it over.
    prefer_this_process(_NICENESS)
    keep_message_memory()
    server = StorageServer(endpoint, out, keys, lines)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    lines.note("info", f"listening on {endpoint}, {'encrypted' if keys else 'not encrypted'}; writing to {out}")
    try:
        result = server.run()
    finally:
        lines.close()
        server.close()
    if as_json:
        print_json(_as_json(result))


@app.command("keys", epilog="Example:  dfme-record keys --out keys --client lab2")
def keys_command(
    out: Annotated[Path, typer.Option(help="Folder for the key files.")],
    client: Annotated[str, typer.Option(help="Name of the capture machine.")] = "capture",
    as_json: Annotated[bool, typer.Option("--json", help="Print the files' names as one JSON object.")] = False,
) -> None:
    """Make the key files of the storage machine and of a capture machine.

    Where the folder has the storage machine's already, another capture machine is added.
    """
    made = make_keys(out, client)
    if as_json:
        print_json({"storage": str(made.storage), "capture": str(made.capture), "added": made.added})
        return
    stays = "has one capture machine more" if made.added else "stays on the storage machine: dfme-record --keys"
    typer.echo(f"{made.storage}  {stays}\n{made.capture}  move it to the capture machine: dfme-capture --keys")


class Lines:
    """What the server does, on standard error: notes, and one line of progress, in place on a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said = 0.0
        self._open = False

    def note(self, level: str, text: str) -> None:
        """Something happened."""
        self._clear()
        word = "" if level == "info" else f"{level.upper()} "
        self._write(f"{time.strftime('%H:%M:%S')} {word}{text}\n")

    def progress(self, trial: Start | None, host: str, statistics: RecorderStatistics) -> None:
        """How it goes; a line a second on a terminal, and every ten seconds of a trial in a log."""
        now = time.monotonic()
        if now - self._said < (_LINE_S if self._terminal else _LINE_IN_LOG_S) or not (trial or self._terminal):
            return
        self._said = now
        text = self._describe(trial, host, statistics)
        if not self._terminal:
            self._write(f"{time.strftime('%H:%M:%S')} {text}\n")
            return
        self._clear()
        self._write(text[: shutil.get_terminal_size().columns - 1])
        self._open = True

    def close(self) -> None:
        """End a line in place."""
        if self._open:
            self._open = False
            self._write("\n")

    @staticmethod
    def _describe(trial: Start | None, host: str, statistics: RecorderStatistics) -> str:
        free = f"disk {statistics.disk_free_bytes / 1e9:.1f} GB free"
        if trial is None:
            return f"{host} is connected, no trial runs  {free}" if host else f"waiting for a capture machine  {free}"
        lost = f"  {statistics.lost_disk:,} LOST ON DISK" if statistics.lost_disk else ""
        return (
            f"receiving {trial.trial} from {host}: {statistics.frames:,} frames, {statistics.bytes / 1e9:.2f} GB  "
            f"{statistics.write_mb_s:.0f} MB/s  {free}{lost}"
        )

    def _clear(self) -> None:
        if self._open:
            self._open = False
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def main() -> None:
    """Entry point of `dfme-record`."""
    run_command(app)


def _as_json(result: ServerResult) -> dict[str, object]:
    trials = [dataclasses.asdict(trial) for trial in result.trials]
    for trial in trials:
        for name, digits in (("seconds", 6), ("write_mb_s", 1), ("cpu_ms_per_frame", 4)):
            trial[name] = round(trial[name], digits)
    return {
        "trials_total": result.trials_total,
        "frames": result.frames,
        "bytes": result.bytes,
        "refused_clients": result.refused_clients,
        "trials": trials,
    }


if __name__ == "__main__":
    main()
