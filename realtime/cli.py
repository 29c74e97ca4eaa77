"""`dfme-live`: finds and names expressions in what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from capture.console import Progress, print_json, run_command
from capture.errors import BadInput
from capture.study.export_ledger import enter_copy
from expression.face import best_finder
from realtime.bench_command import EPILOG as BENCH_EPILOG
from realtime.bench_command import bench_command
from realtime.engines import ENGINES
from realtime.model_commands import MODELS_EPILOG, USE_EPILOG, models, use
from realtime.offline_replay import METHODS, REGIONS
from realtime.recognition import Recogniser, model_at
from realtime.replay import ReplaySummary, default_out, replay
from realtime.score_command import EPILOG, score_command
from realtime.sources import open_source

_EPILOG = """
Live readout comes with the camera: dfme-capture --fps 500. This command does the same over what was recorded.

Examples:

  dfme-live --replay sessions/2026-11-23T10-00-00_P07/recordings/trial-001.zarr

  dfme-live --replay face.mp4 --out face.jsonl --json

  dfme-live --replay synthetic/long/sub0001_01.zarr --engine openvino --model models/ours

  dfme-live --replay synthetic/long/sub0001_01.zarr --method flow --out flow.jsonl

  dfme-live score synthetic/long synthetic/spotting.csv

  dfme-live use models/ours

  dfme-live bench
"""

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="Find and name micro-expressions, live from the camera or over what was recorded.",
    epilog=_EPILOG,
)


@app.callback()
def live(
    context: typer.Context,
    recording: Annotated[
        Path | None,
        typer.Option("--replay", help="A recording, a Zarr array (time, height, width) of uint8, or a video."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File that gets one line of JSON for each expression. Default: beside it.")
    ] = None,
    engine: Annotated[str, typer.Option(help=f"auto, {', '.join(ENGINES)}.")] = "auto",
    model: Annotated[
        Path | None, typer.Option(help="Model bundle. Default: that of dfme-live use, else the one that comes along.")
    ] = None,
    finder: Annotated[str, typer.Option(help="Face finder: auto, mediapipe, cascades, or an ONNX plug-in.")] = "auto",
    method: Annotated[
        str, typer.Option(help="Spotting: regions, as live; lbp and flow are classical baselines.")
    ] = REGIONS,
    fps: Annotated[float | None, typer.Option(help="Frames a second, where the file does not say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Find and name expressions in a recording."""
    if context.invoked_subcommand is not None:
        return
    if recording is None:
        raise BadInput("nothing to do: give --replay RECORDING, or a command")
    if fps is not None and not 0 < fps <= 100_000:
        raise BadInput(f"--fps {fps:g}: give a rate above 0, such as 200, 300 or 500")
    if engine != "auto" and engine not in ENGINES:
        raise BadInput(f"no engine is called {engine!r}; there are auto, {', '.join(ENGINES)}")
    if method != REGIONS and method not in METHODS:
        raise BadInput(f"no method is called {method!r}; there are {REGIONS}, {', '.join(METHODS)}")
    source = open_source(recording, fps)
    baseline = None if method == REGIONS else METHODS[method]()
    target = out or default_out(recording)
    enter_copy(recording, target, "live readout")
    bundle = model_at(model)
    recogniser = Recogniser.load(bundle, engine) if bundle is not None else None
    with best_finder(finder) as face_finder, target.open("wb") as lines, Progress("looking for expressions") as bar:
        summary = replay(source, face_finder, recogniser, out=lines, method=baseline, progress=bar.update)
        reason = face_finder.reason
    notes = [note for note in (source.note, reason) if note]
    notes.append(recogniser.choice.reason if recogniser is not None else "no model: expressions are spotted, not named")
    if as_json:
        print_json(_as_json(summary, recording, target, method, recogniser, notes))
        return
    for note in notes:
        typer.echo(note)
    for expression in summary.expressions:
        first, last = (frame / source.rate_fps for frame in (expression.onset, expression.offset))
        typer.echo(f"{first:9.3f} to {last:7.3f} s  {expression.kind}  {expression.emotion}")
    typer.echo(
        f"{target}: {len(summary.expressions)} expressions in {summary.seconds:.1f} s, in {summary.took_s:.1f} s"
    )


app.command("score", epilog=EPILOG)(score_command)
app.command("bench", epilog=BENCH_EPILOG)(bench_command)
app.command(epilog=USE_EPILOG)(use)
app.command(epilog=MODELS_EPILOG)(models)


def main() -> None:
    """Entry point of `dfme-live`."""
    run_command(app)


def _as_json(
    summary: ReplaySummary,
    recording: Path,
    target: Path,
    method: str,
    recogniser: Recogniser | None,
    notes: list[str],
) -> dict[str, Any]:
    kinds = [expression.kind for expression in summary.expressions]
    return {
        "recording": str(recording),
        "out": str(target),
        "method": method,
        "frames": summary.frames,
        "seconds": round(summary.seconds, 3),
        "took_s": round(summary.took_s, 3),
        "faster_than_real_time": round(summary.seconds / max(summary.took_s, 1e-9), 2),
        "spotted": len(kinds),
        "micro": kinds.count("micro"),
        "macro": kinds.count("macro"),
        "rejected": summary.rejected,
        "frames_without_face": summary.faceless,
        "model": recogniser.name if recogniser is not None else None,
        "engine": recogniser.choice.engine.name if recogniser is not None else None,
        "notes": notes,
    }


if __name__ == "__main__":
    main()
