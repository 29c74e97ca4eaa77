"""`dfme-session`: lists, describes, checks, repairs, cuts, packs and exports what was recorded, and removes it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from capture.console import Progress, output, print_json, run_command
from capture.demo.command import DEMO_EPILOG, demo
from capture.errors import BadInput, CaptureError, RecordingInvalid
from capture.recording.clip import clip as clip_recording
from capture.recording.clip import clip_to_pictures, clip_to_video, frame_range
from capture.recording.pixels import VIDEO_NAME
from capture.recording.reader import Recording
from capture.recording.repair import repair as repair_recording
from capture.recording.transcode import transcode as transcode_recording
from capture.recording.verify import VerifyReport
from capture.recording.verify import verify as verify_recording
from capture.session import DEFAULT_OUT, SESSION_FILE, Session, figures, tables
from capture.study.commands import EXPORT_EPILOG, WITHDRAW_EPILOG, export, withdraw
from capture.study.export_ledger import enter_copy

_PATH = typer.Argument(help="A session folder, or one recording in it.", show_default=False)
_RECORDING = typer.Argument(help="A recording, or a session folder that has only one.", show_default=False)
_JSON = typer.Option("--json", help="Print one JSON object as the last line.")

Number = TypeVar("Number", int, float)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List, describe, check, repair, cut, pack, export and remove what dfme-capture recorded; play a pilot study.",
    epilog="Every command has examples: dfme-session verify --help",
)


class Codec(StrEnum):
    """How `transcode` packs."""

    FFV1 = "ffv1"
    ZSTD = "zstd"


@app.command(epilog="Example:  dfme-session ls /data/study1")
def ls(
    path: Annotated[Path, typer.Argument(help="A folder of sessions, or one session.")] = DEFAULT_OUT,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """List sessions, or the trials of one session.

    With frames, seconds, frames lost, size on disk and state. Exit status 1 when something in it is damaged.
    """
    _check_exists(path)
    if (path / SESSION_FILE).is_file():
        session = Session.open(path)
        listed = [figures.trial_figures(session, entry) for entry in session.trials]
        content: dict[str, Any] = {"session": str(path), "trials": listed}
        table = tables.trials_table(listed) if listed else f"{path}: no trials yet"
    else:
        folders = [folder for folder in sorted(path.iterdir()) if (folder / SESSION_FILE).is_file()]
        listed = [figures.session_figures(folder) for folder in folders]
        content = {"sessions": listed}
        table = tables.sessions_table(listed) if listed else f"no sessions in {path}"
    problems = figures.problems_of(listed)
    if as_json:
        print_json(content)
    else:
        output().print(table)
        tables.print_problems(output(), problems)
    if problems:
        typer.echo(f"error: {len(problems)} of {len(listed)} damaged: the list says what is wrong", err=True)
        raise typer.Exit(1)


@app.command(epilog="Example:  dfme-session info sessions/2031-05-04T10-15-00_P07")
def info(path: Annotated[Path, _PATH], as_json: Annotated[bool, _JSON] = False) -> None:
    """Describe a session or a recording.

    With camera, rate, frames, clock and losses.
    """
    _check_exists(path)
    if (path / SESSION_FILE).is_file():
        session = Session.open(path)
        whole = figures.session_figures(path)
        trials = [figures.trial_figures(session, entry) for entry in session.trials]
        if as_json:
            print_json({**whole, "recordings": trials})
            return
        output().print(tables.facts(tables.session_facts(session, whole)))
        if trials:
            output().print(tables.trials_table(trials))
        return
    recording = Recording.open(_recordings(path)[0])
    if as_json:
        print_json(figures.recording_figures(recording))
    else:
        output().print(tables.facts(tables.recording_facts(recording)))


@app.command(epilog="Example:  dfme-session verify sessions/2031-05-04T10-15-00_P07")
def verify(path: Annotated[Path, _PATH], as_json: Annotated[bool, _JSON] = False) -> None:
    """Check that nothing is damaged or lost unsaid.

    Every checksum is computed again, frame ids are followed from end to end, and producer, monitor, end message and
    recording must agree on what was lost. Exit status 1 when anything is wrong.
    """
    reports = []
    problems = Session.open(path).problems() if (path / SESSION_FILE).is_file() else []
    for recording in _recordings(path):
        with Progress(f"verifying {recording.name}") as progress:
            try:
                report = verify_recording(recording, progress.update, monitor=_monitor_of(recording))
            except RecordingInvalid as error:
                report = VerifyReport(str(recording), problems=(str(error),))
        reports.append(report)
        if not as_json:
            tables.print_verdict(output(), report)
    bad = [report for report in reports if not report.ok]
    ok = not bad and not problems
    if as_json:
        listed = [msgspec.to_builtins(report) for report in reports]
        print_json({"ok": ok, "recordings": listed, "session_problems": problems})
    if bad:
        typer.echo(f"error: {len(bad)} of {len(reports)} not in order: {bad[0].path}: {bad[0].problems[0]}", err=True)
    elif problems:
        typer.echo(f"error: {path}: {problems[0]}", err=True)
    if not ok:
        raise typer.Exit(1)


@app.command(epilog="Example:  dfme-session repair sessions/2031-05-04T10-15-00_P07")
def repair(path: Annotated[Path, _PATH], as_json: Annotated[bool, _JSON] = False) -> None:
    """Make recordings whole after a kill or damage.

    Indexes, lengths and metadata are rebuilt; pixels are never deleted.
    """
    is_session = path.exists() and (path / SESSION_FILE).is_file()
    reports = []
    for recording in _recordings(path):
        if is_session and not recording.resolve().is_relative_to(path.resolve()):
            raise RecordingInvalid(f"{recording} is a link that leads out of the session: repair it by its own path")
        if is_session and figures.codec_of(recording) != "raw":
            continue
        with Progress(f"repairing {recording.name}") as progress:
            report = repair_recording(recording, progress.update)
        reports.append(report)
        if not as_json:
            output().print(tables.repair_line(report), soft_wrap=True)
    adopted = settled = 0
    if is_session:
        session = Session.open(path)
        adopted = session.adopt_interrupted_trials()
        settled = session.settle_events()
        if adopted and not as_json:
            output().print(f"session.json: {adopted} trials entered that were never ended")
    if as_json:
        recordings = [msgspec.to_builtins(report) for report in reports]
        print_json({"recordings": recordings, "trials_entered": adopted, "events_placed": settled})


@app.command(
    epilog="""Examples:

  dfme-session clip trial-001.zarr --frames 100:200 --out smile.zarr

  dfme-session clip trial-001.zarr --seconds 1.0:2.5 --mp4 smile.mp4

  dfme-session clip trial-001.zarr --frames 100:110 --png smile"""
)
def clip(
    path: Annotated[Path, _RECORDING],
    frames: Annotated[
        str | None, typer.Option(help="FIRST:STOP, counted from 0; STOP is not included; either may be left out.")
    ] = None,
    seconds: Annotated[str | None, typer.Option(help="FROM:TO in seconds from the first frame.")] = None,
    out: Annotated[Path | None, typer.Option(help="New recording, NAME.zarr.")] = None,
    png: Annotated[Path | None, typer.Option(help="New folder for the frames as PNG pictures.")] = None,
    mp4: Annotated[Path | None, typer.Option(help="New slow-motion video, NAME.mp4, 30 frames a second.")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Cut a stretch out of a recording.

    To a new recording, to pictures, or to a slow-motion video to look at; or all three.
    """
    if out is None and png is None and mp4 is None:
        raise BadInput("say where the clip goes: --out NAME.zarr, --png FOLDER or --mp4 NAME.mp4")
    if (frames is None) == (seconds is None):
        raise BadInput("give either --frames FIRST:STOP or --seconds FROM:TO")
    source = _one_recording(path)
    in_frames = _range("--frames", frames, int) if frames is not None else None
    in_seconds = _range("--seconds", seconds, float) if seconds is not None else None
    start, stop = frame_range(Recording.open(source), in_frames, in_seconds)
    made: dict[str, Any] = {"source": str(source), "first": start, "stop": stop, "frames": stop - start}
    lines = []
    if out is not None:
        enter_copy(source, out, "clip")
        with Progress(f"cutting {out.name}") as progress:
            report = clip_recording(source, out, frames=(start, stop), progress=progress.update)
        made |= {"recording": report.path, "seconds": report.seconds}
        lines.append(f"{out}: frames {start}:{stop} of {source.name}, {report.seconds:.3f} s")
    if png is not None:
        enter_copy(source, png, "pictures")
        with Progress(f"drawing {png.name}") as progress:
            pictures = clip_to_pictures(source, png, start, stop, progress.update)
        made["pictures"] = [str(picture) for picture in pictures]
        lines.append(f"{png}: {len(pictures)} pictures, frames {start}:{stop} of {source.name}")
    if mp4 is not None:
        enter_copy(source, mp4, "video")
        with Progress(f"filming {mp4.name}") as progress:
            slower = clip_to_video(source, mp4, start, stop, progress.update)
        made |= {"video": str(mp4), "slow_motion": slower}
        lines.append(f"{mp4}: {stop - start} frames, plays {slower:.1f} times slower than life")
    if as_json:
        print_json(made)
    else:
        output().print("\n".join(lines), markup=False, soft_wrap=True)


@app.command(
    epilog="""Examples:

  dfme-session transcode trial-001.zarr                      makes trial-001.ffv1

  dfme-session transcode trial-001.zarr --codec zstd --out packed.zarr"""
)
def transcode(
    path: Annotated[Path, _RECORDING],
    out: Annotated[Path | None, typer.Option(help="NAME.ffv1 or NAME.zarr. Default: beside the recording.")] = None,
    codec: Annotated[
        Codec, typer.Option(help="ffv1: video, smallest. zstd: Zarr, opens in any Zarr v3 reader.")
    ] = Codec.FFV1,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Pack a recording without loss.

    What was packed is read back and compared byte for byte; the recording itself stays.
    """
    source = _one_recording(path)
    if out is None:
        out = source.with_suffix(".ffv1") if codec is Codec.FFV1 else source.with_name(f"{source.stem}-zstd.zarr")
    enter_copy(source, out, "packed")
    with Progress(f"packing {source.name}") as progress:
        report = transcode_recording(source, out, codec.value, progress.update)
    if as_json:
        print_json(msgspec.to_builtins(report))
    else:
        output().print(tables.transcode_line(report), markup=False, soft_wrap=True)


app.command("export-bids", epilog=EXPORT_EPILOG)(export)
app.command("withdraw", epilog=WITHDRAW_EPILOG)(withdraw)
app.command("demo", epilog=DEMO_EPILOG)(demo)


def main() -> None:
    """Entry point of `dfme-session`."""
    run_command(app)


def _check_exists(path: Path) -> None:
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "is not there"
        raise BadInput(f"{path} {what}: give a session folder or a recording")


def _is_recording(path: Path) -> bool:
    return (path / "frames").is_dir() or (path / "zarr.json").exists() or (path / VIDEO_NAME).exists()


def _recordings(path: Path) -> list[Path]:
    """The recordings that a PATH argument means.

    Raises:
        BadInput: It is neither a session folder nor a recording, or a session without recordings.
    """
    _check_exists(path)
    if (path / SESSION_FILE).is_file():
        found = Session.open(path).recording_paths()
        if not found:
            raise BadInput(f"{path} has no recordings")
        return found
    if not _is_recording(path):
        raise BadInput(f"{path} is neither a session folder nor a recording")
    return [path]


def _one_recording(path: Path) -> Path:
    found = _recordings(path)
    if len(found) > 1:
        # Clips and packed copies beside the one trial do not make its session ambiguous.
        session = Session.open(path)
        found = [one for trial in session.trials if (one := session.path / trial.recording) in found] or found
    if len(found) > 1:
        names = ", ".join(recording.name for recording in found[:5])
        raise BadInput(f"{path} has {len(found)} recordings, say which: {names}{', ...' if len(found) > 5 else ''}")
    return found[0]


def _monitor_of(recording: Path) -> Any:
    """What the monitor said, where the recording lies in a session."""
    try:
        return Session.open(recording).monitor_of(recording)
    except CaptureError:
        return None


def _range(option: str, text: str, kind: type[Number]) -> tuple[Number | None, Number | None]:
    first, colon, last = text.partition(":")
    try:
        if not colon:
            raise ValueError
        return (kind(first) if first else None), (kind(last) if last else None)
    except ValueError:
        example = "100:200" if kind is int else "1.0:2.5"
        raise BadInput(f"{option} {text}: write two numbers with a colon, such as {example}") from None


if __name__ == "__main__":
    main()
