"""`dfme-elicit run`: a participant's session with the camera, or a rehearsal without one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from capture import cli as capture_cli
from capture.console import print_json
from capture.errors import BadInput
from capture.processes.common import ElicitationTask
from capture.session import Session
from elicitation.session.prepare import prepare
from elicitation.session.rehearsal import RehearsalDesk
from elicitation.session.runner import Runner
from elicitation.session.stage import Stage

RUN_EPILOG = """
With the camera, every other option of dfme-capture may be given; see `dfme-capture --help`.

Examples:

  dfme-elicit run dfme --participant P7KQ2M --stimuli videos --out /data/study1 --fps 500

  dfme-elicit run our_study.toml --rehearse

  dfme-elicit run dfme --stimuli placeholders --rehearse --speed 10
"""
_FASTEST = 100.0


def run(
    context: typer.Context,
    protocol: Annotated[str, typer.Argument(help="Protocol file, or the name of one that comes along.")] = "dfme",
    participant: Annotated[
        str | None, typer.Option(help="The participant's pseudonym; needed with the camera.")
    ] = None,
    stimuli: Annotated[Path | None, typer.Option(help="Folder of the videos. Default: as the protocol says.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draw. Default: random.", min=0)] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Without camera and participant.")] = False,
    speed: Annotated[
        float, typer.Option(help="How many times faster than life a rehearsal goes; above 1 nothing waits for hands.")
    ] = 1.0,
    out: Annotated[
        Path | None, typer.Option(help="Folder that gets the session. Default: sessions, or rehearsals.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> object:
    """Run a participant's session by a protocol, with the camera: the same as dfme-capture --elicit.

    With --rehearse: the stimuli and texts on the participant's screen, the log, and no camera. Type p and Enter to
    pause and go on, n for the next step, L for the long questionnaire.
    """
    if protocol.startswith("-"):
        raise BadInput(f"give the protocol before {protocol}, such as: dfme-elicit run dfme {protocol} ...")
    if not rehearse:
        if speed != 1.0:
            raise BadInput("--speed goes with --rehearse: a participant's session takes its time")
        arguments = ["--elicit", protocol, *context.args]
        arguments += ["--participant", participant] if participant is not None else []
        arguments += ["--stimuli", str(stimuli)] if stimuli is not None else []
        arguments += ["--seed", str(seed)] if seed is not None else []
        arguments += ["--out", str(out)] if out is not None else []
        arguments += ["--json"] if as_json else []
        return capture_cli.app(args=arguments, standalone_mode=False)
    if context.args or participant is not None:
        raise BadInput(
            f"{context.args[0] if context.args else '--participant'} is not an option of a rehearsal (see --help)"
        )
    if not 1.0 <= speed <= _FASTEST:
        raise BadInput(f"--speed {speed:g}: give 1 to {_FASTEST:g}")
    _rehearse(protocol, stimuli, seed, speed, out or Path("rehearsals"), as_json=as_json)
    return None


def _rehearse(protocol: str, stimuli: Path | None, seed: int | None, speed: float, out: Path, *, as_json: bool) -> None:
    task = ElicitationTask("", protocol, str(out), None, str(stimuli) if stimuli is not None else "", seed)
    prepared = prepare(task)
    session = Session.create(out, hardware="rehearsal")
    desk = RehearsalDesk(session)
    described = prepared.plan.protocol
    stage = Stage(desk, described.screen, language=described.language, speed=speed)
    stage.session = session.path
    try:
        stage.open_player()
        complete = Runner(prepared, stage, desk, by_itself=speed != 1.0).run()
    finally:
        stage.close()
    result = {
        "session": str(session.path),
        "protocol": prepared.plan.protocol.name,
        "seed": prepared.plan.seed,
        "stimuli": list(prepared.plan.stimuli),
        "finished": complete,
        "dropped": stage.statistics.dropped,
    }
    if as_json:
        print_json(result)
    else:
        sys.stdout.write(
            f"{session.path}\n  rehearsed {prepared.plan.protocol.name}, {len(prepared.plan.steps)} steps\n"
        )
