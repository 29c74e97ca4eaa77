"""The sensor: noise of a real camera's strength, the same for the same frame, and light as a gain."""

from __future__ import annotations

import numpy as np
import pytest

from expression.synthetic.drawing import Scene, draw
from expression.synthetic.sensor import Sensor, lens


def expose(sensor, grey, frame=0, gain=1.0, take=0):
    out = np.empty((768, 1024), np.uint8)
    draw(Scene(np.full((768, 1024), grey, np.float32)), sensor.exposure(gain, frame, take), out=out)
    return out


@pytest.mark.parametrize(("grey", "sigma"), [(40, 1.6), (128, 2.0), (220, 2.45)])
def test_noise_grows_with_the_light_from_1_4_to_2_6_grey_levels(grey, sigma):
    frame = expose(Sensor(3), grey)
    assert frame.mean() == pytest.approx(grey, abs=0.05)
    # Rounding to whole grey levels adds 1/12.
    assert frame.std() == pytest.approx(np.sqrt(sigma**2 + 1 / 12), abs=0.1)


def test_the_same_seed_and_frame_give_the_same_bytes_in_any_order():
    one, other = Sensor(3), Sensor(3)
    first, second = expose(one, 128, 0), expose(one, 128, 1)
    assert (expose(other, 128, 1) == second).all()
    assert (expose(other, 128, 0) == first).all()
    assert (first != second).mean() > 0.5
    assert (expose(Sensor(4), 128, 0) != first).mean() > 0.5


def test_noise_of_different_frames_is_unrelated():
    sensor = Sensor(3)
    a, b = (expose(sensor, 128, frame).astype(float) - 128 for frame in (10, 11))
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02


def test_light_is_a_gain_before_the_tone_curve():
    quiet = Sensor(3, noise=0)
    assert expose(quiet, 100, gain=2.0)[0, 0] == round(100 * 2 ** (1 / 2.2))


def test_black_and_white_are_clipped_not_wrapped():
    sensor = Sensor(3)
    assert expose(sensor, 0).max() < 12
    assert expose(sensor, 255, gain=1.5).min() > 240


def test_the_lens_spreads_a_point_and_keeps_its_light():
    point = np.zeros((31, 31), np.float32)
    point[15, 15] = 100
    image = lens(point)
    assert image.sum() == pytest.approx(100, rel=1e-4)
    assert 30 < image[15, 15] < 60


def test_another_take_has_other_noise():
    sensor = Sensor(3)
    assert (expose(sensor, 128, 5, take=1) != expose(sensor, 128, 5, take=2)).mean() > 0.5
