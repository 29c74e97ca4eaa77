"""`dfme-elicit participant`: enters participants, their consent, and that they took it back."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from capture.console import output, print_json
from capture.errors import BadInput
from capture.participants import Participant, Registry
from capture.toml_file import read_text

PARTICIPANT_EPILOG = """
Examples:

  dfme-elicit participant add --study /data/study1

  dfme-elicit participant consent P7KQ2M --study /data/study1 --form consent-v3.txt --agree recording --agree analysis

  dfme-elicit participant withdraw P7KQ2M --study /data/study1
"""

participant_app = typer.Typer(rich_markup_mode=None, help="Participants and what they agreed to.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
Pseudonym = Annotated[str, typer.Argument(help="The participant's pseudonym.", show_default=False)]
Study = Annotated[Path, typer.Option(help="Folder of the study's sessions.")]


class Scope(StrEnum):
    """What is taken back."""

    ALL = "all"
    PUBLICATION = "publication"


@participant_app.command("add", epilog="Example:  dfme-elicit participant add --study /data/study1")
def add_participant(
    study: Study,
    pseudonym: Annotated[str | None, typer.Option(help="Default: a random one, which is best.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enter a participant, and print the pseudonym."""
    entered = Registry(study).add(pseudonym)
    if as_json:
        print_json({"participant": entered})
    else:
        typer.echo(entered)


@participant_app.command(
    "consent",
    epilog="""Example:

  dfme-elicit participant consent P7KQ2M --study /data/study1 --form consent-v3.txt --agree recording""",
)
def enter_consent(
    pseudonym: Pseudonym,
    study: Study,
    form: Annotated[Path, typer.Option(help="The form as it was signed; its text's hash is kept.")],
    agree: Annotated[list[str], typer.Option(help="What was agreed to; repeatable; `recording` is needed to record.")],
    refuse: Annotated[list[str] | None, typer.Option(help="What was asked and refused; repeatable.")] = None,
    publish_images: Annotated[
        bool, typer.Option("--publish-images/--no-publish-images", help="Whether face images may be published.")
    ] = False,
    witness: Annotated[str, typer.Option(help="Who took the consent: role or initials.")] = "",
    as_json: AsJson = False,
) -> None:
    """Enter the consent that a participant gave."""
    both = sorted(set(agree) & set(refuse or ()))
    if both:
        raise BadInput(f"{both[0]} is agreed to and refused: give one of the two")
    known = Registry(study).consent(
        pseudonym,
        form=form.stem,
        form_text=read_text(form, BadInput),
        items={**dict.fromkeys(agree, True), **dict.fromkeys(refuse or (), False)},
        publish_images=publish_images,
        witness=witness,
    )
    _say_consent(known, as_json=as_json)


@participant_app.command("withdraw", epilog="Example:  dfme-elicit participant withdraw P7KQ2M --study /data/study1")
def withdraw_consent(
    pseudonym: Pseudonym,
    study: Study,
    scope: Annotated[Scope, typer.Option(help="Everything, or only that images may be published.")] = Scope.ALL,
    as_json: AsJson = False,
) -> None:
    """Enter that a participant took the consent back. What was recorded stays until it is removed."""
    taken: Literal["all", "publication"] = "all" if scope is Scope.ALL else "publication"
    _say_consent(Registry(study).withdraw(pseudonym, taken), as_json=as_json)


@participant_app.command("list", epilog="Example:  dfme-elicit participant list --study /data/study1")
def list_participants(study: Study, as_json: AsJson = False) -> None:
    """List participants and what they agreed to."""
    if not study.is_dir():
        raise BadInput(f"{study} is not a folder: give the one of the study's sessions")
    people = Registry(study).participants()
    if as_json:
        print_json({"participants": [_as_row(known) for known in people.values()]})
        return
    table = Table("participant", "consent", box=None)
    for known in people.values():
        table.add_row(known.pseudonym, _consent(known))
    output().print(table)


def _as_row(known: Participant) -> dict[str, Any]:
    return {
        "participant": known.pseudonym,
        "may_be_recorded": known.may_be_recorded,
        "may_be_published": known.may_be_published,
        "withdrawn": known.withdrawn,
        "erased": known.erased,
        "left_over": list(known.left_over),
    }


def _say_consent(known: Participant, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_row(known))
    else:
        typer.echo(f"{known.pseudonym}: {_consent(known)}")


def _consent(known: Participant) -> str:
    if known.erased:
        left = f"; {len(known.left_over)} things still to be seen to" if known.left_over else ""
        return f"erased on {known.erased}{left}"
    if known.consent is None:
        return "no consent yet"
    if known.withdrawn:
        return f"withdrawn on {known.withdrawn}"
    agreed = ", ".join(item for item, answer in known.consent.items.items() if answer) or "nothing"
    images = "images may be published" if known.may_be_published else "no images in publications"
    return f"{known.consent.form}: agreed to {agreed}; {images}"
