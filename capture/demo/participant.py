"""A simulated participant at the pages of a session: reads, grades, and marks what is remembered, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import requests

from capture.demo.truth import TrueExpression
from capture.errors import CaptureError

_ADDRESS: Final = re.compile(r"pages at (http\S+)")
_WAIT_S: Final = 10.0
_REMEMBERED: Final = 0.6
"""Share of the own expressions that is marked afterwards."""
_NAMED_RIGHTLY: Final = 0.8
_MARK_SPREAD_FRAMES: Final = 8.0
_GRADES: Final = 5

Remember = Callable[[str], tuple[TrueExpression, ...]]
"""What the participant did in a trial, by its name."""


class SimulatedParticipant:
    """Answers whatever page is shown, each page once.

    Args:
        session: Gives the folder of the session, as soon as there is one.
        remember: What was done in a trial.
        seed: Of the answers.
    """

    def __init__(self, session: Callable[[], Path | None], remember: Remember, seed: int) -> None:
        self.pages: list[str] = []
        """Kinds of pages that were answered, in order."""
        self._session = session
        self._remember = remember
        self._random = np.random.default_rng([seed, 0x5E1F])
        self._browser = requests.Session()
        # Nothing of the user's settings stands between two processes of one machine.
        self._browser.trust_env = False
        self._url = ""
        self._answered = ""

    def act(self) -> bool:
        """Answer the page of now, where there is one that waits; says whether something was answered.

        Raises:
            CaptureError: The pages refuse an answer.
        """
        if not self._url and not self._enter():
            return False
        try:
            state = self._browser.get(f"{self._url}/api/state", timeout=_WAIT_S)
            if state.status_code != requests.codes.ok:
                return False
            return self._answer(state.json())
        except requests.RequestException:
            # Pages come up and go as the session does.
            return False

    def _enter(self) -> bool:
        folder = self._session()
        events = folder / "events.tsv" if folder is not None else None
        if events is None or not events.is_file():
            return False
        found = _ADDRESS.findall(events.read_text(errors="replace"))
        if not found:
            return False
        try:
            self._browser.get(found[-1], timeout=_WAIT_S)
        except requests.RequestException:
            return False
        self._url = found[-1].partition("/enter")[0]
        return True

    def _answer(self, state: Mapping[str, Any]) -> bool:
        page = state["page"]
        if state["sequence"] == self._answered:
            return False
        place = {"page": page, "step": state["step"], "trial": state["trial"]}
        if page == "scale":
            for emotion in state["emotions"]:
                self._send("grade", {**place, "emotion": emotion, "grade": int(self._random.integers(_GRADES + 1))})
        elif page == "self_report":
            for number, one in enumerate(self._remember(state["trial"])):
                self._mark(place, one, state, number)
        elif page != "text" or not state["button"]:
            return False
        self.pages.append(page)
        self._send("done", place)
        self._answered = state["sequence"]
        return True

    def _mark(self, place: Mapping[str, Any], one: TrueExpression, state: Mapping[str, Any], number: int) -> None:
        if one.emotion not in state["emotions"] or self._random.random() > _REMEMBERED:
            return
        named = one.emotion if self._random.random() < _NAMED_RIGHTLY else self._random.choice(state["emotions"])
        frame = round(one.apex + self._random.normal(0, _MARK_SPREAD_FRAMES))
        last = state["recording"]["count"] - 1
        strength = 1 + round(4 * min(1.0, one.strength))
        self._send(
            "marks",
            {
                **place,
                "frame": min(max(frame, 0), last),
                "emotion": str(named),
                "intensity": strength,
                "key": f"{state['trial']}-{number}",
            },
        )

    def _send(self, what: str, body: Mapping[str, Any]) -> None:
        answer = self._browser.post(f"{self._url}/api/{what}", json=body, timeout=_WAIT_S)
        if answer.status_code != requests.codes.ok:
            raise CaptureError(f"the participant's pages refuse {what}: {answer.status_code} {answer.text[:200]}")
