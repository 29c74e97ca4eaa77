"""The two classical methods, on crops whose movement is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from expression.face.reference import REGIONS, FaceRegion, reference_px
from realtime.spotting.flow_method import FlowMethod
from realtime.spotting.lbp_method import LbpMethod
from realtime.spotting.offline import Interval, merged, peaks_of


def crops(method, region: FaceRegion, by_px: float, *, seconds: float, rate_hz: float, sway_px=0.0, width=0.06):
    """Texture of a face's scale in which one region goes down and up from 2.0 to 2.4 s, shifted by a slow sway."""
    random = np.random.default_rng(4)
    margin = 0 if method.steady else 32
    size = method.crop_px
    texture = cv2.GaussianBlur(random.normal(0, 1, (size, size)), (0, 0), 1.5)
    texture = (128 + 30 * texture / texture.std()).astype(np.float32)
    grid = np.stack(np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32)), -1)
    middle = reference_px(size - 2 * margin)[list(REGIONS[region])].mean(0) + margin
    bump = np.exp(-((grid - middle) ** 2).sum(-1) / (2 * (width * size) ** 2)).astype(np.float32)
    for number in range(round(seconds * rate_hz)):
        t = number / rate_hz
        share = np.sin(np.pi * np.clip((t - 2.0) / 0.4, 0, 1)) ** 2
        maps = grid.copy()
        maps[..., 1] -= by_px * share * bump
        maps[..., 0] -= sway_px * np.sin(2 * np.pi * 0.3 * t)
        moved = cv2.remap(texture, maps, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        yield np.clip(moved + random.normal(0, 0.5, moved.shape), 0, 255).astype(np.uint8)


def spots(method, rate_hz, **wanted):
    for crop in crops(method, rate_hz=rate_hz, **wanted):
        method.push(crop)
    return method.finish(rate_hz)


def test_a_peak_is_cut_where_it_has_fallen_to_a_third_over_the_valley_of_either_side():
    rising = [0, 0, 3, 6, 9, 7, 5, 3, 3, 3]
    assert peaks_of(np.array(rising, float), rise=6) == [(2, 4, 6)]
    assert peaks_of(np.array(rising, float), rise=6.1) == []


def test_the_higher_peak_keeps_the_valley_that_the_lower_one_shares_with_it():
    two = np.array([0, 4, 8, 4, 2, 4, 6, 3, 0, 0], float)
    assert [peak for _, peak, _ in peaks_of(two, rise=3)] == [2, 6]
    assert [peak for _, peak, _ in peaks_of(two, rise=5)] == [2]


def test_intervals_of_several_regions_become_one_with_the_strongest_apex():
    brow, lip = FaceRegion.GLABELLA, FaceRegion.UPPER_LIP
    one = merged(
        [Interval(0, 4, 9, 1.0, 1.0, (brow,)), Interval(5, 8, 12, 2.0, 2.0, (lip,)), Interval(40, 42, 44, 1.0)]
    )
    assert [(i.onset, i.apex, i.offset) for i in one] == [(0, 8, 12), (40, 42, 44)]
    assert one[0].regions == (lip, brow)


def test_texture_that_changes_and_changes_back_is_spotted():
    found = spots(LbpMethod(), 100.0, region=FaceRegion.RIGHT_INNER_BROW, by_px=4.0, seconds=4.0, width=0.2)
    spot = max(found, key=lambda interval: interval.strength)
    assert spot.apex == pytest.approx(220, abs=6)
    assert 195 <= spot.onset < spot.apex < spot.offset <= 245


def test_flow_names_the_region_and_takes_a_swaying_head_off():
    (spot,) = spots(FlowMethod(), 50.0, region=FaceRegion.RIGHT_MOUTH_CORNER, by_px=4.0, seconds=3.5, sway_px=6.0)
    assert spot.apex == pytest.approx(110, abs=4)
    assert spot.onset >= 90
    assert spot.offset <= 130
    assert spot.regions[0] is FaceRegion.RIGHT_MOUTH_CORNER


def test_flow_has_a_fixed_threshold_and_sees_nothing_below_it():
    assert not spots(FlowMethod(), 50.0, region=FaceRegion.RIGHT_MOUTH_CORNER, by_px=1.0, seconds=3.0)


@pytest.mark.parametrize("method", [LbpMethod, FlowMethod])
def test_too_little_to_look_at_gives_nothing_and_what_was_seen_is_forgotten(method):
    looking = method()
    assert looking.finish(50.0) == []
    looking.push(np.zeros((looking.crop_px, looking.crop_px), np.uint8))
    assert looking.finish(50.0) == []
    assert looking.finish(50.0) == []
