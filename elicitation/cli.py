"""`dfme-elicit`: prepares a study (stimuli, protocol, participants, consent), and runs its sessions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError
from rich.table import Table

from capture.console import Progress, output, print_json, run_command
from capture.errors import BadInput
from elicitation.participant_cli import PARTICIPANT_EPILOG, participant_app
from elicitation.placeholder import make_placeholder
from elicitation.probe import Finding, VideoFacts, judge_loudness, judge_video, probe_video
from elicitation.protocol import load_protocol, plan_session
from elicitation.rate_cli import RATE_EPILOG, rate
from elicitation.run_cli import RUN_EPILOG, run
from elicitation.selection import Judged, SelectionRule, read_ratings, select_stimuli
from elicitation.stimuli import Located, Manifest
from expression.emotions import parse_emotion
from expression.errors import ExpressionError

_VIDEO_SUFFIXES: Final = ("*.mp4", "*.mkv", "*.mov", "*.avi", "*.webm", "*.m4v", "*.mpg", "*.mpeg", "*.wmv")
_VALIDATE_EPILOG = """
Exit status 1 where a stimulus has an error or is absent.

Examples:

  dfme-elicit validate --stimuli videos --refresh 60

  dfme-elicit validate --stimuli videos --manifest stimuli.tsv --json
"""
_PLACEHOLDERS_EPILOG = """
Examples:

  dfme-elicit placeholders --out videos --seconds 10

  dfme-elicit placeholders --out videos --manifest stimuli.tsv
"""
_SELECT_EPILOG = """
RATINGS is a tab-separated table with the columns volunteer, stimulus, emotion and intensity (1 to 5).

Examples:

  dfme-elicit select ratings.tsv

  dfme-elicit select ratings.tsv --keep 15 --min-raters 20 --quota contempt=2 --quota surprise=1
"""
_PLAN_EPILOG = """
Examples:

  dfme-elicit plan --seed 7

  dfme-elicit plan our_study.toml --seed 7 --json
"""
app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Prepare a study: stimuli, protocol, participants and their consent; and run its sessions.",
    epilog="Every command has examples: dfme-elicit validate --help",
)
app.add_typer(participant_app, name="participant", epilog=PARTICIPANT_EPILOG)
app.command(epilog=RATE_EPILOG)(rate)
app.command(epilog=RUN_EPILOG, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
ManifestFile = Annotated[Path | None, typer.Option(help="Manifest of stimuli. Default: the paper's fifteen.")]


@app.command(epilog=_VALIDATE_EPILOG)
def validate(
    stimuli: Annotated[Path, typer.Option(help="Folder with the lab's own videos.")],
    manifest: ManifestFile = None,
    refresh: Annotated[float | None, typer.Option(help="Refresh rate of the participant's screen, in hertz.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the videos of a study: present, whole, as long as they should be, fit for the screen, evenly loud."""
    if not stimuli.is_dir():
        raise BadInput(f"{stimuli} is not a folder: give the one with your videos")
    if refresh is not None and not 1 <= refresh <= 1000:
        raise BadInput(f"--refresh {refresh:g}: give a rate from 1 to 1000 hertz, such as 60")
    listed = _manifest(manifest)
    facts, unreadable = _probe_all(stimuli)
    located = listed.locate(stimuli, {path: known.duration_s for path, known in facts.items()})
    findings = [*_absent(located), *_judged(located, facts, unreadable, refresh)]
    if as_json:
        print_json(
            {
                "stimuli": [
                    {"stim_id": one.stimulus.stim_id, "file": str(one.path) if one.path else None, "found_by": one.how}
                    for one in located
                ],
                "findings": [asdict(finding) for finding in findings],
                "ok": not any(finding.level == "error" for finding in findings),
            }
        )
    else:
        _print_validation(located, facts, findings)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        typer.echo(f"error: {len(errors)} to put right: {errors[0].stimulus}: {errors[0].text}", err=True)
        raise typer.Exit(1)


@app.command(epilog=_PLACEHOLDERS_EPILOG)
def placeholders(
    out: Annotated[Path, typer.Option(help="Folder that gets one video per stimulus.")],
    manifest: ManifestFile = None,
    seconds: Annotated[float | None, typer.Option(help="Length of each. Default: as the manifest says.")] = None,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Make stand-ins for the stimuli, to rehearse with: a running frame number, and a beep every second."""
    if seconds is not None and not 0 < seconds <= 7200:
        raise BadInput(f"--seconds {seconds:g}: give a length above 0, at most two hours")
    if not 1 <= fps <= 240:
        raise BadInput(f"--fps {fps:g}: give a rate from 1 to 240")
    listed = _manifest(manifest)
    with Progress("making placeholders") as progress:
        for stimulus in listed.stimuli:
            make_placeholder(
                out / f"{stimulus.stim_id}.mp4",
                title=f"{stimulus.stim_id} {stimulus.target_emotion}",
                duration_s=stimulus.duration_s if seconds is None else seconds,
                rate_fps=Fraction(fps).limit_denominator(1001),
                progress=progress.update,
            )
    if as_json:
        print_json({"out": str(out), "stimuli": len(listed.stimuli)})
    else:
        typer.echo(f"{out}: placeholders for rehearsal; they evoke nothing")


@app.command(epilog=_SELECT_EPILOG)
def select(
    ratings: Annotated[Path, typer.Argument(help="What volunteers said.")],
    keep: Annotated[int, typer.Option(help="How many stimuli are kept.")] = 15,
    min_raters: Annotated[int, typer.Option(help="Raters that a stimulus needs.")] = 1,
    min_share: Annotated[float, typer.Option(help="More than this share must name the emotion.")] = 0.5,
    quota: Annotated[list[str] | None, typer.Option(help="EMOTION=N: keep at least so many; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Choose stimuli by volunteers' ratings, as the paper did: more than half agree, then the greatest intensity."""
    try:
        rule = SelectionRule(
            keep=keep, min_raters=min_raters, min_target_share=min_share, quota=dict(map(_quota, quota or ()))
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{first['loc'][0]} {first['input']}: {first['msg']}") from None
    judged = select_stimuli(read_ratings(ratings), rule)
    if as_json:
        print_json({"rule": rule.model_dump(mode="json"), "stimuli": [asdict(one) for one in judged]})
    else:
        _print_selection(judged)


@app.command(epilog=_PLAN_EPILOG)
def plan(
    protocol: Annotated[str, typer.Argument(help="Protocol file, or the name of one that comes along.")] = "dfme",
    seed: Annotated[int, typer.Option(help="Of the draw; the same seed draws the same stimuli.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Show what a session by a protocol consists of: the drawn stimuli in their order, and every step."""
    described, folder = load_protocol(protocol)
    listed = _manifest(folder / described.stimuli if described.stimuli else None)
    planned = plan_session(described, listed, seed)
    if as_json:
        steps = [
            {"number": one.number, "kind": one.step.kind, "stimulus": one.stimulus, "seconds": one.step.seconds}
            for one in planned.steps
        ]
        print_json({"protocol": described.name, "seed": seed, "stimuli": list(planned.stimuli), "steps": steps})
        return
    table = Table("step", "kind", "stimulus", "emotion", "seconds", box=None)
    for one in planned.steps:
        stimulus = listed.by_id[one.stimulus] if one.stimulus else None
        shown = one.step.kind == "stimulus" and stimulus is not None
        seconds = stimulus.duration_s if shown and stimulus is not None else one.step.seconds
        table.add_row(
            str(one.number + 1),
            one.step.kind,
            one.stimulus or "",
            str(stimulus.target_emotion) if stimulus is not None else "",
            f"{seconds:g}" if seconds is not None else "",
        )
    output().print(table)


def main() -> None:
    """Entry point of `dfme-elicit`."""
    run_command(app)


def _manifest(path: Path | None) -> Manifest:
    return Manifest.of_paper() if path is None else Manifest.load(path)


def _probe_all(folder: Path) -> tuple[dict[Path, VideoFacts], dict[Path, str]]:
    """Facts of every video in a folder, and why some cannot be read."""
    videos = sorted(path for suffix in _VIDEO_SUFFIXES for path in folder.rglob(suffix) if path.is_file())
    facts: dict[Path, VideoFacts] = {}
    unreadable: dict[Path, str] = {}
    with Progress("reading videos", "videos") as progress:
        for number, video in enumerate(videos, start=1):
            try:
                facts[video] = probe_video(video)
            except BadInput as error:
                unreadable[video] = str(error)
            progress.update(number, len(videos))
    return facts, unreadable


def _absent(located: Iterable[Located]) -> list[Finding]:
    return [Finding("error", one.stimulus.stim_id, f"absent: {one.how}") for one in located if one.path is None]


def _judged(
    located: Iterable[Located],
    facts: dict[Path, VideoFacts],
    unreadable: dict[Path, str],
    refresh_hz: float | None,
) -> list[Finding]:
    findings: list[Finding] = []
    heard: list[tuple[str, VideoFacts]] = []
    for one in located:
        if one.path is None:
            continue
        known = facts.get(one.path) or facts.get(one.path.resolve())
        if known is None:
            why = unreadable.get(one.path, f"{one.path} is not a video that is known by its name")
            findings.append(Finding("error", one.stimulus.stim_id, why))
            continue
        heard.append((one.stimulus.stim_id, known))
        findings += judge_video(one.stimulus, known, refresh_hz)
    return [*findings, *judge_loudness(heard)]


def _print_validation(located: Iterable[Located], facts: dict[Path, VideoFacts], findings: list[Finding]) -> None:
    table = Table("stimulus", "file", "found by", "codec", "size", "fps", "seconds", "LUFS", box=None)
    for one in located:
        known = facts.get(one.path) if one.path is not None else None
        cells = ["", "", "", "", ""]
        if known is not None:
            loudness = "" if known.loudness_lufs is None else f"{known.loudness_lufs:.1f}"
            cells = [
                known.video_codec,
                f"{known.width_px}x{known.height_px}",
                f"{known.rate_fps:.4g}",
                f"{known.duration_s:.1f}",
                loudness,
            ]
        found = (one.path.name, one.how) if one.path is not None else ("absent", "")
        table.add_row(one.stimulus.stim_id, *found, *cells)
    output().print(table)
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.stimulus}: {finding.text}")


def _print_selection(judged: Iterable[Judged]) -> None:
    table = Table("stimulus", "kept", "emotion", "named by", "intensity", "raters", "why", box=None)
    for one in judged:
        table.add_row(
            one.stimulus,
            "yes" if one.kept else "no",
            str(one.emotion) if one.emotion else "",
            f"{one.share:.0%}",
            f"{one.intensity:.2f} ± {one.deviation:.2f}",
            str(one.raters),
            one.reason,
        )
    output().print(table)


def _quota(text: str) -> tuple[Any, int]:
    name, equals, number = text.partition("=")
    if not equals or not number.isdigit():
        raise BadInput(f"--quota {text}: write EMOTION=N, such as contempt=2")
    try:
        return parse_emotion(name), int(number)
    except ExpressionError as error:
        raise BadInput(f"--quota {text}: {error}") from None


if __name__ == "__main__":
    main()
