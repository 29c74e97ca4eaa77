"""The study file, and what recordings a study has."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from annotation import catalogue
from annotation.api_models import RoundKind
from annotation.store.schema import RecordingRow
from annotation.study import Study, StudyInvalid, load_study, parse_study
from capture.errors import BadInput


def test_the_papers_numbers_hold_unless_the_file_says_otherwise(tmp_path):
    plain = load_study(tmp_path)
    assert [plain.rule(kind).coders for kind in RoundKind] == [1, 5, 2, 2, 7]

    (tmp_path / "annotation.toml").write_text('name = "pilot"\n[coders]\nkeyframes = 3\n[stimuli]\n17h = "happiness"\n')
    pilot = load_study(tmp_path)

    assert (pilot.name, pilot.rule(RoundKind.KEYFRAMES).coders, pilot.stimuli["17h"].value) == ("pilot", 3, "happiness")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[coders]\nunits = 1\n", "line 2, key coders.units "),
        ('name = "x"\nrepeat_share = 2\n', "line 2, key repeat_share "),
        ("[coders]\nkeyframs = 3\n", "line 2, key coders.keyframs is not known: did you mean keyframes?"),
        ('[stimuli]\nx = "joyful"\n', "line 2, key stimuli.x "),
        ("name = \n", "study.toml, line 1, column 8, key name: "),
    ],
)
def test_mistakes_are_named_with_line_and_key(text, words):
    with pytest.raises(StudyInvalid) as caught:
        parse_study(text, "study.toml")
    assert words in str(caught.value)


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(StudyInvalid, match="cannot read"):
        load_study(tmp_path, tmp_path / "nothing.toml")


def test_recordings_of_sessions_and_of_elsewhere_are_found(study_folder, sqlite):
    clip = study_folder / "theirs" / "sub0003_01"
    clip.mkdir(parents=True)
    for number in range(5):
        cv2.imwrite(str(clip / f"{number:05d}.png"), np.zeros((24, 32), np.uint8))

    without_rate = catalogue.scan(study_folder, Study())
    assert len(without_rate.recordings) == 2
    assert "does not say its rate" in without_rate.problems[0]
    scanned = catalogue.scan(study_folder, Study(default_rate_fps=100))
    found = {one.trial: one for one in scanned.recordings}
    assert sorted(found) == ["sub0003_01", "trial-001", "trial-002"]
    theirs, ours = found["sub0003_01"], found["trial-001"]
    assert (theirs.participant, theirs.frames, theirs.rate_fps) == ("sub0003", 5, 100)
    assert (ours.participant, ours.frames, ours.rate_fps, ours.stimulus) == ("P01", 400, 500, "17h")
    assert ours.stimulus_emotion.value == "happiness"

    with sqlite.write() as session:
        assert catalogue.enter(session, scanned) == 3
        assert catalogue.enter(session, scanned) == 0
        shutil.rmtree(clip)
        catalogue.enter(session, catalogue.scan(study_folder, Study(default_rate_fps=100)))
        missing = session.scalars(select(RecordingRow.trial).where(RecordingRow.missing)).all()
    assert missing == ["sub0003_01"]


@pytest.mark.parametrize(("said", "meant"), [(499.98, 500), (299.97, 300), (200, 200), (29.97, 29.97), (0, 0)])
def test_a_rate_that_a_camera_rounded_is_the_one_that_was_meant(said, meant):
    assert catalogue.nominal_rate(said) == pytest.approx(meant)


def test_a_folder_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="is not a folder"):
        catalogue.scan(tmp_path / "nothing", Study())
