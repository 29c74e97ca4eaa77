"""Databases of both kinds to test on, PostgreSQL in a cluster of its own, and small studies with recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from annotation.store import Database
from capture.elicited import Elicited
from capture.session import Session
from capture.session.self_report import Mark, SelfReport, TrialReport, write_self_report
from capture.statistics import LossLedger
from tests.annotation.cluster import NoPostgres, new_postgres, postgres_server
from tests.annotation.recordings import write_recording


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server without its database's name; it runs for this test session alone."""
    pytest.importorskip("psycopg")
    try:
        with postgres_server() as url:
            yield url
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        opened = Database.open(f"sqlite:///{tmp_path}/annotation.sqlite")
    else:
        opened = Database.open(new_postgres(request.getfixturevalue("postgres")))
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database."""
    opened = Database.open(f"sqlite:///{tmp_path}/annotation.sqlite")
    yield opened
    opened.close()


RATE_FPS = 500.0
FRAMES = 400
HEIGHT_PX, WIDTH_PX = 48, 64
FIRST_NS = 7_000_000_000_000


def grey(frame: int) -> np.ndarray:
    """Frame `i` has the grey value `i % 256` everywhere."""
    return np.full((HEIGHT_PX, WIDTH_PX), frame % 256, np.uint8)


def write_session(root: Path, participant: str, trials: int = 2, now: datetime | None = None) -> Session:
    """A session whose trials show a stimulus, two self-reports each, and one live spotting."""
    session = Session.create(root, participant, hardware="simulated", now=now)
    reports = []
    for number in range(trials):
        name, first_ns = f"trial-{number + 1:03d}", FIRST_NS + number * 60_000_000_000
        place = session.begin_trial(name, kind="stimulus", stimulus="17h")
        write_recording(place, session.path.name, name, grey, frames=FRAMES, rate_fps=RATE_FPS, first_ns=first_ns)
        lost = LossLedger(camera=0, incomplete=0, ring=0, disk=0)
        session.end_trial(name, seconds=FRAMES / RATE_FPS, frames=FRAMES, fps=RATE_FPS, lost=lost, reason="frames")
        shown = Elicited(stim_id="17h", target_emotion="happiness")
        start = {"trial": name, "trial_type": "stimulus", "duration_s": 0.5, "elicited": shown}
        session.log_event(first_ns + 100_000_000, "info", "elicitation", "shown", **start)
        marks = [
            {"number": i + 1, "frame": frame, "emotion": "happiness", "intensity": 3, "host_ns": first_ns}
            for i, frame in enumerate((120, 310))
        ]
        given = {"trial": name, "recording": f"recordings/{place.name}", "given_ns": first_ns}
        reports.append(TrialReport(trial=name, stim_id="17h", marks=tuple(Mark(**given, **mark) for mark in marks)))
        spotted = {"trial": name, "onset": 100, "apex": 125, "offset": 160, "emotion": "happiness"}
        with (session.path / "live.jsonl").open("a") as live:
            live.write(json.dumps({**spotted, "probabilities": {"happiness": 0.7}}) + "\n")
    write_self_report(session.path, SelfReport(trials=tuple(reports)))
    return session


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """A study with one session of two trials."""
    root = tmp_path / "study"
    root.mkdir()
    write_session(root, "P01")
    return root
