"""`dfme-annotate stats`: the paper's data set tables and pictures, of any coded data set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from annotation.coded import CodedSample
from annotation.coded.from_study import study_samples
from annotation.commands.common import Db, Json, StudyFile, open_study
from annotation.describe.facts import DatasetFacts, class_counts, combination_facts, table_1, unit_percentages
from annotation.describe.pictures import class_distribution, unit_bars
from annotation.imports.sheets import Source, read_labels
from annotation.study import STUDY_FILE, WORK_FOLDER
from capture.console import Progress, output, print_json
from capture.errors import BadInput
from capture.recording.files import write_whole
from expression import Emotion
from expression.label_sheets import guarded

EPILOG = """
DATA is a study (a folder of sessions), a data set in DFME layout, or a label sheet. OUT gets statistics.md,
class_distribution (Figure 4), units (Table 4), combinations (Table 6) and dataset (Table 1), as CSV and PNG.

Examples:

  dfme-annotate stats /data/study1 --out statistics

  dfme-annotate stats synthetic --fps 500 --json

  dfme-annotate stats CASME2-coding-20140508.xlsx --out casme2
"""
_LABELS = "*labels*.xlsx"


def stats(
    data: Annotated[list[Path], typer.Argument(help="Study, data set, or label sheet; several count as one.")],
    out: Annotated[Path | None, typer.Option(help="Folder for tables and pictures.", show_default=False)] = None,
    name: Annotated[str, typer.Option(help="Of the data set, in the tables.", show_default=False)] = "",
    source: Annotated[Source, typer.Option("--format", help="Whose label sheets they are.")] = Source.AUTO,
    fps: Annotated[
        float | None, typer.Option(help="Frames a second, where they do not say.", min=1, max=100_000)
    ] = None,
    db: Db = None,
    study: StudyFile = None,
    json_output: Json = False,
) -> None:
    """Describe a coded data set: class distribution, action units per emotion, combinations, and one line of facts."""
    samples = [sample for one in data for sample in _samples(one, source, fps, db, study)]
    facts = table_1(name or data[0].absolute().name, samples)
    written = _write(out, facts, samples) if out is not None else []
    counts = class_counts(samples)
    if json_output:
        print_json(
            {
                "dataset": asdict(facts),
                "classes": {part: {e.value: by[e] for e in Emotion} for part, by in counts.items()},
                "units": {
                    emotion.value: {one.what: round(one.percent, 1) for one in found}
                    for emotion, found in unit_percentages(samples).items()
                },
                "files": written,
            }
        )
        return
    console = output()
    console.print(
        f"{escape(facts.name)}: {facts.micro} micro- and {facts.macro} macro-expressions of {facts.subjects} subjects, "
        f"mean length {facts.mean_ms:.0f} ms"
    )
    table = Table("part", *(emotion.value for emotion in Emotion), "all", box=None, pad_edge=False)
    for part, by in counts.items():
        table.add_row(escape(part), *(str(by[emotion]) for emotion in Emotion), str(by.total()))
    console.print(table)
    for file in written:
        console.print(escape(file))


def _samples(data: Path, source: Source, fps: float | None, db: str | None, study: Path | None) -> list[CodedSample]:
    if data.is_file():
        return list(read_labels(data, source, fps).samples)
    if not data.is_dir():
        raise BadInput(f"{data} is neither a study, nor a data set, nor a label sheet")
    if db is not None or (data / WORK_FOLDER).is_dir() or (data / STUDY_FILE).is_file():
        with open_study(data, db, study) as opened, opened.database.read() as session:
            samples = study_samples(session, opened.outcomes)
        if samples:
            return samples
    sheets = sorted(data.glob(_LABELS)) or sorted((*data.glob("*.xlsx"), *data.glob("*.csv")))
    if not sheets:
        raise BadInput(f"{data} has neither settled expressions nor a label sheet (.xlsx, .csv)")
    with Progress("reading sheets", "sheets") as progress:
        found: list[CodedSample] = []
        for done, sheet in enumerate(sheets, start=1):
            found += read_labels(sheet, source, fps or _rate_of(data)).samples
            progress.update(done, len(sheets))
    return found


def _rate_of(data: Path) -> float | None:
    """The rate of a data set that says it beside its sheet: ours do."""
    for file in ("dataset.json", "manifest.json"):
        try:
            content = json.loads((data / file).read_bytes())
        except (OSError, ValueError):
            continue
        clips = content.get("clips") if isinstance(content, dict) else None
        holder = clips[0] if isinstance(clips, list) and clips else content
        rate = holder.get("rate_fps") if isinstance(holder, dict) else None
        if isinstance(rate, int | float) and rate > 0:
            return float(rate)
    return None


def _write(out: Path, facts: DatasetFacts, samples: Sequence[CodedSample]) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    counts, units, combinations = class_counts(samples), unit_percentages(samples), combination_facts(samples)
    tables: dict[str, tuple[list[str], list[list[Any]]]] = {
        "dataset": (list(asdict(facts)), [[_plain(value) for value in asdict(facts).values()]]),
        "class_distribution": (
            ["part", *(emotion.value for emotion in Emotion), "all"],
            [[part, *(by[emotion] for emotion in Emotion), by.total()] for part, by in counts.items()],
        ),
        "units": (
            ["emotion", "unit", "count", "percent"],
            [
                [emotion.value, one.what, one.count, f"{one.percent:.1f}"]
                for emotion, found in units.items()
                for one in found
            ],
        ),
        "combinations": (
            ["emotion", "combination", "exact", "holding", "percent", "share", "in_paper", "shared"],
            [[_plain(value) for value in asdict(one).values()] for one in combinations],
        ),
    }
    files = {f"{name}.csv": _csv(columns, rows) for name, (columns, rows) in tables.items()}
    files["class_distribution.png"] = class_distribution(counts)
    files["units.png"] = unit_bars(units)
    files["statistics.md"] = _markdown(facts, tables).encode()
    for name, content in files.items():
        write_whole(out / name, content)
    return [str(out / name) for name in files]


def _plain(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, tuple):
        return " ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return value


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode()


_TITLES = {
    "dataset": "The data set (Table 1 of the DFME paper)",
    "class_distribution": "Micro-expressions by part and emotion (Figure 4)\n\n![](class_distribution.png)",
    "units": "Action units in per cent of each emotion's micro-expressions with units (Table 4)\n\n![](units.png)",
    "combinations": "Combinations of action units (Table 6)",
}


def _markdown(facts: DatasetFacts, tables: dict[str, tuple[list[str], list[list[Any]]]]) -> str:
    parts = [f"# {facts.name}"]
    for name, (columns, rows) in tables.items():
        lines = [columns, ["---"] * len(columns), *rows]
        parts += [f"## {_TITLES[name]}", "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)]
    return "\n\n".join(parts) + "\n"
