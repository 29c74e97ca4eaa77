"""A study of two participants: one agreed to the publication of images, one did not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capture.elicited import Elicited
from capture.participants import Registry
from capture.session import Session
from capture.session.record import ElicitationEntry
from capture.session.stimulus_frames import StimulusFrame, write_stimulus_frames
from capture.statistics import LossLedger

FIRST_NS = 5_000_000_000 + 100 * 2_000_000
"""When the first frame of every recording here was taken; one follows every 2 ms."""


@pytest.fixture
def add_session(tmp_path, make_recording):
    """Makes a session of one trial in which a stimulus was shown and an expression was marked at its fifth frame."""
    made = iter(range(100))

    def add(participant: str | None, folder: Path | None = None) -> Session:
        now = datetime(2031, 5, 4, 10, 15, next(made), tzinfo=UTC)
        session = Session.create(folder or tmp_path / "study", participant, now=now)
        path = session.begin_trial("trial-001", kind="stimulus", stimulus="02sa", now=now)
        shutil.move(make_recording(f"{session.path.name}.zarr", first_id=100), path)
        session.enter_elicitation(ElicitationEntry("dfme", "0" * 64, 7, ("02sa",), finished=True))
        marked = Elicited("02sa", "02sa.mp4", "sadness", value="disgust", intensity=4, stim_frame=0)
        session.log_event(FIRST_NS + 30_000_000, "info", "supervisor", "Jane coughed", trial="trial-001")
        session.log_event(
            FIRST_NS + 10_000_000,
            "info",
            "elicitation",
            "mark 1",
            trial="trial-001",
            trial_type="expression",
            elicited=marked,
        )
        session.end_trial("trial-001", seconds=0.08, frames=40, fps=500.0, lost=LossLedger(), reason="protocol")
        shown = StimulusFrame("02sa", "trial-001", 0, 0.0, FIRST_NS, FIRST_NS + 5_000_000, "swap return", False, False)
        write_stimulus_frames(session.path / "stimulus_frames.parquet", [shown])
        (session.path / "stimuli.tsv").write_text("stim_id\ttarget_emotion\tduration_s\n02sa\tsadness\t224\n")
        return session

    return add


@pytest.fixture
def study(tmp_path, add_session) -> Path:
    folder = tmp_path / "study"
    registry = Registry(folder)
    for name, publish in (("P07", True), ("P08", False)):
        registry.add(name)
        registry.consent(name, form="form-v1", form_text="I agree.", items={"recording": True}, publish_images=publish)
        add_session(name)
    return folder
