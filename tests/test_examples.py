"""Every example that a command's help gives is a command line that the command takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile

import pytest
import typer
from typer.main import get_command

COMMANDS = {
    "dfme-capture": "capture.cli",
    "dfme-record": "capture.record_cli",
    "dfme-session": "capture.session_cli",
    "dfme-elicit": "elicitation.cli",
    "dfme-live": "realtime.cli",
    "dfme-annotate": "annotation.cli",
    "dfme-train": "training.cli",
}


def command_of(name):
    app = import_module(COMMANDS[name]).app
    assert isinstance(app, typer.Typer)
    return get_command(app)


def epilogs(command) -> Iterator[str]:
    if command.epilog:
        yield command.epilog
    for child in getattr(command, "commands", {}).values():
        yield from epilogs(child)


def examples(name) -> Iterator[str]:
    """Lines behind `Example:` or `Examples:`, those of several commands in one line apart."""
    for epilog in epilogs(command_of(name)):
        text = re.split(r"Examples?:\s+", epilog, maxsplit=1)[-1]
        for block in text.split("\n\n"):
            # What is said about it stands behind a number sign, or two spaces.
            line = " ".join(re.split(r"\s+#|  +\S", block.strip())[0].split())
            if line.startswith("dfme-"):
                yield from line.split(" && ")


ALL = [(name, line) for name in COMMANDS for line in examples(name)]


def parse(command, words: list[str]) -> None:
    context = command.make_context(words[0], words[1:])
    with context:
        # A group keeps the name of the command that was meant apart from what follows it.
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if getattr(command, "commands", None) and rest:
            _, child, others = command.resolve_command(context, rest)
            parse(child, [rest[0], *others])
        else:
            assert not rest or context.allow_extra_args


@pytest.mark.parametrize(("name", "line"), ALL, ids=[line[:60] for _, line in ALL])
def test_an_example_is_taken(name, line):
    words = list(takewhile(lambda word: word != "<", shlex.split(line)))
    assert words[0] in COMMANDS, line
    parse(command_of(words[0]), words)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples(name):
    assert any(own == name for own, _ in ALL)


def described(command, path: str) -> Iterator[tuple[str, object]]:
    """Every command, by the words that call it."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from described(child, f"{path} {name}")


EVERY_COMMAND = dict(pair for name in COMMANDS for pair in described(command_of(name), name))


@pytest.mark.parametrize("path", EVERY_COMMAND)
def test_help_says_of_every_command_what_it_does_with_an_example_and_of_every_option_what_it_is(path, call_command):
    command = EVERY_COMMAND[path]
    name, *words = path.split()
    ended = call_command(import_module(COMMANDS[name]).app, *words, "--help")
    assert ended.status == 0
    assert command.help.split()[0] in ended.out
    assert f"  {path} " in ended.out or f"  {path}\n" in ended.out or hasattr(command, "commands")
    for parameter in command.params:
        if "--help" not in parameter.opts:
            said = parameter.help or ""
            assert said.endswith((".", ").", "…")), f"{path} {parameter.opts[0]}: {said!r}"
