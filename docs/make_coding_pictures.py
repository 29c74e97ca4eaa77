"""Draws the pictures of the coder's and the lead's pages; see `docs/make_pictures.py`.

A simulated participant is recorded, a study is served, drawn coders answer over its API, and a real browser shows the
screens.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page, sync_playwright

from annotation.api_models import Role
from annotation.server import Context, create_app
from annotation.study import load_study
from annotation.users import add_user
from capture.console import Progress
from capture.web import WebServer, checked_address
from expression.action_units import canonical
from expression.synthetic.head import HEIGHT_PX, WIDTH_PX
from expression.synthetic.participant import Participant
from expression.synthetic.performance import Event, Performance
from tests.annotation.page.coder import Coder
from tests.annotation.page.sessions import Shown, write_session

RATE_FPS: Final = 200.0
SECONDS: Final = 5.0
IDENTITY: Final = 5
PERFORMANCE: Final = (2023, 763)
KEPT: Final = {
    "keyframes-magnified": "coding_keyframes",
    "units": "coding_units",
    "emotion": "coding_emotion",
    "agreement": "coding_agreement",
    "rounds": "lead_rounds",
    "results": "lead_results",
}
"""Screens that the documentation shows, by their names there."""
STUDY: Final = """
name = "Neutral faces, spring"
[stimuli]
"""
KEYFRAME = [f"coder-{letter}" for letter in "abcde"]
UNITS = ["coder-a", "coder-b"]
EMOTION = [f"coder-{letter}" for letter in "abcdefg"]


class Drawn:
    """The study, its users, and the browser that looks at it."""

    def __init__(self, out: Path, browser: Any, url: str, passwords: dict[str, str], keep_all: bool) -> None:
        self._out, self._browser, self._url, self._passwords, self._all = out, browser, url, passwords, keep_all
        self._coders: dict[str, Coder] = {}

    def at_work(self, name: str) -> Coder:
        """The user of that name at the page."""
        if name not in self._coders:
            self._coders[name] = Coder(self._browser, self._url, _until, name, self._passwords[name])
        return self._coders[name]

    def shoot(self, coder: Coder, name: str) -> None:
        """Keep what is on the screen."""
        if self._all:
            coder.page.screenshot(path=self._out / f"{name}.png")
        if name in KEPT:
            coder.page.screenshot(path=self._out / f"{KEPT[name]}.jpg", type="jpeg", quality=88)

    def close(self) -> None:
        """Close all windows."""
        for coder in self._coders.values():
            coder.close()


def record(root: Path) -> list[Event]:
    """Write a session of the simulated participant; returns the expressions it shows."""
    performance = Performance.loop(PERFORMANCE, seconds=SECONDS, micro=2)
    track, participant = performance.track(RATE_FPS), Participant.of(IDENTITY)
    events = [event for event in performance.events(RATE_FPS) if event.kind in ("micro", "macro")]
    frames = performance.frames(RATE_FPS)
    shown = [Shown(event.key_frames, str(event.emotion), 3) for event in events]
    with Progress("rendering") as progress:

        def draw(_trial: int, frame: int) -> npt.NDArray[np.uint8]:
            picture = np.empty((HEIGHT_PX, WIDTH_PX), np.uint8)
            participant.render(track, frame, picture)
            progress.update(frame + 1, frames)
            return picture

        write_session(root, "P07", [(frames, shown)], rate_fps=RATE_FPS, draw=draw)
    return events


def tour(drawn: Drawn, events: list[Event]) -> None:
    """Go through all rounds, and keep the screens."""
    lead = drawn.at_work("lead")
    drawn.shoot(lead, "rounds-before")
    for step in (_selection, _key_frames, _units_and_check, _emotion):
        step(drawn, events)
    for screen in ("users", "recordings", "rounds"):
        lead.go(screen)
        drawn.shoot(lead, screen if screen != "rounds" else "rounds-after")


def _selection(drawn: Drawn, events: list[Event]) -> None:
    lead = drawn.at_work("lead")
    opened = _open(lead, "selection")
    selector = drawn.at_work("selector")
    selector.open_first()
    _until_measured(selector)
    for event in events:
        selector.go_to(max(0, event.key_frames.onset - 20))
        selector.press("i")
        selector.go_to(event.key_frames.offset + 20)
        selector.press("o")
    selector.press("f")
    selector.until("sessionStorage.length === 0")
    drawn.shoot(selector, "selection")
    selector.press("?")
    drawn.shoot(selector, "keys")
    _close(lead, opened)


def _key_frames(drawn: Drawn, events: list[Event]) -> None:
    draw = np.random.default_rng(11)
    lead, coder = drawn.at_work("lead"), drawn.at_work("coder-a")
    opened = _open(lead, "keyframes")
    coder.go("work")
    drawn.shoot(coder, "work-list")
    coder.open_first()
    truth = _event_of(coder, events).key_frames
    for frame, key in ((truth.onset, "o"), (truth.offset, "f"), (truth.peak, "a")):
        coder.go_to(frame)
        coder.press(key)
    drawn.shoot(coder, "keyframes")
    coder.press("m")
    coder.until("document.querySelector('.status').textContent.includes('magnified')")
    _settle(coder.page)
    drawn.shoot(coder, "keyframes-magnified")
    coder.press("d", "t")
    _settle(coder.page)
    drawn.shoot(coder, "keyframes-difference")
    coder.press("x", "c")
    _settle(coder.page)
    drawn.shoot(coder, "keyframes-whole")
    for number, name in enumerate(KEYFRAME):

        def marks(event: Event, late: int = 4 * (number == 4)) -> dict[str, Any]:
            places = (event.key_frames.onset, event.key_frames.peak, event.key_frames.offset)
            onset, apex, offset = (round(frame + draw.normal(late, 2)) for frame in places)
            return {"kind": "keyframes", "expression": True, "onset": onset, "apex": apex, "offset": offset}

        _answer_all(drawn.at_work(name), "keyframes", events, marks)
    lead.go("rounds")
    drawn.shoot(lead, "rounds")
    _close(lead, opened)
    lead.go(f"agreement/{opened}")
    _settle(lead.page)
    drawn.shoot(lead, "agreement")
    lead.go(f"results/{opened}")
    drawn.shoot(lead, "results")
    lead.page.evaluate("document.querySelector('tbody a').click()")
    lead.until("document.querySelector('input.number')?.value")
    _settle(lead.page)
    drawn.shoot(lead, "decide")


def _units_and_check(drawn: Drawn, events: list[Event]) -> None:
    lead, coder = drawn.at_work("lead"), drawn.at_work("coder-a")
    opened = _open(lead, "units")
    coder.open_first()
    coded = [str(unit) for unit in _units(_event_of(coder, events))]
    coder.go_to(_event_of(coder, events).key_frames.peak)
    for unit in coded:
        side, number = (unit[0].lower(), unit[2:]) if unit[1] == "-" else ("b", unit)
        coder.press(*number.removeprefix("AU").removeprefix("M"), side)
    coder.press("1")
    _settle(coder.page)
    drawn.shoot(coder, "units")
    for number, name in enumerate(UNITS):

        def units(event: Event, extra: int = number) -> dict[str, Any]:
            return {"kind": "units", "units": [str(unit) for unit in _units(event)] + ["AU25"] * extra}

        _answer_all(drawn.at_work(name), "units", events, units)
    _close(lead, opened)
    opened = _open(lead, "crosscheck")
    coder.open_first()
    _settle(coder.page)
    drawn.shoot(coder, "crosscheck")

    def agreed(event: Event) -> dict[str, Any]:
        return {"kind": "crosscheck", "units": [str(unit) for unit in _units(event)]}

    for name in UNITS:
        _answer_all(drawn.at_work(name), "crosscheck", events, agreed)
    _close(lead, opened)


def _emotion(drawn: Drawn, events: list[Event]) -> None:
    lead, coder = drawn.at_work("lead"), drawn.at_work("coder-a")
    opened = _open(lead, "emotion")
    coder.open_first()
    coder.press("v")
    _settle(coder.page)
    coder.press("v", "1")
    drawn.shoot(coder, "emotion")
    for number, name in enumerate(EMOTION):

        def emotion(event: Event, odd: bool = number == 6) -> dict[str, Any]:
            return {"kind": "emotion", "emotion": "others" if odd else str(event.emotion)}

        _answer_all(drawn.at_work(name), "emotion", events, emotion)
    _close(lead, opened)
    lead.go(f"agreement/{opened}")
    _settle(lead.page)
    drawn.shoot(lead, "agreement-emotion")


def main(out: Path, *, keep_all: bool = False, program: str = "/usr/bin/chromium") -> None:
    """Write the pictures into the folder `out`; every screen with `keep_all`."""
    with tempfile.TemporaryDirectory(prefix="dfme-coding-") as folder:
        root = Path(folder)
        events = record(root)
        (root / "annotation.toml").write_text(STUDY)
        context = Context.open(root, load_study(root))
        users = {"lead": [Role.LEAD], "selector": [Role.SELECTOR]}
        for role, names in ((Role.KEYFRAME, KEYFRAME), (Role.AU, UNITS), (Role.EMOTION, EMOTION)):
            for name in names:
                users.setdefault(name, []).append(role)
        with context.database.write() as session:
            passwords = {name: add_user(session, name, roles)[1] for name, roles in users.items()}
        with WebServer(create_app(context), checked_address("127.0.0.1", 0)) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            drawn = Drawn(out, browser, server.url, passwords, keep_all)
            try:
                tour(drawn, events)
                drawn.close()
            finally:
                browser.close()


def _until(page: Page, condition: str, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not page.evaluate(f"Boolean({condition})"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"never came true: {condition}")
        page.wait_for_timeout(20)


def _until_measured(coder: Coder) -> None:
    """Wait for the motion curve, and the face with it."""
    item = coder.page.evaluate("Number(window.location.hash.split('/')[2])")
    deadline = time.monotonic() + 300
    while coder.api("GET", f"items/{item}/timeline")[1]["motion"]["state"] == "computing":
        if time.monotonic() > deadline:
            raise TimeoutError("the motion curve is not measured")
        coder.page.wait_for_timeout(500)
    coder.go(f"item/{item}")
    coder.until("document.querySelector('input.number')?.value")


def _settle(page: Page) -> None:
    """Let what is on its way be drawn."""
    page.wait_for_timeout(1200)


def _open(lead: Coder, kind: str) -> int:
    status, made = lead.api("POST", "rounds", {"kind": kind})
    if status >= 300:
        raise RuntimeError(f"cannot open {kind}: {made}")
    return int(made["id"])


def _close(lead: Coder, number: int) -> None:
    status, said = lead.api("POST", f"rounds/{number}/close", {})
    if status >= 300:
        raise RuntimeError(f"cannot close round {number}: {said}")


def _event_of(coder: Coder, events: list[Event]) -> Event:
    item = coder.page.evaluate("Number(window.location.hash.split('/')[2])")
    return _nearest(coder.api("GET", f"items/{item}")[1], events)


def _nearest(item: dict[str, Any], events: list[Event]) -> Event:
    middle = (item["first_frame"] + item["last_frame"]) / 2
    return min(events, key=lambda event: abs(event.key_frames.peak - middle))


def _answer_all(coder: Coder, kind: str, events: list[Event], answer: Callable[[Event], dict[str, Any]]) -> None:
    for entry in coder.api("GET", "work")[1]["items"]:
        if entry["kind"] == kind and entry["open"]:
            event = _nearest(coder.api("GET", f"items/{entry['item']}")[1], events)
            status, said = coder.api("POST", f"items/{entry['item']}/answer", {"answer": answer(event)})
            if status >= 300:
                raise RuntimeError(f"{coder.name} cannot answer: {said}")


def _units(event: Event) -> tuple[Any, ...]:
    return canonical(motion.coded for motion in event.motions)
