"""What MkDocs does beside rendering pages: reference pages from the code, and every page in the navigation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts pages that the navigation does not name behind the reference, and the decisions before the last page."""
    nav = config.nav
    if isinstance(nav, list):
        docs = ROOT / "docs"
        named = set(_named(nav))
        for section in nav:
            if isinstance(section, dict) and "Reference" in section:
                section["Reference"] += [path.name for path in sorted(docs.glob("*.md")) if path.name not in named]
        decisions = [f"decisions/{path.name}" for path in sorted((docs / "decisions").glob("*.md"))]
        nav.insert(len(nav) - 1, {"Decisions": decisions})
    return config


def _named(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for part in nav.values():
            yield from _named(part)
    else:
        for part in nav:
            yield from _named(part)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are read off the code."""
    files.append(File.generated(config, "reference/messages.md", content=messages_page()))
    files.append(File.generated(config, "reference/events.md", content=events_page()))
    return files


def messages_page() -> str:
    """The message grammar, from the structs' docstrings."""
    path = ROOT / "capture" / "messages.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    numbers = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    lines = [
        "# Message grammar",
        "",
        "What our processes say to each other, from `capture/messages.py`. A message is one msgpack map; `type` names",
        f"it. This is protocol {numbers['PROTOCOL_MAJOR']}.{numbers['PROTOCOL_MINOR']}; a peer with another major",
        "number is refused. On the recording path frames follow `start`, `image` (one for each frame), `end`;",
        "`release` and `finished` come back. Everything else goes over the supervisor's hub. Between processes",
        "of one machine no pixels travel: `image` names a slot of the ring. What the live readout publishes",
        "for other programs is told [on its page](../live.md#what-it-writes).",
        "",
    ]
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        tag = next(keyword.value.value for keyword in node.keywords if keyword.arg == "tag")  # type: ignore[attr-defined]
        lines += [f"## `{tag}`", "", _one_line(ast.get_docstring(node)), ""]
        fields = list(_fields(node))
        if fields:
            lines += ["| key | type | meaning |", "|---|---|---|"]
            lines += [f"| `{name}` | `{kind}` | {_cell(text)} |" for name, kind, text in fields]
            lines.append("")
    return "\n".join(lines)


def events_page() -> str:
    """The columns and kinds of events, from what is written beside every event log."""
    from capture.session import events  # noqa: PLC0415 - only when the site is built

    description = {column: events.description_of(column) for column in events.COLUMNS}
    lines = [
        "# Event columns",
        "",
        "Columns of `events.tsv` in a session's folder, in this order; `n/a` stands where there is nothing to say. The",
        "same is written beside every log as `events.json`, in the form of BIDS. How logs are used is told under",
        "[recordings](../recordings.md#a-session-folder).",
        "",
        "| column | meaning | unit |",
        "|---|---|---|",
    ]
    for column in events.COLUMNS:
        told = description[column]
        lines.append(f"| `{column}` | {_cell(told['Description'])} | {told.get('Units', '')} |")
    lines += ["", "## Kinds of events", "", "| `trial_type` | meaning |", "|---|---|"]
    lines += [f"| `{kind}` | {_cell(text)} |" for kind, text in description["trial_type"]["Levels"].items()]
    lines += ["", "Levels are `" + "`, `".join(description["level"]["Levels"]) + "`.", ""]
    return "\n".join(lines)


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    following = [*node.body[1:], None]
    for statement, after in zip(node.body, following, strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                text = _one_line(str(after.value.value))
            yield statement.target.id, ast.unparse(statement.annotation), text


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
