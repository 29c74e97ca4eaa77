"""Reads the TOML files that people write by hand into pydantic models; every mistake names file, line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from capture.errors import BadInput
from capture.recording.files import read_document

_MOST_BYTES: Final = 1 << 20
"""Far more than anybody writes by hand."""
_KEY = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_ASSIGNMENT = re.compile(rf"^\s*(?P<key>{_DOTTED})\s*=")
_TABLE = re.compile(rf"^\s*\[(?P<several>\[?)\s*(?P<key>{_DOTTED})\s*\]")

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str, ...]
"""Keys from the top, with the number of the entry, from 0, behind the key of an array."""


def read_text(path: Path, refused: type[BadInput], most_bytes: int = _MOST_BYTES) -> str:
    """The whole text of a file in UTF-8, with or without a byte order mark.

    Args:
        path: A regular file.
        refused: The error to raise.
        most_bytes: What is longer was not written by hand.

    Raises:
        BadInput: Of the type `refused`: unreadable, too large, or not UTF-8.
    """
    try:
        return read_document(path, most_bytes).decode("utf-8-sig")
    except OSError as error:
        raise refused(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise refused(f"{path} is not a text in UTF-8: save it as UTF-8") from None


def parse(text: str, name: str, model: type[Model], refused: type[BadInput]) -> Model:
    """A TOML text as a model.

    Args:
        text: The file's content.
        name: The file, for messages.
        model: What it must fit.
        refused: The error to raise.

    Raises:
        BadInput: Of the type `refused`: no TOML, or a key is wrong; one line.
    """
    return validated(parse_table(text, name, refused), text, name, model, refused)


def parse_table(text: str, name: str, refused: type[BadInput]) -> dict[str, Any]:
    """A TOML text as it stands; arguments and errors as of `parse`."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Also what TOML allows and Python does not: numbers of thousands of digits, thousands of brackets.
        raise refused(_syntax_error(name, text, str(error))) from None


def validated(content: dict[str, Any], text: str, name: str, model: type[Model], refused: type[BadInput]) -> Model:
    """The table `content` of a text as a model; other arguments and errors as of `parse`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise refused(_schema_error(name, text, content, model, error)) from None


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def _key_lines(text: str) -> dict[Place, int]:
    """The line, from 1, on which each key or table of a TOML text stands."""
    lines: dict[Place, int] = {}
    table: Place = ()
    entries: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = _parts(header["key"])
            lines.setdefault(table, number)
            if header["several"]:
                entry = entries[table] = entries.get(table, -1) + 1
                table = (*table, str(entry))
                lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault(table + _parts(assignment["key"]), number)
    return lines


def _syntax_error(name: str, text: str, message: str) -> str:
    what, _, position = message.partition(" (at ")
    lines = text.splitlines() or [""]
    found = re.match(r"line (\d+), column (\d+)", position)
    number, column = (int(found[1]), int(found[2])) if found else (len(lines), len(lines[-1]))
    line = lines[min(number, len(lines)) - 1]
    assignment = _ASSIGNMENT.match(line)
    key = f", key {assignment['key']}" if assignment else f": {line.strip()!r}" if line.strip() else ""
    return f"{name}, line {number}, column {column}{key}: {what[:1].lower()}{what[1:]}"


def _schema_error(
    name: str, text: str, content: Mapping[str, Any], model: type[BaseModel], error: ValidationError
) -> str:
    lines = _key_lines(text)
    problems = [(_known_part(content, problem["loc"]), problem) for problem in error.errors(include_url=False)]
    place, problem = problems[0]
    messages = [words_of(other) for where, other in problems if where == place]
    more = len({where for where, _ in problems}) - 1
    if problem["type"] == "missing":
        wanted = ".".join(str(part) for part in problem["loc"])
        detail = f"key {wanted} is missing ({_description(model, place, str(problem['loc'][-1]))})"
        return _one_line(name, lines.get(place), detail, len(problems) - 1)
    if problem["type"] == "extra_forbidden":
        detail = _unknown_key(model, place)
    elif problem["type"] == "value_error":
        detail, place = _own_words(messages[0], place, lines)
    else:
        detail = f"key {'.'.join(place)} {' or '.join(dict.fromkeys(messages))}, not {problem['input']!r}"
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    return _one_line(name, line, detail, more)


def _own_words(message: str, place: Place, lines: Mapping[Place, int]) -> tuple[str, Place]:
    """What a model's own check says, and where: it may name the key, deeper than where pydantic called it."""
    named = re.match(r"(.+?) = ", message)
    if named:
        return f"key {message}", (*place, named[1]) if (*place, named[1]) in lines else place
    return (f"key {'.'.join(place)}: {message}" if place else message), place


def words_of(problem: Any) -> str:
    """What pydantic says of one value, to go behind its name."""
    if problem["type"] == "model_type":
        return f"should be a table, [{problem['loc'][-1]}] with its keys below"
    message: str = problem["msg"]
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _one_line(name: str, line: int | None, detail: str, more: int) -> str:
    where = f", line {line}" if line is not None else ""
    return f"{name}{where}, {detail}" + (f" (and {more} more to put right)" if more > 0 else "")


def _known_part(content: Mapping[str, Any], location: Sequence[int | str]) -> Place:
    """The part of a schema location that stands in the file; the rest names branches of unions."""
    place: Place = ()
    value: Any = content
    for part in location:
        known = part in value if isinstance(value, Mapping) else isinstance(value, list) and part in range(len(value))
        if not known:
            break
        place += (str(part),)
        value = value[part]
    return place


def _fields_at(model: type[BaseModel], place: Place) -> Mapping[str, Any]:
    """The fields of the table at `place`; none where it is no table of ours."""
    table: type[BaseModel] | None = model
    for key in place:
        if table is None:
            break
        if not key.isdigit():
            field = table.model_fields.get(key)
            table = _model_in(field.annotation) if field is not None else None
    return table.model_fields if table is not None else {}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds: by itself, or several in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one)) is not None), None)


def _description(model: type[BaseModel], place: Place, key: str) -> str:
    field = _fields_at(model, place).get(key)
    described = field.description if field is not None else None
    return str(described).splitlines()[0].rstrip(".") if described else "it must be given"


def _unknown_key(model: type[BaseModel], place: Place) -> str:
    allowed = list(_fields_at(model, place[:-1]))
    close = difflib.get_close_matches(place[-1], allowed, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(allowed)}"
    return f"key {'.'.join(place)} is not known: {remedy}"
