"""One report of a reproduction, as Markdown and as one HTML file: our figure beside the paper's in every cell."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capture.recording.files import write_whole
from training.crossval import Result
from training.plots import as_bytes, figures
from training.protocol import LEAKAGE_WARNING
from training.reproduce import TABLES, Cell, Reproduction

_TITLES: Final = {
    "baseline": "baseline: cross-entropy, adaptive key-frames",
    "class-resampling": "classes drawn alike",
    "class-balanced-loss": "class-balanced loss",
    "uniform-key-frames": "uniform key-frames",
}
_SIMULATED: Final = (
    "SIMULATED participants: these figures show that the experiments run, and nothing about people or DFME."
)
_HEAD: Final = ("model", "setting", "ACC %", "paper", "UF1", "paper", "UAR", "paper", "UF1 pooled", "UAR pooled")


@dataclass(frozen=True)
class Table:
    """Rows of text under a heading."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_report(job: Reproduction, results: Mapping[Cell, Result | None]) -> Path:
    """Write `report.html`, `report.md` and the figures; the HTML file's path."""
    remarks, tables = _remarks(job, results), _tables(results)
    drawn = figures(results)
    job.out.mkdir(parents=True, exist_ok=True)
    markdown = ["# The paper's recognition experiments", "", *(f"{line}\n" for line in remarks)]
    for table in tables:
        markdown += [f"## {table.title}", "", _markdown(table), ""]
    for name, caption, figure in drawn:
        write_whole(job.out / f"{name}.png", as_bytes(figure, "png"))
        markdown += [f"![{caption}]({name}.png)", "", caption + ".", ""]
    write_whole(job.out / "report.md", "\n".join(markdown).encode())
    page = [
        f'<p class="simulated">{html.escape(line)}</p>' if line == _SIMULATED else f"<p>{html.escape(line)}</p>"
        for line in remarks
    ]
    page += [f"<h2>{html.escape(table.title)}</h2>{_html(table)}" for table in tables]
    for _, caption, figure in drawn:
        picture = base64.b64encode(as_bytes(figure, "png")).decode()
        said = html.escape(caption)
        page.append(
            f'<figure><img src="data:image/png;base64,{picture}" alt="{said}"><figcaption>{said}.</figcaption></figure>'
        )
    path = job.out / "report.html"
    write_whole(path, _PAGE.replace("BODY", "\n".join(page)).encode())
    return path


def _remarks(job: Reproduction, results: Mapping[Cell, Result | None]) -> list[str]:
    done = [result for result in results.values() if result is not None]
    missing = [cell.name for cell, result in results.items() if result is None]
    lines = []
    if any(result.simulated for result in done):
        lines.append(_SIMULATED)
    if done:
        first = done[0]
        lines.append(f"{first.samples:,} samples of {first.subjects} subjects from {first.data}.")
    how = {
        "subject": f"{job.folds} folds that share no subject, classes in equal shares as far as that goes",
        "random": f"{job.folds} random folds. Warning: {LEAKAGE_WARNING}",
        "loso": "one subject left out at a time",
        "official": "the data set's own training and test part",
    }[job.protocol]
    lines.append(
        f"Parted by: {how}. The epoch is chosen on validation subjects of the training part, never on the test part."
        f" Repetitions with other seeds: {job.seeds}. Values are means over folds, as in the paper; pooled values are"
        " computed from the predictions of all folds together."
    )
    if job.changes:
        changed = ", ".join(f"{name} {value}" for name, value in job.changes)
        lines.append(
            f"Other than in the paper's recipe: {changed}. So the figures are not comparable with the paper's."
        )
    networks = sorted({job.recipe(cell).model for cell in job.cells})
    lines.append(
        f"Networks: {', '.join(networks)}; the paper does not state its depths, nor how many epochs it trained."
    )
    if missing:
        lines.append(f"Not finished: {', '.join(missing)}.")
    return lines


def _tables(results: Mapping[Cell, Result | None]) -> list[Table]:
    tables = []
    for number, setting in TABLES.items():
        shown = [cell for cell in results if cell.setting in {setting, "baseline"}]
        if not any(cell.setting == setting for cell in shown):
            continue
        rows = [_row(cell, results[cell]) for cell in shown]
        baseline = next((result for cell in shown if (result := results[cell]) is not None), None)
        if baseline is not None:
            scores = baseline.baseline
            values = (f"{100 * scores.accuracy:.2f}", "", f"{scores.uf1:.4f}", "", f"{scores.uar:.4f}", "")
            rows.append(["—", "always the most frequent class", *values, f"{scores.uf1:.4f}", f"{scores.uar:.4f}"])
        tables.append(Table(f"Table {number}: {_TITLES[setting]}", _HEAD, rows))
    return tables


def _row(cell: Cell, result: Result | None) -> list[str]:
    paper = cell.paper
    theirs = (f"{100 * paper.accuracy:.2f}", f"{paper.uf1:.4f}", f"{paper.uar:.4f}")
    if result is None:
        return [cell.model, _TITLES[cell.setting], "…", theirs[0], "…", theirs[1], "…", theirs[2], "…", "…"]
    ours = [_with_interval(result, name, factor) for name, factor in (("accuracy", 100), ("uf1", 1), ("uar", 1))]
    both = [value for pair in zip(ours, theirs, strict=True) for value in pair]
    pooled = [_with_interval(result, name, 1, of_pooled=True) for name in ("uf1", "uar")]
    return [cell.model, _TITLES[cell.setting], *both, *pooled]


def _with_interval(result: Result, name: str, factor: int, *, of_pooled: bool = False) -> str:
    interval = result.interval(name, of_pooled=of_pooled)
    digits = 2 if factor == 100 else 4
    text = f"{factor * interval.mean:.{digits}f}"
    if interval.repetitions > 1:
        text += f" ± {factor * (interval.high - interval.mean):.{digits}f}"
    return text


def _markdown(table: Table) -> str:
    lines = [table.head, ["---"] * len(table.head), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _html(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The paper's recognition experiments</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
td:nth-child(4), td:nth-child(6), td:nth-child(8), th:nth-child(4), th:nth-child(6), th:nth-child(8) { color: #777; }
.simulated { border-left: .3rem solid #e08a1e; background: #fdf3e4; padding: .5rem .8rem; font-weight: 600; }
.wide { overflow-x: auto; }
figure { margin: 2rem 0; } img { max-width: 100%; } figcaption { color: #555; }
</style></head><body>
<h1>The paper's recognition experiments</h1>
BODY
</body></html>
"""
