"""Dense flow: known movements of a fraction of a pixel are found, whatever light and noise do."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from expression.errors import PictureUnusable
from expression.motion import FlowEstimator, HeadMotion

RIGHT_MOUTH_CORNER = 61


def errors_px(known: SimpleNamespace, flow: np.ndarray, field: object) -> np.ndarray:
    return known.inside(np.linalg.norm(flow - field(known.grid_px(len(flow))), axis=-1))


@pytest.mark.parametrize("length_px", [0.05, 0.1, 0.3, 1.0, 2.0])
def test_shifts_are_found_everywhere(known: SimpleNamespace, length_px: float) -> None:
    field = known.shift(0.8 * length_px, -0.6 * length_px)
    flow = FlowEstimator(known.picture()).flow(known.picture(field))
    assert flow.shape == (128, 128, 2)
    assert flow.dtype == np.float32
    assert errors_px(known, flow, field).mean() < 0.02 + 0.03 * length_px


def test_a_tenth_of_a_pixel_at_the_mouth_corner_is_seen_through_noise(known: SimpleNamespace) -> None:
    field = known.bump(RIGHT_MOUTH_CORNER, -0.06, -0.08)
    flow = FlowEstimator(known.picture(noise_seed=1)).flow(known.picture(field, noise_seed=2))
    moved = np.linalg.norm(field(known.grid_px()), axis=-1) > 0.06
    found = flow[moved].mean(axis=0)
    assert found == pytest.approx(field(known.grid_px())[moved].mean(axis=0), abs=0.025)
    assert np.linalg.norm(known.inside(flow)[60:, 50:], axis=-1).mean() < 0.05


def test_brighter_light_moves_nothing(known: SimpleNamespace) -> None:
    flow = FlowEstimator(known.picture()).flow(known.picture(gain=1.05, offset=3))
    assert np.linalg.norm(known.inside(flow), axis=-1).mean() < 0.02


def test_the_reference_itself_has_not_moved(known: SimpleNamespace) -> None:
    reference = known.picture(noise_seed=1)
    assert np.abs(FlowEstimator(reference).flow(reference)).max() < 1e-4


@pytest.mark.parametrize("size_px", [96, 112, 160, 224, 256])
def test_other_sizes(known: SimpleNamespace, size_px: int) -> None:
    field = known.shift(0.4, 0.3)
    flow = FlowEstimator(known.picture(size_px=size_px)).flow(known.picture(field, size_px=size_px))
    assert errors_px(known, flow, field).mean() < 0.04


def test_a_head_that_moved_far_is_followed(known: SimpleNamespace) -> None:
    field = known.shift(6.4, 4.8)
    flow = FlowEstimator(known.picture()).flow(known.picture(field))
    assert np.median(errors_px(known, flow, field)) < 0.1


def test_with_the_head_known_what_goes_beyond_it_is_found_more_precisely(known: SimpleNamespace) -> None:
    head = HeadMotion((2.0, -1.5), 0.6, 1.01)
    field = known.together(known.similarity((2.0, -1.5), 0.6, 1.01), known.bump(RIGHT_MOUTH_CORNER, 0, -0.5))
    estimator, frame = FlowEstimator(known.picture(noise_seed=1)), known.picture(field, noise_seed=2)
    blind, informed = estimator.flow(frame), estimator.flow(frame, head)
    assert errors_px(known, informed, field).mean() < min(0.06, errors_px(known, blind, field).mean())


def test_beyond_a_known_head_movements_up_to_a_fiftieth_are_followed(known: SimpleNamespace) -> None:
    field = known.shift(2.0, 1.5)
    flow = FlowEstimator(known.picture()).flow(known.picture(field), HeadMotion((0, 0), 0, 1))
    assert np.median(errors_px(known, flow, field)) < 0.1


def test_a_mean_of_still_frames_is_a_better_reference_than_one(known: SimpleNamespace) -> None:
    field = known.shift(0.1, 0.0)
    frame = known.picture(field, noise_seed=100)
    still = [known.picture(noise_seed=seed) for seed in range(8)]
    one = FlowEstimator(still[0]).flow(frame)
    mean = FlowEstimator(np.mean(still, axis=0, dtype=np.float32)).flow(frame)
    assert errors_px(known, mean, field).mean() < 0.9 * errors_px(known, one, field).mean()


def test_the_stated_noise_is_that_of_still_frames(known: SimpleNamespace) -> None:
    estimator = FlowEstimator(known.picture(noise_seed=0))
    flows = np.stack([estimator.flow(known.picture(noise_seed=seed)) for seed in range(1, 13)])
    scatter = np.sqrt((flows**2).sum(axis=-1).mean(axis=0))
    stated = estimator.noise_px()
    assert stated.shape == (128, 128)
    # The preference for small movements takes some of the noise away again.
    assert 0.4 < np.median(known.inside(scatter) / known.inside(stated)) < 1.1


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((128, 112), np.uint8),
        np.zeros((120, 120), np.uint8),
        np.zeros((16, 16), np.uint8),
        np.zeros((128, 128, 3), np.uint8),
        np.zeros((128, 128), np.float64),
    ],
)
def test_pictures_of_another_kind_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(PictureUnusable):
        FlowEstimator(bad)


def test_a_frame_of_another_size_is_refused(known: SimpleNamespace) -> None:
    with pytest.raises(PictureUnusable, match="same crop"):
        FlowEstimator(known.picture()).flow(known.picture(size_px=160))
