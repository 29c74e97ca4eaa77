"""`dfme-capture`: records from a camera, shows the monitor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from capture.console import Progress, print_json, run_command
from capture.errors import BadInput
from capture.participants import Registry, checked_pseudonym
from capture.remote.address import Endpoint
from capture.remote.keys import load_capture_keys, require_keys
from capture.settings import HardwareSettings, open_hardware
from capture.simulator import person
from capture.simulator.frame_bank import bank_for
from capture.supervisor import CaptureRequest, CaptureResult, ElicitOptions, Supervisor, check_folder

_EPILOG = """
With the monitor: space stops and starts a trial, m sets a marker, s saves a still, q quits. While a participant's
session runs (--elicit), it starts and stops the trials: p pauses and goes on, n goes on to the next step, L gives the
long questionnaire; with --no-tui these are typed with Enter.

Examples:

  dfme-capture --fps 500

  dfme-capture --fps 300 --duration 60 --participant P07

  dfme-capture --hw optronis_cp80_3_540 --out /data/study1

  dfme-capture --frames 1000 --no-tui --json

  dfme-capture --fps 500 --remote tcp://10.0.0.2:5599 --keys capture.keys

  dfme-capture --frame-bank face.mp4 --duration 10

  dfme-capture --frame-bank test --fps 200

  dfme-capture --fps 500 --elicit dfme --participant P7KQ2M --stimuli videos --out /data/study1

  dfme-capture --set ExposureTime=1500 --set Gain=2
"""

_TEST_PICTURE = Path("test")
_LIKE_A_NAME = re.compile(r"[A-Z][a-z]{2,}([.-][A-Z][a-z]+)*")
_BUNDLE_RECORD = "bundle.json"

_NO_TRIAL: dict[str, Any] = {
    "recording": None,
    "frames": 0,
    "fps": 0.0,
    "seconds": 0.0,
    "lost": {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0},
    "gaps": [],
    "bytes": 0,
    "write_mb_s": 0.0,
    "clock": {"residual_ns": None},
    "cpu_ms_per_frame": {"camera": 0.0, "recorder": 0.0},
}
"""The object of a command that was ended before a trial began: the keys are always there."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=_EPILOG)
def capture(
    fps: Annotated[
        float | None,
        typer.Option(help="Frames a second; any rate that the camera offers. Default: the hardware file's."),
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Record this many seconds, then end.")] = None,
    frames: Annotated[int | None, typer.Option(help="Record this many frames, then end.")] = None,
    hw: Annotated[
        str | None,
        typer.Option(help="Hardware file, or the name of one that comes along. Default: the simulated camera."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that gets a session folder.")] = Path("sessions"),
    participant: Annotated[str | None, typer.Option(help="The participant's pseudonym.")] = None,
    frame_bank: Annotated[
        Path | None,
        typer.Option(
            help="What the simulated camera shows: a video, a picture, a .bank file, or `test` for its test picture. "
            "Default: a rendered person."
        ),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option("--set", help="Camera feature to set last, as NAME=VALUE; repeatable."),
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(help="Record on the storage machine at tcp://HOST:PORT, where dfme-record runs."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="This machine's key file, for --remote; `dfme-record keys` makes it.")
    ] = None,
    elicit: Annotated[
        str | None,
        typer.Option(help="Run a participant's session by this protocol: a file, or `dfme` for the paper's."),
    ] = None,
    stimuli: Annotated[
        Path | None, typer.Option(help="Folder of the videos, for --elicit. Default: as the protocol says.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the draw of stimuli, for --elicit. Default: random.", min=0)
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--no-resume", help="Go on with this participant's unfinished session, for --elicit."),
    ] = True,
    lsl: Annotated[
        bool,
        typer.Option("--lsl", help="Send events and readout to the Lab Streaming Layer, unencrypted into its network."),
    ] = False,
    tui: Annotated[bool, typer.Option("--tui/--no-tui", help="The monitor, or plain progress lines.")] = True,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Live readout of expressions, where installed.")
    ] = True,
    live_model: Annotated[
        Path | None, typer.Option(help="Model bundle of the live readout. Default: the one that comes along.")
    ] = None,
    live_publish: Annotated[
        str, typer.Option(help="Where the readout publishes: tcp://127.0.0.1:PORT or ipc://FILE. Default: port 5588.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Record from a camera into a session folder, with the monitor on this terminal.

    Without --hw the simulated camera is used, and the monitor says so. Recording begins at once.
    """
    _check_limits(fps, duration, frames)
    _check_participant(participant)
    options = _elicit_options(elicit, stimuli, seed, resume=resume, lsl=lsl)
    if options is not None:
        _check_session(participant, out, bounded=duration is not None or frames is not None)
    _check_model(live_model)
    _check_publish(live_publish)
    storage = _storage(remote, keys)
    settings = open_hardware(hw, fps)
    check_folder(out)
    overrides = dict(_feature(text) for text in feature or ())
    with _picture(settings, frame_bank, overrides) as shown:
        request = CaptureRequest(
            settings=settings,
            out=out,
            overrides={**shown.features, **overrides},
            participant=participant,
            max_frames=frames,
            max_seconds=duration,
            monitor=tui and all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)),
            hardware=hw or settings.name,
            live=live,
            live_model=live_model,
            live_publish=live_publish,
            lsl=lsl,
            remote=storage,
            keys=keys,
            news=shown.news,
            elicit=options,
        )
        with Supervisor(request) as supervisor:
            result = supervisor.run()
    if as_json:
        print_json(_as_json(result, storage))
    else:
        for trial in result.trials:
            where = f" on {storage}" if storage is not None else ""
            typer.echo(f"{trial.recording}{where}\n  {trial.summary()}")


def main() -> None:
    """Entry point of `dfme-capture`."""
    run_command(app)


def _check_limits(fps: float | None, duration: float | None, frames: int | None) -> None:
    if fps is not None and not 0 < fps <= 100_000:
        raise BadInput(f"--fps {fps:g}: give a rate above 0, such as 200, 300 or 500")
    if duration is not None and not 0 < duration <= 7 * 86_400:
        raise BadInput(f"--duration {duration:g}: give seconds, above 0 and at most a week")
    if frames is not None and frames < 1:
        raise BadInput(f"--frames {frames}: give a number of frames, 1 or more")


def _check_model(bundle: Path | None) -> None:
    """What the readout would find out too late, when the trial runs."""
    if bundle is not None and not (bundle / _BUNDLE_RECORD).is_file():
        raise BadInput(
            f"--live-model {bundle} holds no model: give a folder with {_BUNDLE_RECORD}, as dfme-train export writes it"
        )


def _check_publish(endpoint: str) -> None:
    """What was read off a face leaves this machine only encrypted, and the publisher does not encrypt."""
    if endpoint and not endpoint.startswith("ipc://"):
        there = Endpoint.parse(endpoint, "--live-publish")
        if not there.is_loopback:
            raise BadInput(
                f"--live-publish {endpoint} is beyond this machine, and the readout is not encrypted: "
                "publish at tcp://127.0.0.1:PORT, and let others come through an encrypted tunnel (ssh -L)"
            )


def _check_participant(participant: str | None) -> None:
    if participant is None:
        return
    checked_pseudonym(participant)
    if _LIKE_A_NAME.fullmatch(participant):
        typer.echo(
            f"warning: {participant} looks like a name, and stands in every file: give a pseudonym, such as P07",
            err=True,
        )


def _elicit_options(
    protocol: str | None, stimuli: Path | None, seed: int | None, *, resume: bool, lsl: bool
) -> ElicitOptions | None:
    if protocol is not None:
        if find_spec("elicitation") is None:
            raise BadInput("--elicit: that part is not installed")
        return ElicitOptions(protocol, str(stimuli) if stimuli is not None else "", seed, resume, lsl)
    for option, given in (("--stimuli", stimuli), ("--seed", seed)):
        if given is not None:
            raise BadInput(f"{option} goes with --elicit PROTOCOL")
    return None


def _check_session(participant: str | None, study: Path, *, bounded: bool) -> None:
    """A session needs a participant who agreed to be recorded; the protocol says how long it lasts."""
    if participant is None:
        raise BadInput("--elicit needs --participant ID: enter one with `dfme-elicit participant add --study FOLDER`")
    if bounded:
        raise BadInput("--elicit: the protocol says how long is recorded, leave out --duration and --frames")
    known = Registry(study).participant(participant)
    if not known.may_be_recorded:
        why = "took the consent back" if known.withdrawn else "has not agreed to be recorded"
        raise BadInput(
            f"{participant} {why}: nothing is recorded without consent "
            f"(`dfme-elicit participant consent {participant} --study {study} --form FILE --agree recording`)"
        )


def _storage(remote: str | None, keys: Path | None) -> Endpoint | None:
    """The storage machine that was asked for, once it is clear that it can be talked to safely."""
    if remote is None:
        if keys is not None:
            raise BadInput(f"--keys {keys} goes with --remote tcp://HOST:PORT")
        return None
    storage = Endpoint.parse(remote, "--remote")
    if storage.host == "*":
        raise BadInput(f"--remote {remote}: give the storage machine's name or address")
    require_keys(storage, keys)
    if keys is not None:
        load_capture_keys(keys)
    return storage


def _feature(text: str) -> tuple[str, bool | int | float | str]:
    """`NAME=VALUE` from the command line, the value as the type that it looks like."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--set {text}: write NAME=VALUE, such as ExposureTime=1500")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


@contextmanager
def _picture(
    settings: HardwareSettings, bank: Path | None, overrides: Mapping[str, Any]
) -> Iterator[person.ShownPicture]:
    """What the simulated camera shows: the bank asked for, else a person, as long as nothing else was asked for."""
    if bank is not None and settings.producer != "simulator":
        raise BadInput(f"--frame-bank goes with the simulated camera only, and {settings.name!r} is a real one")
    if bank is not None:
        yield person.ShownPicture({} if bank == _TEST_PICTURE else _bank_features(bank, settings))
    elif not _person_fits(settings, overrides) or person.default_picture() == "test":
        yield person.ShownPicture()
    else:
        with person.PersonOnCamera() as rendering:
            with Progress("rendering the simulated person, this once") as progress:
                rendering.wait(progress.update)
            yield person.ShownPicture(rendering.features, rendering.news)


def _person_fits(settings: HardwareSettings, overrides: Mapping[str, Any]) -> bool:
    """Whether this is a simulated camera of the person's size that was told of no other picture."""
    told = {"SimulationSource", "SimulationBankPath"} & {*settings.features, *settings.features_before, *overrides}
    fits = (settings.width_px, settings.height_px) == (person.WIDTH_PX, person.HEIGHT_PX)
    return settings.producer == "simulator" and fits and not told


def _bank_features(path: Path, settings: HardwareSettings) -> dict[str, Any]:
    with Progress(f"preparing {path.name}") as progress:
        bank = bank_for(path, settings.width_px, settings.height_px, progress=progress.update)
    return {"SimulationBankPath": str(bank), "SimulationSource": "Bank"}


def _as_json(result: CaptureResult, storage: Endpoint | None) -> dict[str, Any]:
    """The contract's object: the figures of the last trial, and of every trial where there were several."""
    also: dict[str, Any] = {"remote": str(storage)} if storage is not None else {}
    if result.elicitation is not None:
        also["elicitation"] = dict(result.elicitation)
    if not result.trials:
        return {**_NO_TRIAL, "live": dict(result.live), "session": str(result.session), **also}
    trials = [trial.as_json() for trial in result.trials]
    several = {"trials": trials} if len(trials) > 1 else {}
    return {**trials[-1], "live": dict(result.live), "session": str(result.session), **also, **several}


if __name__ == "__main__":
    main()
