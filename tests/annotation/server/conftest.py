"""A small study that is served, with a lead, three coders with all roles, and a selector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from annotation.api_models import Fragment, Role
from annotation.motion.curve import MotionCurve
from annotation.rounds import add_clip
from annotation.server import Context
from annotation.store.schema import RecordingRow
from annotation.users import add_user
from tests.annotation.people import CODERS, PASSWORD, People, small_study


def keep_curve(context: Context, row: RecordingRow) -> None:
    """A motion curve that was computed earlier: nothing is measured while these tests run."""
    frames = np.arange(0, row.frames, 5)
    motion = np.where(np.abs(frames - 125) < 20, 0.4, 0.05).astype(np.float32)
    place = context.motion.place(row.id, context.path_of(row))
    place.parent.mkdir(parents=True, exist_ok=True)
    MotionCurve(frames, motion, motion / 2, np.array([0]), np.array([[8, 4, 40, 40]])).write(place)


@contextmanager
def served(study_folder: Path, url: str) -> Iterator[People]:
    """Everybody's clients of a study in the database at `url`."""
    context = Context.open(study_folder, small_study(), url)
    with context.database.write() as session:
        add_user(session, "lena", [Role.LEAD], PASSWORD)
        add_user(session, "sol", [Role.SELECTOR], PASSWORD)
        for name in CODERS:
            add_user(session, name, [Role.KEYFRAME, Role.AU, Role.EMOTION], PASSWORD)
        for row in session.scalars(select(RecordingRow)):
            keep_curve(context, row)
    with People(context) as people:
        yield people


def four_clips(people: People) -> list[int]:
    """Clips, as a selection would have made them."""
    with people.context.database.write() as session:
        rows = [
            add_clip(session, recording, Fragment(first_frame=a, last_frame=b), origin="selection", by="sol")
            for recording in session.scalars(select(RecordingRow.id).order_by(RecordingRow.id))
            for a, b in ((80, 190), (280, 399))
        ]
        session.flush()
        return [row.id for row in rows]


@pytest.fixture
def people(study_folder: Path, tmp_path: Path) -> Iterator[People]:
    """Everybody's clients, SQLite behind them."""
    with served(study_folder, f"sqlite:///{tmp_path}/annotation.sqlite") as people:
        yield people


@pytest.fixture
def clips(people: People) -> list[int]:
    """Four of them."""
    return four_clips(people)
