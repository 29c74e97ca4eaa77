"""A study from selection to emotion, coded in real browsers with the keyboard alone; the steps build on each other."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from expression.keyframes import KeyFrames
from tests.annotation.page.coder import Coder
from tests.annotation.page.conftest import FRAMES, TRUTH, Study
from tests.annotation.page.sessions import BLOCK_PX, read_number

FIRST_MARKS = {"kim": [(121, 160, 208), (400, 450, 531)], "max": [(119, 162, 212), (404, 455, 529)]}
"""What each coder marks in the two clips, by the clips' order in the recording."""


@pytest.fixture
def lead(study: Study) -> Coder:
    return study.at_work("lea")


def open_round(lead: Coder, title: str) -> int:
    """Open a round by its button, reached and pressed with the keyboard; returns its number."""
    lead.go("rounds")
    button = f"Open a round: {title}"
    lead.until(f"document.querySelector('[aria-label={json.dumps(button)}]')?.disabled === false")
    for _ in range(40):
        if lead.page.evaluate("document.activeElement.getAttribute('aria-label')") == button:
            break
        lead.press("Tab")
    lead.press("Enter")
    lead.until("document.querySelector('#message').textContent.includes('opened over')")
    rounds = lead.api("GET", "rounds")[1]["rounds"]
    return int(max(one["id"] for one in rounds))


def close_round(lead: Coder, number: int) -> None:
    lead.go("rounds")
    lead.until(f"document.querySelector('[aria-label=\"Round {number}\"] button')")
    lead.page.evaluate(f"document.querySelector('[aria-label=\"Round {number}\"] button').focus()")
    lead.press("Enter")
    lead.until(f"document.querySelector('#message').textContent.includes('Round {number} is closed')")


def clip_at_work(coder: Coder) -> int:
    """Which of the two clips is on the coder's screen, by the order in the recording."""
    item = coder.page.evaluate("Number(window.location.hash.split('/')[2])")
    first = coder.api("GET", f"items/{item}")[1]["first_frame"]
    return 0 if first < 300 else 1


def test_the_selector_cuts_fragments_with_keys_and_each_change_is_kept(study: Study, lead: Coder) -> None:
    number = open_round(lead, "Selection of fragments")
    sol = study.at_work("sol")
    sol.open_first()
    assert "spotted" in sol.panel
    sol.go_to(70)
    sol.press("i")
    sol.go_to(60)
    sol.press("o")
    assert "lies before" in sol.message
    sol.go_to(260)
    sol.press("o")
    sol.until("document.querySelector('.fragments')?.textContent.includes('70 to 260')")
    sol.go_to(440)
    sol.press("a")
    assert "overlaps" in sol.message
    sol.go_to(350)
    sol.press("i")
    sol.go_to(600)
    sol.press("o")
    sol.until("document.querySelectorAll('.fragments li').length === 2")
    sol.press("Delete")
    sol.until("document.querySelectorAll('.fragments li').length === 1")
    sol.press("z")
    sol.until("document.querySelectorAll('.fragments li').length === 2")
    sol.press("f")
    sol.until("sessionStorage.length === 0")
    sol.page.reload()
    sol.until("document.querySelectorAll('.fragments li').length === 2")
    item = sol.page.evaluate("Number(window.location.hash.split('/')[2])")
    versions = sol.api("GET", f"items/{item}/answers")[1]
    spans = [[(f["first_frame"], f["last_frame"]) for f in each["answer"]["fragments"]] for each in versions]
    assert spans[-1] == [(70, 260), (350, 600)]
    assert [len(each) for each in spans] == [1, 2, 1, 2, 2]
    assert versions[-1]["answer"]["finished"]
    close_round(lead, number)


def test_the_pixels_on_the_canvas_are_those_of_the_frame_that_is_named(study: Study, lead: Coder) -> None:
    open_round(lead, "Key-frames")
    kim = study.at_work("kim")
    kim.open_first()
    item = kim.page.evaluate("Number(window.location.hash.split('/')[2])")
    shown = kim.api("GET", f"items/{item}")[1]
    for key, frame in (("Home", shown["shown_first"]), ("End", shown["shown_last"]), ("Home", shown["shown_first"])):
        kim.press(key)
        kim.until(f"document.querySelector('input.number').value === '{frame}'")
        assert kim.number_on_canvas == frame
    at = kim.frame
    for keys in (
        ["ArrowRight"] * 40,
        ["Shift+ArrowRight"] * 12,
        ["ArrowLeft"] * 55,
        ["PageDown", "PageUp", "ArrowRight"],
    ):
        kim.press(*keys)
        step = {"ArrowRight": 1, "ArrowLeft": -1, "Shift+ArrowRight": 10, "PageDown": 100, "PageUp": -100}
        at += sum(step[key] for key in keys)
        kim.until(f"document.querySelector('input.number').value === '{at}'")
        assert kim.number_on_canvas == at
    kim.press("ArrowLeft", *["PageUp"] * 9)
    kim.until(f"document.querySelector('input.number').value === '{shown['shown_first']}'")
    kim.press("ArrowLeft")
    assert "first frame" in kim.message


def test_marks_can_be_undone_and_wrong_orders_are_not_saved(study: Study) -> None:
    kim = study.at_work("kim")
    clip = clip_at_work(kim)
    onset, apex, _ = FIRST_MARKS["kim"][clip]
    kim.go_to(apex)
    kim.press("o")
    kim.go_to(onset)
    kim.press("a")
    assert "apex" in kim.panel
    assert "lies before onset" in kim.panel
    kim.press("Enter")
    assert "offset is not marked" in kim.message
    kim.press("z", "z")
    assert kim.panel.count("not marked") == 3
    kim.press("z")
    assert "nothing to undo" in kim.message
    kim.press("Z", "Z")
    assert f"frame {apex}" in kim.panel
    kim.press("n")
    assert kim.panel.count("not marked") == 3
    kim.press("z", "z", "z")
    assert kim.panel.count("not marked") == 3
    kim.press("e")
    kim.type("looks down")
    kim.press("Escape", "ArrowRight")
    kim.page.reload()
    kim.until("document.querySelector('textarea')?.value === 'looks down'")


def test_two_coders_mark_key_frames_side_by_side_and_see_nothing_of_each_other(study: Study, lead: Coder) -> None:
    coders = [study.at_work("kim"), study.at_work("max")]
    for coder in coders:
        coder.open_first()
    items: dict[str, list[int]] = {"kim": [], "max": []}
    for _ in TRUTH:
        for at in range(3):
            for coder in coders:
                coder.go_to(FIRST_MARKS[coder.name][clip_at_work(coder)][at])
                coder.press("oaf"[at])
        for coder in coders:
            assert "micro-expression" in coder.panel
            items[coder.name].append(coder.page.evaluate("Number(window.location.hash.split('/')[2])"))
        # While one clip is saved by both, neither is given the other's.
        for coder, other in (coders, coders[::-1]):
            foreign = items[other.name][-1]
            for path in (
                f"items/{foreign}",
                f"items/{foreign}/answers",
                f"items/{foreign}/timeline",
                f"items/{foreign}/frames/100.jpg",
            ):
                assert coder.api("GET", path)[0] == 403
        for coder in coders:
            coder.save()
    (number,) = [one["id"] for one in lead.api("GET", "rounds")[1]["rounds"] if one["state"] == "open"]
    assert lead.api("GET", f"rounds/{number}/results")[0] == 403
    assert all(coder.api("GET", f"rounds/{number}/results")[0] == 403 for coder in coders)
    close_round(lead, number)
    clips = sorted(lead.api("GET", f"rounds/{number}/results")[1]["clips"], key=lambda clip: clip["first_frame"])
    for i, clip in enumerate(clips):
        given = {one["coder"]: one["answer"] for one in clip["answers"]}
        for name, marks in FIRST_MARKS.items():
            assert (given[name]["onset"], given[name]["apex"], given[name]["offset"]) == marks[i]
        assert clip["settled"]
        assert clip["micro"]
    notes = [(one["coder"], one["answer"]["note"]) for clip in clips for one in clip["answers"]]
    assert sorted(notes) == [("kim", ""), ("kim", "looks down"), ("max", ""), ("max", "")]


def test_units_are_typed_by_number_and_side_and_cross_checked(study: Study, lead: Coder) -> None:
    number = open_round(lead, "Action units")
    coders = [study.at_work("kim"), study.at_work("max")]
    typed = {"kim": ["6b12l", "4b7b"], "max": ["6b12b", "4b7b"]}
    for coder in coders:
        coder.open_first()
        for _ in TRUTH:
            clip = clip_at_work(coder)
            coder.press(*typed[coder.name][clip])
            coder.press("9", "9", "b")
            assert "no unit has the number 99" in coder.message
            coder.press("1", "7", "l")
            assert "no sides" in coder.message
            coder.until("document.querySelector('.units strong').textContent !== 'no unit'")
            coder.save()
    close_round(lead, number)
    check = open_round(lead, "Cross-check of action units")
    for coder in coders:
        coder.open_first()
        assert "L-AU12: only kim" in coder.panel
        assert "AU12: only max" in coder.panel
        if coder.name == "max":
            coder.press("1", "2", "l")
        coder.until("document.querySelector('.units strong').textContent === 'AU6 + L-AU12'")
        coder.save()
    close_round(lead, check)
    (clip,) = lead.api("GET", f"rounds/{check}/results")[1]["clips"]
    assert clip["settled"]
    assert clip["answer"]["units"] == ["AU6", "L-AU12"]


def test_emotions_are_chosen_from_what_is_known_and_the_lead_decides_on_ties(study: Study, lead: Coder) -> None:
    number = open_round(lead, "Emotion")
    keys = {"kim": "51", "max": "57", "eva": "53"}  # happiness, and three different ones
    for name, chosen in keys.items():
        coder = study.at_work(name)
        coder.open_first()
        for _ in TRUTH:
            clip = clip_at_work(coder)
            shown = TRUTH[clip]
            assert f"{shown.emotion}, intensity {shown.intensity}" in coder.panel
            assert "clip-1" in coder.panel
            assert ("L-AU12" in coder.panel) == (clip == 0)
            coder.press("Enter")
            assert "choose an emotion first" in coder.message
            coder.press(chosen[clip])
            coder.save()
    close_round(lead, number)
    lead.go(f"results/{number}")
    lead.until("document.querySelector('caption')?.textContent === '1 wait for your decision'")
    lead.page.evaluate("document.querySelector('tbody a').focus()")
    lead.press("Enter")
    lead.until("document.querySelector('.emotions')")
    assert all(name in lead.panel for name in keys)
    lead.press("1", "Enter")
    assert "give a reason" in lead.message
    lead.type("the self-report says so")
    lead.press("Escape")
    lead.save()
    lead.until("document.querySelector('p.good')?.textContent === 'Nothing waits for a decision.'")
    clips = sorted(lead.api("GET", f"rounds/{number}/results")[1]["clips"], key=lambda clip: clip["first_frame"])
    assert [(clip["answer"]["emotion"], clip["by"]) for clip in clips] == [("happiness", "coders"), ("anger", "lead")]


def test_the_agreement_of_each_closed_round_is_shown_with_its_plots(lead: Coder) -> None:
    for one in lead.api("GET", "rounds")[1]["rounds"]:
        lead.go(f"agreement/{one['id']}")
        lead.until(f"document.querySelector('h1')?.textContent.includes('round {one['id']}')")
        report = lead.api("GET", f"rounds/{one['id']}/agreement")[1]
        lead.until("[...document.images].every((image) => image.complete)")
        assert lead.page.evaluate("[...document.images].map((image) => image.naturalWidth > 100)") == [True] * len(
            report["plots"]
        )
        assert lead.page.locator(".card.figure").count() == len(report["figures"])
        assert lead.page.locator("table").count() == len(report["tables"])


def test_what_is_exported_is_what_was_marked_to_the_frame(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "export"
    command = [sys.executable, "-m", "annotation.cli", "export", str(study.root), "--out", str(out)]
    subprocess.run([*command, "--format", "csv", "--format", "dfme"], check=True, capture_output=True)
    rows = list(csv.DictReader((out / "expressions.csv").read_text().splitlines()))
    medians = [KeyFrames.median([KeyFrames(*FIRST_MARKS[name][i]) for name in FIRST_MARKS]) for i in range(len(TRUTH))]
    assert [KeyFrames(int(row["onset"]), int(row["apex"]), int(row["offset"])) for row in rows] == medians
    assert [row["emotion"] for row in rows] == ["happiness", "anger"]
    assert [row["units"] for row in rows] == ["AU6+L-AU12", "AU4+AU7"]
    clips = sorted((out / "train_data").iterdir())
    firsts = [cv2.imread(str(clip / "00000.png"), cv2.IMREAD_GRAYSCALE) for clip in clips]
    middles = slice(BLOCK_PX // 2, None, BLOCK_PX)
    assert [read_number(first[BLOCK_PX // 2, middles]) for first in firsts] == [70, 350]


def test_all_controls_have_names_and_the_keyboard_reaches_them(study: Study) -> None:
    sol = study.at_work("sol")
    sol.go("work")
    sol.until("document.querySelector('ol.items a')")
    sol.page.evaluate("document.querySelector('ol.items a').focus()")
    sol.press("Enter")
    sol.until("document.querySelector('input.number')?.value")
    nameless = sol.page.evaluate(
        """[...document.querySelectorAll("button, input, a, canvas, textarea")]
          .filter((each) => !each.getAttribute("aria-label") && !each.textContent.trim())
          .filter((each) => !each.closest("label")?.textContent.trim())
          .map((each) => each.outerHTML)"""
    )
    assert nameless == []
    hidden = sol.page.evaluate(
        """[...document.querySelectorAll("#main button")].filter((each) => {
          const box = each.getBoundingClientRect();
          return box.right > innerWidth || box.bottom > innerHeight;
        }).map((each) => each.textContent)"""
    )
    assert hidden == []
    address = sol.page.evaluate("window.location.hash")
    sol.page.evaluate("document.querySelector('.skip').focus()")
    sol.press("Enter")
    sol.until("document.activeElement.matches('canvas.frames')")
    assert sol.page.evaluate("window.location.hash") == address
    sol.press("?")
    sol.until("document.querySelector('#help').open")
    assert "first frame of a fragment" in sol.page.inner_text("#help")
    sol.press("Escape")
    sol.until("!document.querySelector('#help').open")
    sol.press("ArrowRight")
    sol.until(f"document.querySelector('#live').textContent === 'frame {sol.frame}'")
    sol.press("i")
    assert "closed" in sol.message


def test_frames_beyond_the_clip_and_a_stranger_get_nothing(study: Study) -> None:
    kim = study.at_work("kim")
    items = kim.api("GET", "work")[1]["items"]
    item = next(one["item"] for one in items if one["kind"] == "keyframes")
    shown = kim.api("GET", f"items/{item}")[1]
    outside = shown["shown_last"] + 1 if shown["shown_last"] < FRAMES - 1 else shown["shown_first"] - 1
    assert kim.api("GET", f"items/{item}/frames/{outside}.jpg")[0] == 403
    assert kim.api("GET", f"items/{item}/frames/..%2F..%2Fzarr.json")[0] in (403, 404, 422)
    assert kim.api("GET", "users")[0] == 403
