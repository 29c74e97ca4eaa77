"""`dfme-live use` and `dfme-live models`: which model names what is spotted, now and from now on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
import zmq
from rich.table import Table

from capture.console import Progress, output, print_json
from capture.errors import BadInput
from capture.statistics import LiveStatistics
from expression.bundle import BUNDLE_FILE, Bundle
from expression.errors import ExpressionError
from realtime.engines import ENGINES
from realtime.lab_default import DEFAULT_MODEL, MODELS, lab_default, named_in, set_lab_default
from realtime.model_switch import FILE, wish_for
from realtime.publisher import DEFAULT_ENDPOINT
from realtime.recognition import Recogniser, model_at

USE_EPILOG = """
Every readout that runs changes to the model, and those that are started later begin with it, unless they are given
another one (dfme-capture --live-model). No frame is left out meanwhile.

Examples:

  dfme-live use models/ours

  dfme-live use simulated-i3d                      # back to the one that comes along

  dfme-live use models/ours --session sessions/2026-11-23T10-00-00_P07 --json
"""
MODELS_EPILOG = """
Examples:

  dfme-live models

  dfme-live models runs/2026-11 models --json
"""
_HEARS_WITHIN_S: Final = 1.5
"""A readout tells how it is twice a second."""
_CHANGES_WITHIN_S: Final = 60.0
"""Some engines are built for a card when they first load a network."""
_OWN: Final = Path("models")


class _Readout:
    """A readout that runs, as far as it tells how it is."""

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise BadInput(f"--readout {endpoint}: {error.strerror}; give one like {DEFAULT_ENDPOINT}") from error
        self._socket.subscribe(b"state")

    def state(self, within_s: float) -> LiveStatistics | None:
        """What it tells next; None where nothing is heard so long."""
        if not self._socket.poll(round(1000 * within_s)):
            return None
        try:
            _, payload = self._socket.recv_multipart()
            return msgspec.msgpack.decode(payload, type=LiveStatistics)
        except (ValueError, msgspec.DecodeError):
            return None

    def close(self) -> None:
        self._context.destroy(linger=0)


def use(
    bundle: Annotated[Path, typer.Argument(help="Model bundle, or the name of one that comes along.")],
    session: Annotated[
        Path | None, typer.Option(help="Change the readout of this session alone, not the default.")
    ] = None,
    engine: Annotated[str, typer.Option(help=f"Engine to check it with: auto, {', '.join(ENGINES)}.")] = "auto",
    readout: Annotated[str, typer.Option(help="Where a running readout publishes.")] = DEFAULT_ENDPOINT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Check a model, and use it from now on: in the readout that runs, and as the default.

    The bundle must open, its files must be as they were exported, and an engine must answer a clip here.
    """
    if session is not None and not (session / "session.json").is_file():
        raise BadInput(f"{session} is no session: give the folder that dfme-capture prints")
    path = _found(bundle).absolute()
    before = named_in(session / FILE) if session is not None else lab_default() or DEFAULT_MODEL
    running = _Readout(readout)
    try:
        begun = time.monotonic()
        recogniser = Recogniser.load(path, engine)
        heard = running.state(max(0.0, _HEARS_WITHIN_S - (time.monotonic() - begun)))
        if session is not None:
            wish_for(session, path)
        else:
            set_lab_default(path)
        now = _changed(running, path) if heard is not None else None
    finally:
        running.close()
    if as_json:
        print_json(_as_json(recogniser, path, before, session, heard, now))
    else:
        _say(recogniser, path, before, session, heard, now)
    if heard is not None and now is None:
        raise ExpressionError(f"the readout at {readout} goes on with {heard.model or 'no model'}: its log says why")


def models(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders with bundles in them. Default: models, where there is one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """List the models that come along, those of yours, and which one is used where none is named."""
    chosen = lab_default() or DEFAULT_MODEL
    for folder in folders or []:
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder")
    places = [MODELS, *(folders if folders is not None else [_OWN])]
    paths = [file.parent for place in places for file in sorted(place.glob(f"**/{BUNDLE_FILE}"))]
    rows = [_described(path, chosen) for path in dict.fromkeys(path.absolute() for path in [*paths, chosen])]
    if as_json:
        print_json({"default": str(chosen), "models": rows})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "model", "network", "input", "UF1", "trained on", "folder"):
        table.add_column(column, overflow="fold")
    for row in rows:
        mark = "*" if row["default"] else ""
        if row["problem"]:
            table.add_row(mark, row["name"], "", "", "", row["problem"], row["path"])
            continue
        uf1 = "" if row["uf1"] is None else f"{row['uf1']:.3f}"
        trained = "simulated faces" if row["simulated"] else "real faces"
        table.add_row(mark, row["name"], row["architecture"], row["input"], uf1, trained, row["path"])
    output().print(table)
    typer.echo("* is used where none is named; dfme-live use MODEL changes that")


def _found(bundle: Path) -> Path:
    found = model_at(bundle)
    if found is None:
        raise BadInput(f"{bundle} holds no model")
    return found


def _changed(running: _Readout, path: Path) -> LiveStatistics | None:
    """The state of the readout once it uses the model; None where it does not come to that."""
    begun = time.monotonic()
    with Progress("waiting for the readout to change", unit="seconds") as bar:
        while (waited_s := time.monotonic() - begun) < _CHANGES_WITHIN_S:
            state = running.state(_HEARS_WITHIN_S)
            if state is not None and state.bundle == str(path):
                return state
            bar.update(round(waited_s), round(_CHANGES_WITHIN_S))
    return None


def _described(path: Path, chosen: Path) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": path.name,
        "path": str(path),
        "default": path == chosen.absolute(),
        "shipped": MODELS in path.parents,
        "architecture": "",
        "input": "",
        "uf1": None,
        "simulated": None,
        "problem": "",
    }
    try:
        record = Bundle.open(path).record
    except ExpressionError as error:
        return {**row, "problem": str(error)}
    channels, frames, side, _ = record.recipe.shape
    return {
        **row,
        "name": record.name,
        "architecture": record.architecture,
        "input": f"{record.recipe.channels} {channels}x{frames}x{side}x{side}",
        "uf1": record.metrics.get("UF1"),
        "simulated": record.simulated,
    }


def _as_json(
    recogniser: Recogniser,
    path: Path,
    before: Path | None,
    session: Path | None,
    heard: LiveStatistics | None,
    now: LiveStatistics | None,
) -> dict[str, Any]:
    running = None
    if heard is not None:
        running = {"before": heard.model or None, "now": (now or heard).model or None, "changed": now is not None}
    return {
        "model": recogniser.name,
        "path": str(path),
        "engine": recogniser.choice.engine.name,
        "reason": recogniser.choice.reason,
        "simulated": recogniser.bundle.record.simulated,
        "session": str(session) if session is not None else None,
        "before": str(before) if before is not None else None,
        "running": running,
    }


def _say(
    recogniser: Recogniser,
    path: Path,
    before: Path | None,
    session: Path | None,
    heard: LiveStatistics | None,
    now: LiveStatistics | None,
) -> None:
    typer.echo(f"{recogniser.name} ({path}) works here: {recogniser.choice.reason}")
    if recogniser.bundle.record.simulated:
        typer.echo("trained on simulated faces: its names say nothing about real ones")
    where = "default" if session is None else str(session)
    typer.echo(f"{where}: before, {before if before is not None else 'what it was started with'}")
    if heard is None:
        typer.echo("no readout runs; the next one begins with it" if session is None else "no readout is heard")
    elif now is not None:
        typer.echo(f"the readout that runs has changed from {heard.model or 'no model'} to {now.model} on {now.engine}")
