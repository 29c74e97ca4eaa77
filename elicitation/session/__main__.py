"""`python -m elicitation.session TASK`: the process beside the one that records, started by the supervisor."""

from __future__ import annotations

from pathlib import Path

import msgspec
import zmq

from capture.messages import ElicitationEnded, Quit, SessionOpened
from capture.processes.common import ElicitationTask, HubLink, StopRequest, run_process
from elicitation.session.desk import HubDesk
from elicitation.session.markers import Markers
from elicitation.session.prepare import prepare
from elicitation.session.runner import Runner
from elicitation.session.stage import SessionOver, Stage

_LOOK_MS = 200


def main(task_json: bytes, hub: HubLink, stop: StopRequest) -> None:
    """Make sure that the session can be run, wait for the camera, run it.

    Raises:
        BadInput: Protocol, stimuli or an option are wrong.
        ElicitationError: The participant's screen cannot be used.
    """
    task = msgspec.json.decode(task_json, type=ElicitationTask)
    prepared = prepare(task)
    markers = Markers(task.participant or "dfme") if task.lsl else None
    desk = HubDesk(hub, stop)
    protocol = prepared.plan.protocol
    stage = Stage(desk, protocol.screen, language=protocol.language, markers=markers)
    complete = False
    try:
        stage.open_player()
        hub.hello("elicitation")
        folder = _session(hub, stop)
        if folder is None:
            return
        stage.session = folder
        complete = Runner(prepared, stage, desk, storage=task.storage).run()
    except SessionOver:
        pass
    finally:
        stage.close()
    hub.send(ElicitationEnded(complete))
    if complete:
        _wait_for_quit(hub, stop)


def _session(hub: HubLink, stop: StopRequest) -> Path | None:
    """The session folder, once camera and recorder are ready; None where the end comes first."""
    while not stop.requested:
        hub.socket.poll(_LOOK_MS, zmq.POLLIN)
        for message in hub.received():
            if isinstance(message, SessionOpened):
                return Path(message.path)
            if isinstance(message, Quit):
                return None
    return None


def _wait_for_quit(hub: HubLink, stop: StopRequest) -> None:
    while not stop.requested:
        hub.socket.poll(_LOOK_MS, zmq.POLLIN)
        if any(isinstance(message, Quit) for message in hub.received()):
            return


if __name__ == "__main__":
    run_process("elicitation", main)
