"""Expressions are read out whatever happens to the engine that names them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from expression.bundle import Bundle
from expression.keyframes import KeyFrames
from realtime.analysis import Found
from realtime.engines import EngineChoice, EngineUnavailable
from realtime.lab_default import DEFAULT_MODEL
from realtime.readout import Readout
from realtime.recognition import Recogniser
from realtime.results import LiveExpression
from realtime.spotting.spot import Spot
from tests.waiting import wait_for


class LostCard:
    """An engine whose card has gone."""

    name = "tensorrt"
    reason = "a card that has gone"

    def infer(self, clip: np.ndarray) -> np.ndarray:
        raise OSError("the card has fallen off the bus")


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[LiveExpression] = []

    def expression(self, expression: LiveExpression) -> None:
        self.heard.append(expression)


@pytest.fixture(scope="module")
def found():
    """A brow that rises, cut out as the model that comes along wants it."""
    recipe = Bundle.open(DEFAULT_MODEL).record.recipe
    crops = np.random.default_rng(1).integers(0, 255, (recipe.frames, recipe.crop_px, recipe.crop_px), np.uint8)
    spot = Spot(onset_s=1.0, apex_s=1.1, offset_s=1.25, decided_s=1.3, strength=2.0, movement_px=0.6, regions=())
    return Found(KeyFrames(200, 220, 250), "micro", spot, crops, crops[0], crops[8], recipe)


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def readout(notes):
    made = Readout([notes])
    yield made
    made.close()


def named(readout: Readout, found: Found, count: int) -> list[str]:
    """Have expressions named; returns what was said of models meanwhile."""
    for _ in range(count):
        readout.take(found, "trial-001", 1_300_000_000)
    said = []

    def done() -> bool:
        said.extend(readout.deliver())
        return not readout.busy

    wait_for(done)
    return [news.text for news in said]


def test_where_an_engine_fails_another_names_the_same_expression(readout, notes, found, monkeypatch):
    bundle = Bundle.open(DEFAULT_MODEL)
    lost = Recogniser(bundle, EngineChoice(LostCard(), LostCard.reason))
    monkeypatch.setattr(Recogniser, "load", lambda path, engine: lost)
    readout.use(DEFAULT_MODEL, "auto")
    said = named(readout, found, 2)
    assert [len(one.probabilities) for one in notes.heard] == [7, 7]
    assert all(one.model == bundle.record.name for one in notes.heard)
    failures = [text for text in said if "fallen off the bus" in text]
    assert len(failures) == 1
    assert "tensorrt failed" in failures[0]
    assert said[-1].startswith(bundle.record.name)


def test_where_no_engine_is_left_expressions_are_spotted_and_that_is_said(readout, notes, found, monkeypatch):
    lost = Recogniser(Bundle.open(DEFAULT_MODEL), EngineChoice(LostCard(), LostCard.reason))
    monkeypatch.setattr(Recogniser, "load", lambda path, engine: lost)

    def none_left(self: Recogniser) -> Recogniser:
        raise EngineUnavailable("no engine is left")

    monkeypatch.setattr(Recogniser, "elsewhere", none_left)
    readout.use(DEFAULT_MODEL, "auto")
    said = named(readout, found, 2)
    assert [one.emotion for one in notes.heard] == ["", ""]
    assert sum("spotted, not named" in text for text in said) == 1


def test_a_model_that_cannot_be_had_leaves_the_one_before(readout, notes, found, tmp_path):
    readout.use(DEFAULT_MODEL, "auto")
    readout.use(tmp_path / "nothing", "auto")
    said = named(readout, found, 1)
    assert "the model stays as it was" in said[-1]
    assert notes.heard[0].model == "simulated-i3d"


def test_lines_are_written_for_the_session_and_latency_is_that_of_the_offset(readout, found, tmp_path):
    readout.open_session(tmp_path)
    named(readout, found, 3)
    lines = [json.loads(row) for row in Path(tmp_path / "live.jsonl").read_text().splitlines()]
    assert len(lines) == readout.spotted == 3
    for row in lines:
        # 50 ms before the frame that settled it.
        assert row["latency_ms"] == pytest.approx((row["host_ns"] - 1_250_000_000) / 1e6, abs=0.1)
    assert readout.latency_ms >= min(row["latency_ms"] for row in lines)
