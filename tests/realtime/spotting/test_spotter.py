"""When a movement is an expression, when it begins and ends, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from expression.face.reference import FaceRegion
from expression.motion import REGION_ORDER
from realtime.spotting.spotter import Spotter


@pytest.fixture
def brows(curves):
    return lambda start_s, px=0.5, rise_s=0.15, fall_s=0.2: curves.Move(
        start_s, rise_s, fall_s, curves.both("inner_brow", complex(0.2, 1) * px)
    )


def expressions(spots):
    return [spot for spot in spots if spot.rejected is None]


def test_a_movement_out_and_back_is_an_expression_with_its_three_moments(curves, brows):
    (spot,) = expressions(curves.watch([brows(5.0)]))
    assert spot.onset_s == pytest.approx(5.0, abs=0.02)
    assert spot.apex_s == pytest.approx(5.15, abs=0.01)
    assert spot.offset_s == pytest.approx(5.35, abs=0.02)
    assert set(spot.regions) == {FaceRegion.RIGHT_INNER_BROW, FaceRegion.LEFT_INNER_BROW}


def test_it_is_told_within_a_tenth_of_a_second_of_its_end(curves, brows):
    (spot,) = expressions(curves.watch([brows(5.0)]))
    assert spot.decided_s - spot.offset_s < 0.1


@pytest.mark.parametrize("rate_hz", [100.0, 150.0, 250.0, 300.0, 500.0])
def test_the_same_face_gives_the_same_spots_at_any_rate(curves, brows, rate_hz):
    moves = [brows(3.0), brows(6.0, 0.3, 0.06, 0.08), brows(9.0, 0.8, 0.5, 0.9)]
    at_200 = expressions(curves.watch(moves))
    other = expressions(curves.watch(moves, rate_hz=rate_hz))
    assert len(at_200) == len(other) == 3
    for one, same in zip(at_200, other, strict=True):
        assert same.onset_s == pytest.approx(one.onset_s, abs=0.01)
        assert same.apex_s == pytest.approx(one.apex_s, abs=0.01)
        assert same.offset_s == pytest.approx(one.offset_s, abs=0.01)


def test_nothing_is_found_in_noise_alone_however_strong(curves):
    for noise_px in (0.005, 0.02, 0.08):
        assert not expressions(curves.watch([], seconds=60, noise_px=noise_px)), noise_px


def test_what_is_plain_on_a_quiet_face_drowns_in_a_noisy_one(curves, brows):
    assert expressions(curves.watch([brows(9.0, 0.2)], noise_px=0.01))
    assert not expressions(curves.watch([brows(9.0, 0.2)], noise_px=0.2))


def test_a_new_place_that_is_kept_is_no_expression_and_what_follows_is_found(curves, brows):
    stays = curves.Move(3.0, 0.3, 0.0, curves.both("inner_brow", 0.6j))
    (spot,) = expressions(curves.watch([stays, brows(6.0)]))
    assert spot.onset_s == pytest.approx(6.0, abs=0.02)


def test_an_expression_that_is_held_is_one_expression(curves):
    up = curves.Move(3.0, 0.4, 0.0, curves.both("mouth_corner", complex(-0.5, -0.8)))
    down = curves.Move(4.9, 0.5, 0.0, curves.both("mouth_corner", complex(0.5, 0.8)))
    (spot,) = expressions(curves.watch([up, down]))
    assert spot.onset_s == pytest.approx(3.0, abs=0.06)
    assert spot.offset_s == pytest.approx(5.4, abs=0.06)


def test_a_blink_is_none_though_it_pulls_at_the_brows(curves):
    blink = curves.Move(
        5.0,
        0.07,
        0.14,
        curves.both("upper_lid", 1.2j) | curves.both("lower_lid", 1.0j) | curves.both("outer_brow", 0.5j),
    )
    spots = curves.watch([blink])
    assert not expressions(spots)


def test_brows_that_move_more_than_a_blink_explains_are_seen_through_it(curves):
    blink = curves.Move(5.05, 0.07, 0.14, curves.both("upper_lid", 1.0j) | curves.both("lower_lid", 0.8j))
    frown = curves.Move(5.0, 0.15, 0.2, curves.both("inner_brow", 1.4j) | {FaceRegion.GLABELLA: 1.2j})
    (spot,) = expressions(curves.watch([blink, frown]))
    assert FaceRegion.GLABELLA in spot.regions


def test_eyes_that_look_elsewhere_and_back_are_none(curves):
    glances = [
        curves.Move(start_s, 0.03, 0.0, {region: sign * (0.8 if "lid" in region.value else 0.3) for region in eyes})
        for start_s, sign in ((4.0, 1), (4.4, -1), (7.0, -1), (7.9, 1))
        for eyes in [[r for r in FaceRegion if r.value.endswith(("_lid", "_cheek"))]]
    ]
    assert not expressions(curves.watch(glances))


def test_swallowing_moves_the_chin_alone_and_is_none(curves):
    swallow = curves.Move(5.0, 0.45, 0.55, {FaceRegion.CHIN: -1.0j})
    spots = curves.watch([swallow])
    assert [spot.rejected for spot in spots if spot.strength > 1] == ["swallow"]


def test_the_head_must_not_explain_it(brows):
    """Half a pixel of brow while the head goes twelve pixels is what parallax leaves over."""
    for head_px, found in ((0.0, 1), (12.0, 0)):
        spotter, spots = Spotter(200.0), []
        random = np.random.default_rng(3)
        move = brows(5.0)
        for now in np.arange(0, 8, 0.005):
            regions = move.at(np.array([now]))[0] + random.normal(0, 0.01, (20, 2)) @ [1, 1j]
            going = head_px * np.sin(np.pi / 2 * np.clip((now - 4.9) / 0.3, 0, 1)) ** 2
            spots += spotter.push(now, regions.astype(np.complex64), (float(going), 0.0))
        assert len(expressions(spots)) == found


def test_a_few_missing_samples_change_nothing_and_a_long_gap_begins_anew(brows):
    def run(missing):
        spotter, spots = Spotter(200.0), []
        random = np.random.default_rng(5)
        for number, now in enumerate(np.arange(0, 8, 0.005)):
            regions = brows(5.0).at(np.array([now]))[0] + random.normal(0, 0.01, (20, 2)) @ [1, 1j]
            if number not in missing:
                spots += spotter.push(now, regions.astype(np.complex64), (0.0, 0.0))
        return expressions(spots)

    (whole,) = run(())
    (bridged,) = run({*range(1010, 1014), 1031, 1055})
    assert bridged.onset_s == pytest.approx(whole.onset_s, abs=0.01)
    assert bridged.offset_s == pytest.approx(whole.offset_s, abs=0.01)
    assert run(range(1010, 1060)) == []


def test_hours_leave_no_more_memory_than_minutes():
    spotter = Spotter(50.0)
    still = np.zeros(len(REGION_ORDER), np.complex64)
    held = spotter.bytes_held
    for number in range(20_000):
        spotter.push(number / 50, still, (0.0, 0.0))
    assert spotter.bytes_held == held
