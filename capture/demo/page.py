"""The page that shows what came of the study: one file with all its pictures, and the commands that made each part."""

from __future__ import annotations

import base64
import csv
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2

from capture.demo import charts
from capture.demo import plan as names
from capture.demo.journey import DEMO, HELD_OUT, LIVE, LOADED, Story
from capture.demo.matching import agreed, confusion_counts, emotion_counts
from capture.demo.page_style import PAGE_HEAD, SCRIPT
from capture.demo.plan import RATE_FPS
from capture.demo.truth import Trial
from capture.recording.files import write_whole
from capture.session.events import EventLog
from capture.session.self_report import read_self_report
from capture.version import software

PAGE: Final = "index.html"
_WIDTH_PX: Final = 1120
_FACE_PX: Final = 360
_QUALITY: Final = 82
_SIMULATED: Final = (
    "<b>SIMULATED.</b> No person was recorded. The faces are rendered, the participants' answers and the coders' "
    "codes are drawn by chance around what is known to be true, and they show many times more expressions than people "
    "do. This page shows that the parts work together; its figures say nothing about people, coders or emotions."
)
_SHOWN_FIGURES: Final = {
    "keyframes": ("presence_fleiss_kappa", "onset_mad_frames", "apex_mad_frames", "offset_mad_frames", "offset_icc_a1"),
    "units": ("r_pooled", "alpha"),
    "crosscheck": ("r_pooled", "alpha"),
    "emotion": ("fleiss_kappa", "alpha", "settled_share"),
}
_ROUND_NAMES: Final = {"keyframes": "key-frames", "crosscheck": "cross-check"}
_SHOWN_PLOTS: Final = ("keyframes-spread", "units-units", "emotion-labels")
_READERS: Final = {
    LIVE: "while it was recorded, by the model that comes along",
    DEMO: "afterwards, by the model trained here, everybody",
    HELD_OUT: "the same, of the participant whom it has not seen",
    LOADED: "live, by the model trained here, with that participant before the camera again",
}
Coded = Mapping[str, Sequence[Mapping[str, str]]]
"""Rows of the exported data set by trial."""


def write_page(out: Path, story: Story) -> Path:
    """Write the page into the folder of the study; returns its path."""
    coded = _coded(out, story.trials)
    parts = [
        f"<h1>A pilot study by one command</h1><p class='warning'>{_SIMULATED}</p>",
        _key_figures(story),
        _participants(story),
        _sessions(story, coded),
        _recording(story),
        _coding(out, story, coded),
        _data_set(story, coded),
        _model(story),
        _all_commands(story),
    ]
    path = out / PAGE
    text = f"{PAGE_HEAD}<body><main>{''.join(parts)}</main>{SCRIPT}</body></html>\n"
    write_whole(path, text.encode())
    return path


# --- parts of the page --------------------------------------------------------------------------------------------


def _key_figures(story: Story) -> str:
    frames = sum(trial.frames for trial in story.trials)
    lost = sum(story.lost.values())
    cells = [
        (len(story.participants), "participants"),
        (f"{frames:,}", f"frames in {len(story.trials)} recordings"),
        (lost, "frames lost" if lost else "frames lost; every one verified" if story.verified_ok else "frames lost"),
        (sum(len(trial.truth) for trial in story.trials), "expressions shown"),
        (story.exported.get("expressions", 0), f"coded, with {story.answers:,} answers"),
        (f"{story.seconds / 60:.1f}", f"minutes, {len(story.steps)} commands"),
    ]
    drawn = "".join(f"<div><b>{value}</b>{html.escape(about)}</div>" for value, about in cells)
    return f"<div class='cells'>{drawn}</div>"


def _participants(story: Story) -> str:
    faces = []
    for participant in story.participants:
        trial = next((one for one in story.shown if one.participant == participant), None)
        if trial is None:
            continue
        strongest = max(trial.truth, key=lambda one: one.strength, default=None)
        frame, what = (strongest.apex, f"{strongest.emotion}, at its apex") if strongest else (0, "at rest")
        pages = len(story.pages.get(participant, ()))
        faces.append(
            f"<figure class='face'><img alt='' src='{_picture(trial, frame)}'><figcaption><b>{participant}</b> {what}"
            f"<br>consented to recording and analysis; answered {pages} pages</figcaption></figure>"
        )
    text = (
        "<p>Stand-ins for the stimuli were made and checked, participants entered under random pseudonyms with their "
        "consent, and what each does in front of the camera rendered beforehand, so that the truth is known.</p>"
    )
    return _section(
        "Stimuli and participants", text, f"<div class='row'>{''.join(faces)}</div>",
        _commands(story, "Stimuli", "Participants"),
    )  # fmt: skip


def _sessions(story: Story, coded: Coded) -> str:
    longest = max((trial.frames for trial in story.shown), default=1) / RATE_FPS
    drawn = []
    for trial in story.shown:
        lanes = {
            "stimulus": _stimulus_spans(trial),
            "shown": [
                _span(one.onset, one.apex, one.offset, one.emotion, f"{one.kind} {one.emotion}, {one.text}")
                for one in trial.truth
            ],
            "coded": [_coded_span(row) for row in coded.get(trial.label, ())],
            "read out live": _read_out(story, LIVE, trial),
            "remembered": [
                _span(mark.frame, None, mark.frame, mark.emotion, f"marked {mark.emotion}, {mark.intensity} of 5")
                for mark in read_self_report(trial.session).of_trial(trial.name).marks
            ],
        }  # fmt: skip
        drawn.append(
            f"<h3>{trial.participant}, {trial.name}, stimulus {html.escape(trial.stimulus)}</h3>"
            f"{charts.timeline(longest, lanes, _WIDTH_PX)}"
        )
    text = (
        "<p>What each participant showed, what the coders agreed on, what was read out while the recording ran, and "
        "what the participant marked afterwards. A dark line is the apex; rest the pointer on a bar for more.</p>"
    )
    commands = _commands(story, *(f"Session of {one}" for one in story.participants))
    return _section("Sessions", text, charts.legend(), *drawn, commands)


def _recording(story: Story) -> str:
    head = ("participant", "trial", "frames", "fps", "MB/s to disk", "lost", "clock residual", "CPU per frame")
    rows = []
    for participant, said in story.captures.items():
        for number, trial in enumerate(said.get("trials", [said]), start=1):
            cpu = trial["cpu_ms_per_frame"]
            lost = ", ".join(f"{count} {place}" for place, count in trial["lost"].items() if count) or "0"
            rows.append(
                (participant, f"trial-{number:03}", f"{trial['frames']:,}", f"{trial['fps']:.2f}",
                 f"{trial['write_mb_s']:.0f}", lost, f"{trial['clock']['residual_ns'] / 1000:.2f} µs",
                 f"{cpu['camera'] + cpu['recorder']:.2f} ms")
            )  # fmt: skip
    live_head = ("participant", "frames analysed", "not looked at", "spotted", "latency", "model", "verified")
    live_rows = []
    for participant, said in story.captures.items():
        live, verified = said["live"], story.verified[participant]
        latency = f"{live['latency_ms']:.0f} ms" if live["latency_ms"] else "-"
        ok = "nothing damaged or lost unsaid" if verified["ok"] else "see the log"
        live_rows.append(
            (participant, f"{live['frames_analysed']:,}", f"{live['frames_skipped']:,}", live["spotted"], latency,
             f"{live['model']} ({live['engine']})", ok)
        )  # fmt: skip
    text = (
        "<p>Every frame carries a stamp of the simulated camera. All were read back and are the ones that were sent."
        " Recording never waits for the readout: what that had no time for is counted.</p>"
    )
    return _section("Throughput and losses", text, _table(head, rows), _table(live_head, live_rows))


def _coding(out: Path, story: Story, coded: Coded) -> str:
    rows = []
    for found in story.agreement.get("rounds", ()):
        wanted = _SHOWN_FIGURES.get(found["kind"], ())
        figures = {figure["key"]: figure for figure in found["figures"]}
        for key in wanted:
            if key in figures:
                name = _ROUND_NAMES.get(found["kind"], found["kind"])
                rows.append((name, len(found["coders"]), found["clips"], *_figure(figures[key])))
    plots = []
    for path in sorted((out / "agreement").glob("*.svg")):
        if path.stem.partition("-")[2].partition("-")[2] in _SHOWN_PLOTS:
            encoded = base64.b64encode(path.read_bytes()).decode()
            plots.append(f"<img class='plot' alt='{path.stem}' src='data:image/svg+xml;base64,{encoded}'>")
    decided = sum(one["decided"] for one in story.rounds)
    errors = agreed(story.trials, coded)
    near = (
        f" What the coders settled lies {errors.onset:.0f} frames (onset), {errors.apex:.0f} (apex) and "
        f"{errors.offset:.0f} (offset) from the truth, in the median."
        if errors is not None
        else ""
    )
    text = (
        f"<p>One selector, five coders of key-frames, two of action units and seven annotators gave {story.answers:,} "
        f"answers over HTTP; the lead decided {decided} clips that no rule settled.{near}</p>"
    )
    table = _table(("round", "coders", "clips", "figure", "value", "95 % interval"), rows)
    return _section("Coding and agreement", text, table, f"<div class='row'>{''.join(plots)}</div>",
                    _commands(story, "Coding"))  # fmt: skip


def _data_set(story: Story, coded: Coded) -> str:
    counts = {
        "shown": emotion_counts(one.emotion for trial in story.trials for one in trial.truth),
        "coded": emotion_counts(row["emotion"] for rows in coded.values() for row in rows),
    }
    text = (
        f"<p>{story.exported.get('clips', 0)} clips of {story.exported.get('participants', 0)} participants with "
        f"{story.exported.get('frames', 0):,} pictures were exported, as far as these agreed to analysis. Pale: shown; "
        "full: coded.</p>"
    )
    return _section("Data set", text, charts.bars(counts, _WIDTH_PX), _commands(story, "Data set"))


def _model(story: Story) -> str:
    drawn = []
    for who, about in ((LIVE, _READERS[LIVE]), (DEMO, _READERS[DEMO])):
        if who in story.said:
            matrix = charts.confusion(confusion_counts(story.shown, story.said[who]), _WIDTH_PX // 2 - 12)
            drawn.append(f"<figure>{matrix}<figcaption>Read out {about}</figcaption></figure>")
    rows = [
        (about, score["truths"], score["spotted"], score["found"], f"{score['f1']:.3f}", score["named"],
         f"{score['recognition_f1']:.3f}", f"{score['strs']:.3f}")
        for who, about in _READERS.items()
        if (score := story.scores.get(who))
    ]  # fmt: skip
    head = ("read out", "shown", "spotted", "right", "F1", "named rightly", "recognition F1", "STRS")
    if story.without_model:
        text = f"<p class='warning'>{html.escape(story.without_model)}</p>"
    else:
        test, data = story.trained["test"], story.trained["data"]
        seen = len(story.participants) - len(story.held_out)
        text = (
            f"<p>A small network was trained on {data['samples']} coded clips for {story.plan.epochs} epochs: of "
            f"{seen} participants, to train on and to choose the epoch. On {', '.join(story.held_out) or 'nobody'}, "
            f"kept apart, it has UF1 {test['uf1']:.3f} and UAR {test['uar']:.3f} on clips as they were coded. So few "
            "clips teach next to nothing: what counts is that the way from camera to model is whole. "
            "Rows: what was shown; columns: what was read out.</p>"
        )
    return _section("Readout against the truth", text, _table(head, rows), f"<div class='row'>{''.join(drawn)}</div>",
                    _commands(story, "Model", "Readout"))  # fmt: skip


def _all_commands(story: Story) -> str:
    lines = "\n".join(f"{done.command}" for done in story.steps)
    text = (
        f"<p>In the order in which they ran, in the folder of the study ({html.escape(software())}). What they said "
        "is in <code>log/</code>.</p>"
    )
    return _section("Every command", text, _copyable(lines))


# --- what several share ----------------------------------------------------------------------------------------------


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>"


def _commands(story: Story, *of: str) -> str:
    done = [one for one in story.steps if one.part in of]
    seconds = sum(one.seconds for one in done)
    lines = "\n".join(one.command for one in done)
    return f"<details><summary>{len(done)} commands, {seconds:.0f} s</summary>{_copyable(lines)}</details>"


def _copyable(text: str) -> str:
    return f"<div class='commands'><button type='button'>Copy</button><pre>{html.escape(text)}</pre></div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _figure(figure: Mapping[str, Any]) -> tuple[str, str, str]:
    value, low, high = figure["value"], figure["low"], figure["high"]
    unit = f" {figure['unit']}" if figure["unit"] == "frames" else ""
    shown = "-" if value is None else f"{value:.0%}" if figure["unit"] == "share" else f"{value:.2f}{unit}"
    reading = f" ({figure['reading']})" if figure["reading"] else ""
    interval = f"{low:.2f} to {high:.2f}" if low is not None and high is not None else ""
    return figure["name"], f"{shown}{reading}", interval


def _span(onset: int, apex: int | None, offset: int, emotion: str, about: str, *, faint: bool = False) -> charts.Span:
    colour = charts.COLOURS.get(emotion, charts.COLOURS[charts.NOT_SURE])
    peak_s = None if apex is None else apex / RATE_FPS
    return charts.Span(onset / RATE_FPS, offset / RATE_FPS, colour, about, peak_s, faint)


def _coded_span(row: Mapping[str, str]) -> charts.Span:
    onset, apex, offset = (int(row[f"recording_{mark}"]) for mark in ("onset", "apex", "offset"))
    return _span(onset, apex, offset, row["emotion"], f"coded {row['emotion']}, {row['units']}")


def _read_out(story: Story, who: str, trial: Trial) -> list[charts.Span]:
    return [
        _span(line["onset"], line["apex"], line["offset"], line["emotion"],
              f"{line['kind']} {line['emotion'] or 'no model'}, told {line['latency_ms']:.0f} ms after its end")
        for line in story.said.get(who, {}).get(trial.label, ())
    ]  # fmt: skip


def _stimulus_spans(trial: Trial) -> list[charts.Span]:
    spans = []
    for row in EventLog(trial.session).rows():
        if (row["trial_type"], row["trial"]) == ("stimulus", trial.name) and row["duration"] != "n/a":
            first_s = float(row["onset"])
            spans.append(charts.Span(first_s, first_s + float(row["duration"]), "#3b3b3b", row["text"], faint=True))
    return spans


def _picture(trial: Trial, frame: int) -> str:
    pixels = trial.frame(frame)
    height, width = pixels.shape
    small = cv2.resize(pixels, (_FACE_PX, _FACE_PX * height // width), interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}" if done else ""


def _coded(out: Path, trials: Sequence[Trial]) -> dict[str, list[dict[str, str]]]:
    """Rows of the exported data set by trial."""
    labels = {f"{trial.session.name}/{trial.name}": trial.label for trial in trials}
    found: dict[str, list[dict[str, str]]] = {}
    with (out / names.CODED / "samples.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found.setdefault(labels[row["recording"]], []).append(row)
    return found
