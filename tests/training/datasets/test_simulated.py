"""Simulated participants as samples: rendered when asked for, aligned once, and read from disk ever after."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from expression.clip_input import ClipRecipe
from expression.emotions import BASIC_EMOTIONS
from expression.errors import BadInput
from expression.synthetic.dataset import Recording, performance_of
from training.clips import dataset_of
from training.datasets import CropPlan, CropStore
from training.datasets.simulated import SimulatedFrames, parse_simulated, simulated_samples


def test_a_name_says_how_many_and_of_what():
    plan, subjects, clips = parse_simulated("simulated:64x24,part=A,fps=500,seed=7")
    assert (subjects, clips, plan.part, plan.rate_fps, plan.seed) == (64, 24, "A", 500, 7)
    with pytest.raises(BadInput, match="SUBJECTSxCLIPS"):
        parse_simulated("simulated:many")


def test_every_sample_has_one_of_the_seven_and_is_what_the_performance_shows():
    plan, _, _ = parse_simulated("simulated:2x5,seed=3")
    samples = simulated_samples(plan, 2, 5)
    assert [sample.subject for sample in samples] == ["sub0001"] * 5 + ["sub0002"] * 5
    for sample in samples:
        assert sample.emotion in BASIC_EMOTIONS
        (placed,) = performance_of(plan, Recording(int(sample.subject[3:]), int(sample.name[-2:]))).expressions
        assert placed.expression.key_frames(placed.start_s, 200) == sample.key_frames
        assert sample.frames.span[1] > sample.key_frames.offset


@dataclass(frozen=True)
class Counted:
    """Frames of another source; remembers which were asked for."""

    frames: SimulatedFrames
    asked: list[int]

    @property
    def identity(self):
        return self.frames.identity

    @property
    def span(self):
        return self.frames.span

    def read(self, number):
        self.asked.append(number)
        return self.frames.read(number)


def test_crops_are_made_once_and_hold_the_moving_face(tmp_path):
    (made,) = simulated_samples(parse_simulated("simulated:1x1,seed=3")[0], 1, 1)
    asked = []
    samples = (replace(made, frames=Counted(made.frames, asked)),)
    store = CropStore(tmp_path, CropPlan(size_px=64, frames=4, finder="cascades"))
    usable, refused = store.prepare(samples)
    assert usable == samples
    assert not refused
    crops = store.load(samples[0])
    key_frames = samples[0].key_frames
    assert {key_frames.onset, key_frames.peak, key_frames.offset} <= set(crops.numbers.tolist())
    assert crops.pictures.shape == (len(crops.numbers), 64, 64)
    assert crops.pictures.std() > 20

    assert sorted(asked) == crops.numbers.tolist()

    before = store.path(samples[0]).stat().st_mtime_ns
    store.prepare(samples)
    for channels in ("rgb", "flow"):
        dataset = dataset_of(store, samples, ClipRecipe(frames=4, size_px=32, crop_px=64, channels=channels))
        for epoch in range(2):
            assert np.isfinite(dataset.clip(epoch, 0)).all()
    assert store.path(samples[0]).stat().st_mtime_ns == before
    assert len(asked) == len(crops.numbers), "a picture was read again"
    nearest = crops.at(np.array([key_frames.peak + 1]))
    np.testing.assert_array_equal(nearest[0], crops.pictures[crops.numbers.tolist().index(key_frames.peak)])
