"""Two coders at the same time, each in their own Chromium, from selection to emotion; what they marked is exported.

Nobody waits for anybody: the two meet only where a round begins, with their first piece of work open.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import httpx
import pytest
from playwright.sync_api import sync_playwright

from annotation.api_models import Role
from annotation.cli import app
from annotation.server import Context, create_app
from annotation.study import load_study
from annotation.users import add_user
from capture.console import run_command
from capture.web import WebServer, checked_address
from expression import format_units, parse_units
from expression.keyframes import KeyFrames
from tests.annotation.page.coder import Coder
from tests.annotation.page.sessions import Shown, brightness_at, numbered, write_session
from tests.conftest import CHROMIUM_ARGUMENTS, chromium_program
from training.datasets.readers import read_dataset

FRAMES = 600
TRUTH = {
    "P07": (Shown(KeyFrames(120, 160, 210), "happiness"), Shown(KeyFrames(380, 432, 500), "anger")),
    "P08": (Shown(KeyFrames(90, 120, 190), "disgust"), Shown(KeyFrames(333, 390, 471), "contempt")),
}
NUMBERED_FROM = {"P07": 0, "P08": 10_000}
"""Coders are not told whose recording they see: the numbers in its pictures tell."""
OFF = {"kim": (1, -3, 2), "max": (-2, 2, 1)}
"""How far off each coder marks onset, apex and offset, in frames."""
UNITS = {"happiness": "6+12", "anger": "4+7", "disgust": "4+9+10", "contempt": "L12"}
MISSED = {"anger": "7"}
"""Units that max sees in the cross-check alone."""
KEYS = {"anger": "1", "contempt": "2", "disgust": "3", "happiness": "5"}
ROUND_S = 100
STUDY = """
repeat_share = 0.0
[coders]
keyframes = 2
units = 2
emotion = 2
"""


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Folder, address and passwords of a served study with two participants."""
    root = tmp_path / "study"
    root.mkdir()
    for participant, shown in TRUTH.items():
        write_session(root, participant, [(FRAMES, shown)], draw=partial(drawn, participant))
    (root / "annotation.toml").write_text(STUDY)
    context = Context.open(root, load_study(root))
    roles = [Role.SELECTOR, Role.KEYFRAME, Role.AU, Role.EMOTION]
    with context.database.write() as session:
        passwords = {name: add_user(session, name, roles)[1] for name in OFF}
        passwords["lea"] = add_user(session, "lea", [Role.LEAD])[1]
    with WebServer(create_app(context), checked_address("127.0.0.1", 0)) as server:
        yield root, server.url, passwords


def drawn(participant: str, _trial: int, frame: int):
    return numbered(NUMBERED_FROM[participant] + frame, brightness_at(frame, TRUTH[participant]))


def whose(coder: Coder) -> str:
    """The participant on the coder's screen, by the number in the picture."""
    (found,) = [who for who, first in NUMBERED_FROM.items() if coder.number_on_canvas - first == coder.frame]
    return found


def on_screen(coder: Coder) -> Shown:
    """The expression in the clip on the coder's screen."""
    item = int(coder.page.evaluate("window.location.hash.split('/')[2]"))
    first = coder.api("GET", f"items/{item}")[1]["first_frame"]
    return min(TRUTH[whose(coder)], key=lambda one: abs(one.truth.onset - first))


def marked(shown: Shown, name: str) -> KeyFrames:
    onset, apex, offset = OFF[name]
    return KeyFrames(shown.truth.onset + onset, shown.truth.peak + apex, shown.truth.offset + offset)


def select(coder: Coder) -> None:
    for count, shown in enumerate(TRUTH[whose(coder)], start=1):
        coder.go_to(shown.truth.onset - 60)
        coder.press("i")
        coder.go_to(shown.truth.offset + 60)
        coder.press("o")
        coder.until(f"document.querySelectorAll('.fragments li').length === {count}")
    coder.press("f")


def mark(coder: Coder) -> None:
    frames = marked(on_screen(coder), coder.name)
    for key, frame in zip("oaf", (frames.onset, frames.peak, frames.offset), strict=True):
        coder.go_to(frame)
        assert coder.number_on_canvas == NUMBERED_FROM[whose(coder)] + frame
        coder.press(key)


def code_units(coder: Coder) -> None:
    emotion = on_screen(coder).emotion
    for unit in UNITS[emotion].split("+"):
        if coder.name != "max" or unit != MISSED.get(emotion):
            coder.press(*unit.lstrip("L"), "l" if unit.startswith("L") else "b")


def check_units(coder: Coder) -> None:
    missed = MISSED[on_screen(coder).emotion]
    assert f"AU{missed}: only kim" in coder.panel
    if coder.name == "max":
        coder.press(*missed, "b")


def choose(coder: Coder) -> None:
    coder.press(KEYS[on_screen(coder).emotion])


ROUNDS: dict[str, Callable[[Coder], None]] = {
    "selection": select,
    "keyframes": mark,
    "units": code_units,
    "crosscheck": check_units,
    "emotion": choose,
}


def work_through(
    name: str, url: str, password: str, program: str, until: Callable[..., None], begin: Barrier, opened: Barrier
) -> dict[str, int]:
    """One coder's whole work in a browser of their own; gives the pieces done in each round."""
    done: dict[str, int] = {}
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
            coder = Coder(browser, url, until, name, password)
            for kind, code in ROUNDS.items():
                begin.wait(ROUND_S)
                coder.open_first()
                opened.wait(ROUND_S)
                done[kind] = 0
                while "/item/" in coder.page.evaluate("window.location.hash"):
                    coder.until("document.querySelector('input.number')?.value")
                    code(coder)
                    coder.save()
                    done[kind] += 1
                begin.wait(ROUND_S)
            coder.close()
            browser.close()
    except BaseException:
        # The others do not wait for one who fell out.
        begin.abort()
        opened.abort()
        raise
    return done


@pytest.mark.timeout(400)
def test_what_two_coders_mark_in_parallel_is_exported_to_the_frame(until, study, tmp_path, capsys):
    root, url, passwords = study
    program = chromium_program()
    begin, opened = Barrier(3), Barrier(2)
    with ExitStack() as stack:
        lead = stack.enter_context(httpx.Client(base_url=url, timeout=60))
        assert lead.post("/api/login", json={"name": "lea", "password": passwords["lea"]}).status_code == 200
        pool = stack.enter_context(ThreadPoolExecutor(len(OFF)))
        common = (program, until, begin, opened)
        at_work = [pool.submit(work_through, name, url, passwords[name], *common) for name in OFF]
        try:
            for kind in ROUNDS:
                number = lead.post("/api/rounds", json={"kind": kind}).raise_for_status().json()["id"]
                begin.wait(ROUND_S)
                begin.wait(ROUND_S)
                closed = lead.post(f"/api/rounds/{number}/close").raise_for_status().json()
                assert all(one["done"] == one["total"] for one in closed["progress"])
        except BaseException as reason:
            begin.abort()
            fallen = [error for one in at_work if (error := one.exception(ROUND_S)) is not None]
            raise next((error for error in fallen if not isinstance(error, BrokenBarrierError)), reason) from None
        done = [one.result(ROUND_S) for one in at_work]
    assert done == [{"selection": 1, "keyframes": 4, "units": 4, "crosscheck": 1, "emotion": 4}] * 2

    out = tmp_path / "export"
    with pytest.raises(SystemExit) as ended:
        run_command(app, ["export", str(root), "--out", str(out), "--format", "csv", "--format", "dfme", "--json"])
    assert not ended.value.code, capsys.readouterr().err
    rows = {
        (row["subject"], row["emotion"]): row
        for row in csv.DictReader((out / "expressions.csv").read_text().splitlines())
    }
    settled = {
        (who, one.emotion): KeyFrames.median([marked(one, name) for name in OFF])
        for who, shown in TRUTH.items()
        for one in shown
    }
    assert {key: tuple(int(row[at]) for at in ("onset", "apex", "offset")) for key, row in rows.items()} == {
        key: (frames.onset, frames.peak, frames.offset) for key, frames in settled.items()
    }
    assert {row["emotion"]: row["units"] for row in rows.values()} == {
        emotion: format_units(parse_units(units), style="facs") for emotion, units in UNITS.items()
    }
    read = read_dataset(out)
    assert len(read.samples) == len(settled)
    firsts = {one["clip"]: one["first_frame"] for one in json.loads((out / "manifest.json").read_text())["clips"]}
    for sample in read.samples:
        frames = settled[sample.subject, sample.emotion.value]
        assert sample.key_frames.shifted(firsts[sample.name.split("/")[1]]) == frames
        assert sample.units == parse_units(UNITS[sample.emotion.value])
        # The picture that training takes for the apex is the one that both coders saw.
        shown = sample.frames.read(sample.key_frames.peak)
        assert (shown == drawn(sample.subject, 0, frames.peak)).all()
