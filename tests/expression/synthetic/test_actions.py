"""Action units: what a FACS coder expects of each, on both sides, in the geometry and in a landmark finder's eyes."""

from __future__ import annotations

import numpy as np
import pytest

from expression.action_units import ActionUnit, Side
from expression.face.mediapipe_landmarks import MediaPipeFinder
from expression.face.models import FACE_LANDMARKER, locate
from expression.synthetic import actions
from expression.synthetic.action_fields import Lips
from expression.synthetic.expectations import EXPECTED, FACE_HALVES, LANDMARKS, LOWER_UNITS, UPPER_UNITS
from expression.synthetic.material import load_material
from expression.synthetic.state import UNITS

SKIN_UNITS = [unit for unit in UNITS if unit in actions.FIELDS]
OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


@pytest.fixture(scope="module")
def finder():
    found = locate(FACE_LANDMARKER, download=False)
    if found.path is None:
        pytest.skip(found.reason)
    with MediaPipeFinder(found.path) as made:
        yield made


@pytest.fixture(scope="module")
def look(finder, painted):
    """Landmarks of a participant's frame: (478, 2) px."""
    picture = np.empty((768, 1024), np.uint8)

    def landmarks(track):
        painted.renderer.render(track, 0, picture)
        (face,) = finder.find(picture)
        return face.landmarks

    return landmarks


def on_face(step_px: np.ndarray, group: str, side: Side) -> np.ndarray:
    """Mean step of a group of landmarks: outward and up, px."""
    left = side is Side.LEFT
    x, y = step_px[list(LANDMARKS[group][0 if left else 1])].mean(0)
    return np.array([x if left else -x, -y])


def test_every_coded_unit_has_its_motion_and_its_expectation():
    assert set(actions.FIELDS) | set(actions.HEAD) == set(ActionUnit)
    assert set(EXPECTED) == set(actions.FIELDS)


@pytest.mark.parametrize("unit", SKIN_UNITS)
def test_the_two_halves_add_up_to_the_whole_and_mirror_each_other(unit):
    points = load_material().vertices
    mirrored = points * np.float32([-1, 1, 1])
    for lips in Lips:
        both = actions.displacement(points, unit, Side.BOTH, lips)
        left = actions.displacement(points, unit, Side.LEFT, lips)
        right = actions.displacement(points, unit, Side.RIGHT, lips)
        assert left + right == pytest.approx(both, abs=1e-5)
        assert actions.displacement(mirrored, unit, Side.RIGHT, lips) * [-1, 1, 1] == pytest.approx(left, abs=1e-5)


@pytest.mark.parametrize("unit", SKIN_UNITS)
def test_a_unit_moves_skin_by_millimetres_and_leaves_the_rest_of_the_head_alone(unit):
    points = load_material().vertices
    moved = np.linalg.norm(actions.displacement(points, unit, Side.BOTH, Lips.UPPER), axis=1)
    moved = np.maximum(moved, np.linalg.norm(actions.displacement(points, unit, Side.BOTH, Lips.LOWER), axis=1))
    assert 0.04 < moved.max() < 1.4
    behind = points[:, 2] < 2.5
    assert moved[behind].max() == 0


def test_a_head_takes_displacements_in_its_own_size_and_posture(painted):
    head = painted.appearance.head
    moved = actions.vertex_displacement(head, ActionUnit.LIP_CORNER_PULLER, Side.LEFT)
    assert moved.shape == head.base_vertices.shape
    assert moved[:, 1].max() > 0.4
    assert abs(moved[head.base_vertices[:, 0] < -2]).max() < 0.02


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
@pytest.mark.parametrize("unit", SKIN_UNITS)
def test_landmarks_on_the_acting_side_go_where_a_coder_expects_and_the_other_side_stays(
    painted, look, acting, unit, side
):
    neutral = look(acting({}))
    step = painted.renderer.positions(acting({unit: 1.0}, side), 0, neutral) - neutral
    for expected in EXPECTED[unit]:
        assert on_face(step, expected.group, side) @ expected.towards.value > 0.35, expected
        assert np.abs(on_face(step, expected.group, OTHER[side])).max() < 0.8, expected


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT, Side.BOTH])
@pytest.mark.parametrize("unit", SKIN_UNITS)
def test_a_landmark_finder_sees_the_motion_in_the_rendered_picture(look, acting, unit, side):
    step = look(acting({unit: 1.0}, side)) - look(acting({}))
    for acts in (Side.LEFT, Side.RIGHT) if side is Side.BOTH else (side,):
        for expected in EXPECTED[unit]:
            if expected.seen:
                assert on_face(step, expected.group, acts) @ expected.towards.value > 0.25, (expected, acts)


@pytest.mark.parametrize(("units", "still"), [(UPPER_UNITS, FACE_HALVES["lower"]), (LOWER_UNITS, FACE_HALVES["upper"])])
def test_the_other_half_of_the_face_stays(look, acting, units, still):
    neutral = look(acting({}))
    for unit in units:
        step = look(acting({unit: 1.0})) - neutral
        for group in still:
            for side in OTHER:
                assert np.abs(on_face(step, group, side)).max() < 3.5, (unit, group)


@pytest.mark.parametrize(("unit", "grows"), [(ActionUnit.HEAD_FORWARD, 1), (ActionUnit.HEAD_BACK, -1)])
def test_a_head_that_comes_forward_grows_and_one_that_goes_back_shrinks(look, acting, unit, grows):
    neutral, moved = look(acting({})), look(acting({unit: 1.0}))
    change = np.ptp(moved[:, 0]) / np.ptp(neutral[:, 0]) - 1
    assert 0.02 < grows * change < 0.15


def test_displacement_is_linear_in_intensity(painted, acting):
    whole = painted.renderer.displacement(acting({12: 1.0, 1: 1.0}), 0)
    tenth = painted.renderer.displacement(acting({12: 0.1, 1: 0.1}), 0)
    assert tenth * 10 == pytest.approx(whole, abs=0.01)
