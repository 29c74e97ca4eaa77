"""Data sets of simulated participants: their layout, their truth in the pictures, and the same bytes every time."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
import zarr

from expression.errors import BadInput
from expression.paper import PARTS
from expression.synthetic.dataset import PLAN, Recording, SynthesisPlan, _participant, identity_seed, performance_of
from expression.synthetic.parallel import synthesize
from expression.synthetic.performance import Performance
from expression.synthetic.state import FaceTrack
from expression.synthetic.truth import read_track, read_truth
from expression.unit_notation import parse_units

FPS = 50.0
CLIPS = SynthesisPlan(seed=4, part="B", rate_fps=FPS)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Two subjects with a clip each, made in two processes."""
    out = tmp_path_factory.mktemp("synthetic") / "set"
    summary = synthesize(out, CLIPS, subjects=2, clips_per_subject=1, jobs=2)
    assert (summary.subjects, summary.recordings, sum(summary.micro.values())) == (2, 2, 2)
    return out


def test_clips_lie_as_in_the_release(dataset):
    assert sorted(path.name for path in (dataset / "train_data").iterdir()) == ["sub0001_01", "sub0002_01"]
    for clip in (dataset / "train_data").iterdir():
        names = sorted(path.name for path in clip.iterdir())
        assert names == [f"{number:05d}.png" for number in range(len(names))]
        picture = cv2.imread(str(clip / names[0]), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (768, 1024)
        assert picture.dtype == np.uint8


def test_the_sheet_says_what_the_truth_says(dataset):
    rows = list(openpyxl.load_workbook(dataset / "train_labels.xlsx").active.iter_rows(values_only=True))
    assert rows[0] == ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU")
    assert len(rows) == 3
    for subject, name, onset, apex, offset, emotion, units in rows[1:]:
        truth = read_truth(dataset / "truth" / f"{name}.json")
        (event,) = truth.expressions
        assert truth.subject == subject
        assert (event.onset, event.apex, event.offset) == (onset, apex, offset)
        assert event.emotion == emotion
        assert parse_units(units) == tuple(unit.coded for unit in event.units)
        assert truth.frames == len(list((dataset / "train_data" / name).iterdir()))
        assert len(read_track(dataset / "truth" / f"{name}.npz")) == truth.frames
        assert event.key_frames.is_micro(FPS)


def test_one_process_makes_the_same_bytes_and_goes_on_where_it_was_stopped(dataset, tmp_path):
    class Stopped(Exception):
        pass

    def stop_early(done: int, total: int, text: str) -> None:
        if done == 5:
            raise Stopped

    out = tmp_path / "set"
    with pytest.raises(Stopped):
        synthesize(out, CLIPS, subjects=1, clips_per_subject=1, jobs=1, progress=stop_early)
    assert not list((out / "truth").glob("*")) if (out / "truth").exists() else True
    synthesize(out, CLIPS, subjects=1, clips_per_subject=1, jobs=1)
    mine, theirs = contents(out), contents(dataset)
    same = {name for name in theirs if "sub0001_01" in name}
    assert same == {name for name in mine if "sub0001_01" in name}
    assert all(mine[name] == theirs[name] for name in same)

    shutil.copytree(dataset / "truth", out / "truth", dirs_exist_ok=True)
    shutil.copytree(dataset / "train_data", out / "train_data", dirs_exist_ok=True)
    synthesize(out, CLIPS, subjects=2, clips_per_subject=1, jobs=1)
    assert contents(out) == theirs


def test_finished_clips_are_kept(dataset):
    picture = dataset / "train_data" / "sub0001_01" / "00000.png"
    before = picture.stat().st_mtime_ns
    synthesize(dataset, CLIPS, subjects=2, clips_per_subject=1, jobs=1)
    assert picture.stat().st_mtime_ns == before


@pytest.mark.parametrize("seed", range(3))
def test_the_face_in_the_pictures_changes_most_at_the_apex(seed):
    """With head, eyes and light held still, what is left in the pictures is the expression."""
    fps = 100.0
    performance = Performance.clip([seed, 3], rate_fps=fps)
    (event,) = [event for event in performance.events(fps) if event.kind == "micro"]
    frames = event.key_frames
    track = performance.track(fps)
    alone = replace(FaceTrack.neutral(len(track)), left=track.left, right=track.right)
    participant = _participant(identity_seed(CLIPS, 1))
    picture = np.empty((768, 1024), np.uint8)
    smooth = []
    for number in range(frames.onset, frames.offset + 1):
        participant.render(alone, number, picture)
        smooth.append(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 3))
    change = np.array([np.percentile(np.abs(one - smooth[0]), 99.9) for one in smooth])
    assert abs(int(np.argmax(change)) - (frames.peak - frames.onset)) <= 2
    assert change.max() > 2 * change[-1]


def test_a_long_recording_is_a_plain_array_with_a_table_beside_it(tmp_path):
    plan = SynthesisPlan(seed=4, part="C", rate_fps=20.0, long=True, minutes=0.1)
    out = tmp_path / "long"
    done: list[tuple[int, int]] = []
    summary = synthesize(out, plan, subjects=1, jobs=1, progress=lambda *said: done.append(said[:2]))
    assert done[-1] == (120, 120)
    array = zarr.open_array(out / "long" / "sub0001_01.zarr", mode="r")
    assert array.shape == (120, 768, 1024)
    assert array.dtype == np.uint8
    assert array.attrs["rate_fps"] == 20.0
    assert array.attrs["simulated"] is True
    with (out / "spotting.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows].count("micro") == sum(summary.micro.values())
    assert {row["file"] for row in rows} == {"long/sub0001_01.zarr"}
    truth = read_truth(out / "truth" / "sub0001_01.json")
    assert truth.frames == 120

    # A second start keeps whole shards: the last one is rendered again, to the same pictures.
    last = array[119]
    (out / "truth" / "sub0001_01.json").unlink()
    done.clear()
    synthesize(out, plan, subjects=1, jobs=1, progress=lambda *said: done.append(said[:2]))
    assert done[0] == (100, 120)
    np.testing.assert_array_equal(zarr.open_array(out / "long" / "sub0001_01.zarr", mode="r")[119], last)


def test_many_plans_follow_the_class_counts_and_the_rule():
    plan = SynthesisPlan(seed=1, part="A", rate_fps=500.0)
    events = [
        event
        for subject in range(1, 31)
        for number in range(1, 11)
        for event in performance_of(plan, Recording(subject, number)).events(500.0)
        if event.kind == "micro"
    ]
    assert len(events) == 300
    assert all(event.key_frames.is_micro(500) for event in events)
    counts = PARTS[0].counts
    chi_square = 0.0
    for emotion, count in counts.items():
        expected = 300 * count / PARTS[0].samples
        chi_square += (sum(event.emotion is emotion for event in events) - expected) ** 2 / expected
    assert chi_square < 24.3


def test_twelve_subjects_are_a_dozen_of_balanced_faces_and_other_seeds_show_others():
    seeds = [identity_seed(CLIPS, subject) for subject in range(1, 13)]
    assert sorted(seed % 12 for seed in seeds) == list(range(12))
    assert identity_seed(SynthesisPlan(seed=5, part="B", rate_fps=FPS), 1) not in seeds


@pytest.mark.parametrize(
    ("plan", "subjects", "word"),
    [
        (SynthesisPlan(seed=-1, part="A", rate_fps=200.0), 1, "seed -1"),
        (SynthesisPlan(seed=1, part="D", rate_fps=200.0), 1, "part 'D'"),
        (SynthesisPlan(seed=1, part="A", rate_fps=0.0), 1, "frames a second"),
        (SynthesisPlan(seed=1, part="A", rate_fps=200.0), 0, "subjects"),
        (SynthesisPlan(seed=1, part="A", rate_fps=200.0, long=True), 1, "minutes"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(tmp_path, plan, subjects, word):
    out = tmp_path / "set"
    with pytest.raises(BadInput, match=word):
        synthesize(out, plan, subjects=subjects)
    assert not out.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("a year of work")
    with pytest.raises(BadInput, match="not empty"):
        synthesize(tmp_path, CLIPS, subjects=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_data_set_of_other_values_is_not_mixed_in(dataset):
    with pytest.raises(BadInput, match="seed 4"):
        synthesize(dataset, SynthesisPlan(seed=5, part="B", rate_fps=FPS), subjects=1)
    (broken := dataset.parent / "broken").mkdir()
    (broken / PLAN).write_text("{")
    with pytest.raises(BadInput, match=PLAN):
        synthesize(broken, CLIPS, subjects=1)
