"""`dfme-live bench`: the latency budget of the readout on this machine, stage by stage and engine by engine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from capture.console import Progress, output, print_json
from capture.errors import BadInput
from expression.bundle import Bundle
from expression.face import best_finder
from realtime.bench import BenchFigures, EngineFigures, RenderedSource, bench
from realtime.engines import ENGINES
from realtime.engines.variants import VARIANTS
from realtime.recognition import model_at
from realtime.sources import FrameSource, open_source

EPILOG = """
Frames are looked at one after the other, as live; then each engine is given clips of the expressions that were found.
Times are those of the clock: leave the machine to itself meanwhile.

Examples:

  dfme-live bench

  dfme-live bench --engine openvino --model models/ours --json

  dfme-live bench --recording sessions/2026-11-23T10-00-00_P07/recordings/trial-001.zarr --seconds 20
"""
_LEAST_S: Final = 3.0
_DIGITS: Final = 3


def bench_command(
    recording: Annotated[
        Path | None, typer.Option(help="Recording, Zarr array or video. Default: a simulated participant is drawn.")
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(ENGINES)}; may be repeated. Default: all of them.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model bundle. Default: that of dfme-live use.")] = None,
    finder: Annotated[str, typer.Option(help="Face finder: auto, mediapipe, cascades, or a plug-in's file.")] = "auto",
    fps: Annotated[float | None, typer.Option(help="Frames a second. Default: the recording's, else 500.")] = None,
    seconds: Annotated[float, typer.Option(help="How much of it is looked at, at most.")] = 6.0,
    runs: Annotated[int, typer.Option(help="Clips that each engine is given.")] = 50,
    threads: Annotated[int, typer.Option(help="Of the processor for a network; 0 leaves that to the engine.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Measure what each stage takes here, and which engines work."""
    unknown = sorted(set(engine or []) - set(ENGINES))
    if unknown:
        raise BadInput(f"no engine is called {unknown[0]!r}; there are {', '.join(ENGINES)}")
    if seconds < _LEAST_S or runs < 1 or threads < 0 or (fps is not None and not 0 < fps <= 100_000):
        raise BadInput(f"give at least {_LEAST_S:g} seconds, one run, and a rate above 0")
    path = model_at(model)
    if path is None:
        raise BadInput("no model: name one with --model")
    bundle = Bundle.open(path)
    source: FrameSource = RenderedSource(seconds, fps or 500.0) if recording is None else open_source(recording, fps)
    if source.count == 0:
        raise BadInput(f"{recording} has no frames")
    variants = [variant for variant in VARIANTS if engine is None or variant.engine in engine]
    with best_finder(finder) as face_finder, Progress("looking at frames", unit="steps") as bar:
        figures = bench(
            source,
            face_finder,
            bundle,
            variants,
            most_frames=max(1, round(seconds * source.rate_fps)),
            runs=runs,
            threads=threads,
            progress=bar.update,
        )
        notes = [note for note in (source.note, face_finder.reason) if note]
    if not figures.real_clips:
        notes.append("no expression was found: engines were given clips of noise")
    if not as_json:
        _show(figures, bundle.record.name, notes)
        return
    print_json(
        {
            "model": bundle.record.name,
            "recording": str(recording) if recording is not None else None,
            "rate_fps": figures.rate_fps,
            "frames": figures.frames,
            "frames_s": round(figures.frames_s, 1),
            "cpu_ms_per_frame": round(figures.cpu_ms_per_frame, _DIGITS),
            "expressions": figures.expressions,
            "stages": {stage.name: _rounded(asdict(stage), "name") for stage in figures.stages},
            "engines": {one.name: _engine(one) for one in figures.engines if one.works},
            "unavailable": {one.name: one.reason for one in figures.engines if not one.works},
            "notes": notes,
        }
    )


def _engine(one: EngineFigures) -> dict[str, Any]:
    """One engine as `--json` prints it."""
    return _rounded(asdict(one), "name", "works") | {"clips_s": round(1e3 / one.p50_ms, 1)}


def _rounded(content: dict[str, Any], *without: str) -> dict[str, Any]:
    kept = {key: value for key, value in content.items() if key not in without}
    return {key: round(value, _DIGITS) if isinstance(value, float) else value for key, value in kept.items()}


def _show(figures: BenchFigures, model: str, notes: list[str]) -> None:
    for note in notes:
        typer.echo(note)
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("once for each")
    for column in ("p50 ms", "p99 ms", "times"):
        table.add_column(column, justify="right")
    for stage in figures.stages:
        table.add_row(stage.name, stage.per, f"{stage.p50_ms:.3f}", f"{stage.p99_ms:.3f}", f"{stage.count:,}")
    output().print(table)
    typer.echo(
        f"{figures.frames_s:,.0f} frames a second can be looked at, the camera gives {figures.rate_fps:g}; "
        f"{figures.cpu_ms_per_frame:.2f} ms of processor time each"
    )
    typer.echo("")
    table = Table(box=None, pad_edge=False)
    table.add_column(f"engine for {model}")
    for column in ("p50 ms", "p99 ms", "offset to readout, p50", "p99 ms", "ready s"):
        table.add_column(column, justify="right")
    for one in figures.engines:
        values = (one.p50_ms, one.p99_ms, one.offset_to_readout_p50_ms, one.offset_to_readout_p99_ms, one.ready_s)
        if one.works:
            table.add_row(one.name, *[f"{value:.1f}" for value in values], escape(one.reason))
    output().print(table)
    for one in figures.engines:
        if not one.works:
            typer.echo(f"{one.name} does not work here: {one.reason}")
