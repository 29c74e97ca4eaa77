"""`dfme-session demo`: a whole pilot study with simulated participants and coders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capture.console import print_json
from capture.demo.plan import StudyPlan

if TYPE_CHECKING:
    from capture.demo.journey import Story

DEMO_EPILOG = """
No camera, no graphics card and no screen are needed. It takes some minutes and 15 GB of disk for three participants.
OUT keeps everything: the study, its recordings, codes and model, a log of every command, and index.html, which shows
it all.

Examples:

  dfme-session demo --out pilot

  dfme-session demo --out quick --stimuli 1 --seconds 3 --json
"""
DEFAULT = StudyPlan()


def demo(
    out: Annotated[Path, typer.Option(help="New or empty folder for the study.", show_default=False)],
    participants: Annotated[
        int, typer.Option(min=3, max=60, help="Simulated participants; a model needs three.")
    ] = DEFAULT.participants,
    stimuli: Annotated[int, typer.Option(min=1, max=7, help="Stimuli that each is shown.")] = DEFAULT.stimuli,
    seconds: Annotated[float, typer.Option(min=2, max=60, help="Length of a stimulus.")] = DEFAULT.stimulus_s,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="Epochs of training.")] = DEFAULT.epochs,
    seed: Annotated[int, typer.Option(min=0, help="What participants and coders do follows from it.")] = DEFAULT.seed,
    screen: Annotated[
        bool, typer.Option("--screen", help="Show the stimuli on this machine's screen; without it, nowhere.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Play a pilot study from an empty folder to a model, without people.

    Participants give consent, are shown stimuli, recorded at 200 frames a second with live readout, and report; coders
    code the recordings in the rounds of the annotation server; a model is trained on what they agreed on and reads out
    the recordings, and all is held against the truth. Every step is a command or an interface that a lab uses.
    """
    # What draws and asks over HTTP takes a moment to import: the other commands do without.
    from capture.demo.journey import Journey, prepare_folder  # noqa: PLC0415
    from capture.demo.page import write_page  # noqa: PLC0415

    plan = StudyPlan(participants, stimuli, seconds, epochs=epochs, seed=seed)
    prepare_folder(out, plan)
    story = Journey(out, plan, screen=screen).run()
    page = write_page(out, story)
    if as_json:
        print_json(_as_json(story, page))
        return
    typer.echo(f"{page}: {story.seconds / 60:.1f} minutes, {len(story.steps)} commands")
    if story.without_model:
        typer.echo(story.without_model)


def _as_json(story: Story, page: Path) -> dict[str, Any]:
    trained = story.trained
    return {
        "page": str(page),
        "simulated": True,
        "seconds": round(story.seconds, 1),
        "commands": len(story.steps),
        "participants": list(story.participants),
        "recordings": len(story.trials),
        "frames": sum(trial.frames for trial in story.trials),
        "lost": sum(story.lost.values()),
        "verified": story.verified_ok,
        "truths": sum(len(trial.truth) for trial in story.trials),
        "answers": story.answers,
        "coded": story.exported.get("expressions", 0),
        "clips": story.exported.get("clips", 0),
        "test": trained.get("test"),
        "spotting": dict(story.scores),
        "without_model": story.without_model or None,
    }
