"""The picture at work: played at its true time, every aid to the eye by its key, and controls that all can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from annotation.api_models import Role
from annotation.motion.curve import MotionCurve
from annotation.store.schema import RecordingRow
from expression.keyframes import KeyFrames
from tests.annotation.page.coder import Coder
from tests.annotation.page.conftest import Study, served_study
from tests.annotation.page.sessions import RATE_FPS, Shown, write_session

FRAMES = 400
TRUTH = (Shown(KeyFrames(120, 160, 210), "happiness"),)
TIMES = "\N{MULTIPLICATION SIGN}"
FACE = (64, 40, 120, 120)
"""Left, top, width and height of the face that was found earlier."""
WATCHED = """async () => {
  const {FrameViewer} = await import("/shared/frame_viewer.js");
  window.drawn = [];
  FrameViewer.prototype.dispatchEvent = function (event) {
    window.viewer = this;
    // What the screen's clock says at the frame that is just being drawn.
    if (event.type === "frame") window.drawn.push([document.timeline.currentTime, event.detail.frame]);
    return EventTarget.prototype.dispatchEvent.call(this, event);
  };
}"""
"""Keeps a log of the frames that any viewer says it has drawn."""


@pytest.fixture(scope="module")
def study(chromium: Browser, until: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    root = tmp_path_factory.mktemp("study")
    write_session(root, "P07", [(FRAMES, TRUTH)])
    users = {"lea": [Role.LEAD], "sol": [Role.SELECTOR]}
    with served_study(chromium, until, root, users) as served:
        with served.context.database.read() as session:
            row = session.scalars(select(RecordingRow)).one()
        frames = np.arange(0, FRAMES, 5)
        still = np.zeros(len(frames), np.float32)
        place = served.context.motion.place(row.id, served.context.path_of(row))
        place.parent.mkdir(parents=True, exist_ok=True)
        MotionCurve(frames, still, still, np.array([0]), np.array([FACE])).write(place)
        yield served


@pytest.fixture(scope="module")
def sol(study: Study) -> Coder:
    """The selector, with the only recording open and the log of drawn frames begun."""
    assert study.at_work("lea").api("POST", "rounds", {"kind": "selection"})[0] == 200
    coder = study.at_work("sol")
    coder.go("work")
    coder.page.evaluate(WATCHED)
    coder.press("Enter")
    coder.until("document.querySelector('input.number')?.value")
    return coder


def status(coder: Coder) -> str:
    return coder.page.inner_text(".status")


def viewer(coder: Coder, expression: str) -> Any:
    return coder.page.evaluate(f"window.viewer.{expression}")


def grey(coder: Coder, x: int, y: int) -> int:
    """Grey of the canvas at a pixel of the picture, whatever part of it is shown; drawn anew before."""
    return coder.page.evaluate(
        """([x, y]) => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
          const {scale, x: left, y: top} = window.viewer.view;
          const context = document.querySelector("canvas.frames").getContext("2d");
          resolve(context.getImageData(Math.round(left + x * scale), Math.round(top + y * scale), 1, 1).data[0]);
        })))""",
        [x, y],
    )


def begin_at(coder: Coder, frame: int) -> None:
    """Show a frame, on the way forth, and wait until the 60 behind it are at hand: playing then waits for nothing."""
    coder.go_to(frame - 1)
    coder.press("ArrowRight")
    coder.until(f"window.viewer.frame === {frame} && window.viewer.statistics().cached === 91")


def test_the_face_alone_is_shown_first_and_the_whole_picture_by_a_key(sol: Coder) -> None:
    assert [viewer(sol, "width"), viewer(sol, "height")] == [FACE[2], FACE[3]]
    sol.press("c")
    sol.until("window.viewer.width === 256 && window.viewer.frame === 0")
    assert sol.number_on_canvas == sol.frame
    sol.press("c")
    sol.until(f"window.viewer.width === {FACE[2]} && window.viewer.frame === 0")
    sol.press("c")
    sol.until("window.viewer.width === 256 && window.viewer.frame === 0")


@pytest.mark.parametrize(("speed", "name"), [(1 / 16, "1/16 speed"), (1 / 4, "1/4 speed"), (1.0, "true speed")])
def test_frames_are_played_at_the_recordings_own_time(sol: Coder, speed: float, name: str) -> None:
    """Whatever the machine's pace: the frame that is drawn is the one whose time it is, to the frame."""
    first, last = 100, 160
    while status(sol).split(" · ")[0] != name:
        sol.press("[" if speed < 1 / 8 else "]")
    begin_at(sol, first)
    sol.page.evaluate("window.drawn = []")
    sol.press("Space")
    sol.until(f"window.viewer.frame >= {last}")
    sol.press("Space")
    sol.until("!window.viewer.playing")
    # Behind them, at true speed, only some frames are fetched, and the nearest before stands in.
    drawn = [(at_ms, frame) for at_ms, frame in sol.page.evaluate("window.drawn") if frame <= last - 8]
    frames = [frame for _, frame in drawn]
    assert frames == sorted(set(frames))
    assert len(frames) >= 2
    # Frame f is on the screen from f / rate on: one moment of beginning must fit all that was drawn.
    frame_ms = 1000 / (RATE_FPS * speed)
    earliest = max(at_ms - (frame - first + 1) * frame_ms for at_ms, frame in drawn)
    latest = min(at_ms - (frame - first) * frame_ms for at_ms, frame in drawn)
    assert earliest < latest + 0.2
    assert latest - earliest <= frame_ms


def test_slow_motion_skips_no_frame_that_the_screen_has_time_for(sol: Coder) -> None:
    while status(sol).split(" · ")[0] != "1/32 speed":
        sol.press("[")
    sol.press("[")
    assert "1/32 speed" in status(sol)
    begin_at(sol, 100)
    sol.page.evaluate("window.drawn = []")
    sol.press("v")
    sol.until("window.viewer.frame >= 8")
    sol.press("v")
    drawn = sol.page.evaluate("window.drawn")
    for (before_ms, before), (at_ms, frame) in pairwise(drawn[1:]):
        assert frame - before <= max(1, (at_ms - before_ms) / 64 + 1), "a frame lasts 64 ms at 1/32 of 500 a second"


def test_zoom_and_pan_have_keys_and_the_wheel(sol: Coder) -> None:
    sol.press("x")
    whole = viewer(sol, "view.scale")
    sol.press("+", "+")
    assert viewer(sol, "view.scale") == pytest.approx(whole * 1.25**2)
    assert "zoom" in status(sol)
    before = viewer(sol, "view")
    for key, axis, step in (("Right", "x", -48), ("Left", "x", 48), ("Down", "y", -48), ("Up", "y", 48)):
        here = viewer(sol, f"view.{axis}")
        sol.press(f"Control+Arrow{key}")
        assert viewer(sol, f"view.{axis}") == pytest.approx(here + step)
    assert viewer(sol, "view") == pytest.approx(before)
    sol.press("-")
    assert viewer(sol, "view.scale") == pytest.approx(whole * 1.25)
    box = sol.page.locator("canvas.frames").bounding_box()
    sol.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    sol.page.mouse.wheel(0, -200)
    sol.until(f"window.viewer.view.scale > {whole * 1.26}")
    sol.press("x")
    assert viewer(sol, "view.scale") == pytest.approx(whole)
    assert "zoom" not in status(sol)


def test_contrast_difference_and_magnification_have_keys_and_do_what_they_say(sol: Coder) -> None:
    """The ground of the picture is 90; at frame 128 the spot in its middle is 20 brighter than at the first frame."""
    ground, spot = (30, 60), (128, 120)
    sol.go_to(128)
    sol.press("x")
    plain = [grey(sol, *ground), grey(sol, *spot)]
    assert plain == pytest.approx([90, 110], abs=3)

    def shows(*greys: int, said: str, within: int = 4) -> None:
        assert said in status(sol)
        assert [grey(sol, *ground), grey(sol, *spot)] == pytest.approx(list(greys), abs=within)

    sol.press("k")
    shows(80, 105, said=f"contrast {TIMES}1.25")
    sol.press("K")
    sol.press("u")
    shows(102, 122, said="brightness +12")
    sol.press("U", "U")
    shows(78, 98, said="brightness -12")
    sol.press("x", "d")
    sol.until(f"document.querySelector('.status').textContent.includes('difference {TIMES}5 since frame 0')")
    sol.until("window.viewer.frame === 128")
    for _ in range(200):  # until the picture to compare with has come
        if grey(sol, *spot) > 180:
            break
    shows(128, 228, said=f"difference {TIMES}5 since frame 0", within=30)
    sol.press("T")
    shows(128, 168, said=f"difference {TIMES}2", within=15)
    sol.press("t", "m")
    shows(90, 190, said=f"magnified {TIMES}5 since frame 0", within=25)
    sol.press("m")
    assert "magnified" not in status(sol)
    sol.press("m", "k", "u", "+", "x")
    assert [grey(sol, *ground), grey(sol, *spot)] == plain
    assert status(sol).endswith("speed")


def test_everything_can_be_reached_seen_and_read_without_a_mouse(study: Study, sol: Coder) -> None:
    lead = study.at_work("lea")
    item = sol.page.evaluate("window.location.hash.slice(2)")
    screens = [(sol, item), (sol, "work"), (sol, "password"), (lead, "rounds"), (lead, "users"), (lead, "recordings")]
    for coder, address in screens:
        coder.go(address)
        if "/" in address:
            coder.until("document.querySelector('input.number')?.value")
        assert coder.page.evaluate("document.documentElement.lang") == "en"
        assert coder.page.evaluate(PALE) == []
        assert coder.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert coder.page.evaluate("[...document.querySelectorAll('[tabindex]')].every((each) => each.tabIndex <= 0)")
        wanted = coder.page.evaluate(FOCUSABLE)
        coder.page.evaluate("document.querySelector('.skip').focus()")
        reached = [coder.page.evaluate(FOCUSED)]
        for _ in range(len(wanted) - 1):
            coder.press("Tab")
            reached.append(coder.page.evaluate(FOCUSED))
        assert [one["at"] for one in reached] == wanted, f"{address}: Tab goes through all controls in their order"
        assert [one for one in reached if not (one["ring"] and one["name"])] == [], address


RGB = """
  const rgba = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
  const light = ({r, g, b}) => {
    const linear = (v) => (v <= 10 ? v / 3294 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map(linear);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour.a > 0.99) return colour;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
"""
PALE = f"""() => {{ {RGB}
  const written = [...document.querySelectorAll("body *")].filter((each) =>
    each.checkVisibility() && !each.closest(":disabled") && !each.matches(".unseen, .skip, option") &&
    [...each.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim()));
  return written.map((each) => {{
    const [one, two] = [light(rgba(getComputedStyle(each).color)), light(ground(each))];
    return [(Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05), each.outerHTML.slice(0, 120)];
  }}).filter(([contrast]) => contrast < 4.5);
}}"""
"""Texts with a contrast under 4.5 to what they stand on."""
CONTROLS = """[...document.querySelectorAll("a[href], button, input, select, textarea, canvas[tabindex]")]"""
FOCUSABLE = f"""() => {CONTROLS}.flatMap((each, at) =>
  each.checkVisibility() && !each.disabled && each.tabIndex >= 0 ? [at] : [])"""
FOCUSED = f"""() => {{
  const each = document.activeElement;
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  const seen = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const label = each.getAttribute("aria-label") ?? each.closest("label")?.textContent ?? each.textContent;
  return {{
    at: {CONTROLS}.indexOf(each),
    ring: seen && (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1),
    name: label.trim(),
  }};
}}"""
