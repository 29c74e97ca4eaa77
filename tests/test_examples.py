"""Every command line in a command's help, in the README and in the documentation is one that the command takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

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
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


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


def code(page: Path) -> Iterator[str]:
    """Lines of a page that are code; those that a backslash continues are one."""
    fenced, begun = False, ""
    for line in page.read_text().splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            begun += line.strip().removeprefix("$ ").removesuffix("\\")
            if not line.endswith("\\"):
                yield begun
                begun = ""


def command_lines(page: Path) -> Iterator[str]:
    """Those of ours, without what is said about them behind a number sign or two spaces."""
    for line in code(page):
        plain = re.split(r"\s+#|  +\S", line)[0]
        for part in re.split(r" && | \| |; ", plain):
            words = part.split()
            if words and words[0].removeprefix(".venv/bin/") in COMMANDS:
                yield part.strip().removeprefix(".venv/bin/")


DOCUMENTED = [(page.relative_to(ROOT), line) for page in PAGES for line in command_lines(page)]


@pytest.mark.parametrize(("page", "line"), DOCUMENTED, ids=[f"{page}-{line[:60]}" for page, line in DOCUMENTED])
def test_a_command_line_of_the_documentation_is_taken(page, line):
    words = shlex.split(line)
    parse(command_of(words[0]), words)


def test_the_documentation_has_command_lines_of_every_command():
    assert {line.split()[0] for _, line in DOCUMENTED} == set(COMMANDS)
    assert len(DOCUMENTED) > 60


def options_of(command) -> set[str]:
    """Of a command and all below it."""
    own = {spelling for one in command.params for spelling in (*one.opts, *one.secondary_opts)}
    return own.union({"--help"}, *(options_of(child) for child in getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_of_commands_and_options_in_passing_is_so(page):
    for span in re.findall(r"`(dfme-[^`\n]+)`", page.read_text()):
        words = span.split()
        if words[0] not in COMMANDS:
            # Not a command: a folder, a package.
            continue
        command = command_of(words[0])
        for word in words[1:]:
            if not re.fullmatch(r"[a-z-]+", word) or word.startswith("-"):
                break
            children = getattr(command, "commands", {})
            if word in children:
                command = children[word]
            else:
                assert any(one.param_type_name == "argument" for one in command.params), f"{page}: {span}"
                break
        asked = {word.partition("=")[0].strip(".,;:()[]") for word in words[1:] if word.startswith("--")}
        assert asked <= options_of(command), f"{page}: {span}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_programs_that_a_page_names_exist(page):
    text = page.read_text()
    for module in re.findall(r"python -m ([a-z_][\w.]*\w)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file() or find_spec(module), f"{page}: {module}"
    for script in re.findall(r"python ((?:benchmarks|docs|tests)/[\w/]+\.py)", text):
        assert (ROOT / script).is_file(), f"{page}: {script}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            # Pages that the site makes while it is built.
            made = {"messages.md", "events.md", "reference/messages.md", "reference/events.md"}
            assert target in made or (page.parent / target).exists(), f"{page}: {target}"


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
