"""The rounds of annotation over HTTP: a lead who opens, closes and decides, and coders who do their work lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import requests

from capture.demo.coders import Eyes, NothingLikeIt, Seen, SimulatedCoder
from capture.demo.truth import Trial
from capture.errors import CaptureError

SELECTORS: Final = 1
KEYFRAME_CODERS: Final = 5
UNIT_CODERS: Final = 2
ANNOTATORS: Final = 7
"""The numbers of the DFME paper."""
ROUNDS: Final = ("selection", "keyframes", "units", "crosscheck", "emotion")
_TIMEOUT_S: Final = 120.0
_QUALITY: Final = 95

Say = Callable[[str], None]
Answers = dict[str, Any]


class Client:
    """One user who is logged in."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._url = url
        self._http = requests.Session()
        # Nothing of the user's settings stands between two processes of one machine.
        self._http.trust_env = False
        self.call("POST", "/api/login", {"name": name, "password": password})

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON.

        Raises:
            CaptureError: The server refuses, or cannot be reached.
        """
        return self._asked(method, path, body).json()

    def picture(self, path: str) -> bytes:
        """A JPEG; raises as `call`."""
        return bytes(self._asked("GET", path, None).content)

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None) -> requests.Response:
        try:
            answer = self._http.request(method, f"{self._url}{path}", json=body, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise CaptureError(f"the annotation server does not answer {method} {path}: {error}") from error
        if not answer.ok:
            raise CaptureError(f"the annotation server refuses {method} {path}: {answer.status_code} {answer.text}")
        return answer


class Coding:
    """All rounds of a study.

    Args:
        url: Of the server.
        password: Of the user `lead`.
        trials: The recordings, and what is true of them.
        seed: Of everything that coders do.
    """

    def __init__(self, url: str, password: str, trials: Sequence[Trial], seed: int) -> None:
        self.answers = 0
        """Given so far."""
        self.decisions = 0
        """Of the lead, where no rule settled a clip."""
        self._lead = Client(url, "lead", password)
        self._trials = {(trial.session.name, trial.name): trial for trial in trials}
        self._eyes = Eyes(trials)
        offered = self._lead.call("GET", "/api/study")["units"]
        units = {int(unit["number"]): str(unit["code"]) for unit in offered}
        self._coders: dict[str, tuple[SimulatedCoder, Client]] = {}
        for number in range(SELECTORS + ANNOTATORS):
            name, roles = _coder(number)
            made = self._lead.call("POST", "/api/users", {"name": name, "roles": roles})
            self._coders[name] = (SimulatedCoder(name, number, seed, units), Client(url, name, made["password"]))

    def run(self, say: Say) -> list[dict[str, Any]]:
        """Open, code and close every round; returns what the server says of each."""
        self._recordings = {one["id"]: one for one in self._lead.call("GET", "/api/recordings")}
        done = []
        for kind in ROUNDS:
            ready = {one["kind"]: one["clips"] for one in self._lead.call("GET", "/api/rounds")["ready"]}
            if not ready.get(kind):
                say(f"{kind}: nothing to do")
                continue
            number = self._lead.call("POST", "/api/rounds", {"kind": kind})["id"]
            for name in self._coders:
                self._work(name, number)
            closed = self._lead.call("POST", f"/api/rounds/{number}/close")
            decided = 0 if kind == "selection" else self._decide(kind, number)
            self.decisions += decided
            say(f"{kind}: {closed['clips']} items, {self.answers} answers so far, {decided} decided by the lead")
            done.append({**closed, "decided": decided})
        return done

    def _work(self, name: str, number: int) -> None:
        coder, client = self._coders[name]
        for summary in client.call("GET", "/api/work")["items"]:
            if summary["round"] != number or summary["done"]:
                continue
            item = client.call("GET", f"/api/items/{summary['item']}")
            first, last = item["first_frame"], item["last_frame"]
            place = f"/api/items/{item['item']}/frames/{first}.jpg?quality={_QUALITY}"
            try:
                seen = self._eyes.look(client.picture(place), first, first, last)
            except NothingLikeIt as error:
                raise CaptureError(f"{name}, {item['label']}: {error}") from error
            answer = _answer(coder, item, seen, name)
            client.call("POST", f"/api/items/{item['item']}/answer", {"answer": answer, "frame_shown": first})
            self.answers += 1

    def _decide(self, kind: str, number: int) -> int:
        """The lead looks at what the rules leave open, and decides by what there is to be seen."""
        decided = 0
        for clip in self._lead.call("GET", f"/api/rounds/{number}/results")["clips"]:
            if clip["settled"]:
                continue
            recording = self._recordings[clip["recording"]]
            trial = self._trials[recording["session"], recording["trial"]]
            answer = self._lead_says(kind, trial, clip)
            if answer is not None:
                body = {"answer": answer, "reason": "looked at again, frame by frame"}
                self._lead.call("POST", f"/api/rounds/{number}/clips/{clip['clip']}/decision", body)
                decided += 1
        return decided

    def _lead_says(self, kind: str, trial: Trial, clip: Mapping[str, Any]) -> Answers | None:
        one = trial.within(clip["first_frame"], clip["last_frame"])
        if kind == "keyframes":
            if one is None:
                return {"kind": kind, "expression": False}
            places = {"onset": one.onset, "apex": one.apex, "offset": one.offset}
            return {"kind": kind, "expression": True, **places}
        if kind == "crosscheck":
            given = [answer["answer"]["units"] for answer in clip["answers"]]
            return {"kind": "units", "units": sorted(set.intersection(*map(set, given)) if given else ())}
        if kind == "emotion":
            return {"kind": kind, "emotion": one.emotion if one is not None else "others"}
        # What differs after the first coding goes to the cross-check.
        return None


def _coder(number: int) -> tuple[str, list[str]]:
    """Name and roles of a coder."""
    if number < SELECTORS:
        return f"selector{number + 1}", ["selector"]
    place = number - SELECTORS
    roles = ["emotion"]
    roles += ["keyframe"] if place < KEYFRAME_CODERS else []
    roles += ["au"] if place < UNIT_CODERS else []
    return f"coder{place + 1}", roles


def _answer(coder: SimulatedCoder, item: Mapping[str, Any], seen: Seen, name: str) -> Answers:
    first, last = item["first_frame"], item["last_frame"]
    match item["kind"]:
        case "selection":
            return {"kind": "selection", "fragments": coder.selects(seen), "finished": True}
        case "keyframes":
            return coder.marks(seen, first, last)
        case "units":
            return coder.sees_units(seen)
        case "crosscheck":
            own: list[str] = next((one["units"] for one in item["coder_units"] or () if one["coder"] == name), [])
            return coder.agrees_on_units(seen, own)
        case _:
            return coder.names(seen)
