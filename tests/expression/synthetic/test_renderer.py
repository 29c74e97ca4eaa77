"""The renderer: the same bytes always, the truth about every pixel, and eyes and mouths that open and close."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from expression.action_units import ActionUnit, Side
from expression.synthetic.renderer import Renderer
from expression.synthetic.state import FaceTrack


def shown(painted, track, frame=0):
    picture = np.empty((768, 1024), np.uint8)
    painted.renderer.render(track, frame, picture)
    return picture


def opening(painted, side):
    return painted.appearance.eyes[0 if side is Side.LEFT else 1].opening > 0.9


def test_a_face_at_rest_is_the_neutral_picture_through_the_lens(painted):
    expected = cv2.GaussianBlur(painted.appearance.picture(), (0, 0), 0.55)
    difference = np.abs(shown(painted, FaceTrack.neutral(1)) - expected)
    assert difference.mean() < 1
    # The openings of the eyes are drawn anew, with margins of their own.
    assert np.percentile(difference, 99.5) < 8


def test_the_same_frame_has_the_same_bytes_in_any_order_and_from_any_renderer(painted, acting):
    track = FaceTrack.neutral(3)
    track.left[:, 8] = track.right[:, 8] = [0, 0.5, 0.2]
    track.blink[1] = 0.7
    track.head_px[:, 0] = [0, 2.4, -1.3]
    one, other = Renderer(painted.appearance), Renderer(painted.appearance)
    forward, backward = np.empty((3, 768, 1024), np.uint8), np.empty((3, 768, 1024), np.uint8)
    for frame in (0, 1, 2):
        one.render(track, frame, forward[frame])
    for frame in (2, 0, 1, 0):
        other.render(track, frame, backward[frame])
    assert (forward == backward).all()


@pytest.mark.parametrize("unit", [1, 2, 4, 12, 15, 17, 20])
def test_the_picture_is_warped_by_the_displacement_that_is_given_as_truth(painted, acting, unit):
    """Motion of one pixel, where shading hardly changes: the warped neutral picture explains what changed."""
    whole = np.abs(painted.renderer.displacement(acting({unit: 1.0}), 0)).max()
    track = acting({unit: 1.5 / whole})
    neutral = painted.renderer.scene(FaceTrack.neutral(1), 0).copy()
    moved = painted.renderer.scene(track, 0)
    field = painted.renderer.displacement(track, 0)
    y, x = np.mgrid[:768, :1024].astype(np.float32)
    back = cv2.remap(moved, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR)
    layers = painted.appearance
    skin = (layers.skin.alpha > 0.99) & (layers.hair_front.alpha < 0.01) & (layers.glasses.alpha < 0.01)
    strong = (np.abs(field).max(2) > 0.7) & (cv2.erode(skin.astype(np.uint8), np.ones((7, 7))) > 0)
    assert strong.sum() > 100
    assert np.abs(back - neutral)[strong].mean() < 0.6 * np.abs(moved - neutral)[strong].mean()


@pytest.mark.parametrize("shift", [(0.1, 0.0), (0.0, -0.1), (0.25, 0.25)])
def test_motion_of_a_tenth_of_a_pixel_can_be_measured(painted, shift):
    track = FaceTrack.neutral(1)
    track.head_px[0] = shift
    neutral, moved = painted.renderer.scene(FaceTrack.neutral(1), 0).copy(), painted.renderer.scene(track, 0)
    face = (slice(250, 600), slice(400, 620))
    # Least squares flow (Lucas and Kanade 1981) over the face as a whole.
    smooth = cv2.GaussianBlur(neutral, (0, 0), 1.5).astype(np.float64)
    gradients = np.stack([np.gradient(smooth, axis=axis)[face].ravel() for axis in (1, 0)], axis=1)
    change = -cv2.GaussianBlur(moved - neutral, (0, 0), 1.5).astype(np.float64)[face].ravel()
    found = np.linalg.lstsq(gradients, change, rcond=None)[0]
    assert found == pytest.approx(shift, abs=0.015)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_blink_covers_the_eye_with_skin_and_leaves_the_other_open(painted, side):
    track = FaceTrack.neutral(1)
    track.blink[0, 0 if side is Side.LEFT else 1] = 1
    neutral, shut = shown(painted, FaceTrack.neutral(1)).astype(int), shown(painted, track).astype(int)
    other = Side.RIGHT if side is Side.LEFT else Side.LEFT
    eye = opening(painted, side)
    assert np.abs(shut - neutral)[eye].mean() > 10
    # No dark pupil any more: what is left in the opening is even skin.
    assert shut[eye].std() < 0.8 * neutral[eye].std()
    assert np.abs(shut - neutral)[opening(painted, other)].max() == 0


def test_lids_take_the_true_displacement_with_them(painted):
    track = FaceTrack.neutral(1)
    track.blink[0] = 1
    field = painted.renderer.displacement(track, 0)
    mask = opening(painted, Side.LEFT)
    tall = mask.sum(0).max()
    assert 0.8 * tall < field[..., 1].max() < 1.3 * tall


def test_gaze_moves_the_iris_to_where_the_participant_looks(painted):
    track = FaceTrack.neutral(1)
    track.gaze_deg[0] = (12, 0)
    neutral, left = shown(painted, FaceTrack.neutral(1)), shown(painted, track)
    for side in (Side.LEFT, Side.RIGHT):
        mask = opening(painted, side)
        x = np.arange(1024)[None, :].repeat(768, 0)[mask]

        def dark(picture, mask=mask, x=x):
            weight = np.clip(140.0 - picture[mask], 0, None)
            return (x * weight).sum() / weight.sum()

        assert dark(left) > dark(neutral) + 2


def test_parting_lips_show_the_dark_of_the_mouth_where_the_lips_met(painted, acting):
    neutral, parted = shown(painted, FaceTrack.neutral(1)), shown(painted, acting({ActionUnit.LIPS_PART: 1.0}))
    corners = painted.renderer.displacement(acting({ActionUnit.LIPS_PART: 1.0}), 0)
    rows, columns = np.nonzero(corners[..., 1] > 0.8 * corners[..., 1].max())
    # The lower lip's upper border: above it, in the middle, lies the gap.
    top, middle = rows.min(), int(np.median(columns))
    gap = (slice(top, top + int(corners[..., 1].max())), slice(middle - 5, middle + 6))
    assert parted[gap].mean() < neutral[gap].mean() - 8


def test_upper_and_lower_lip_part_company(painted, acting):
    field = painted.renderer.displacement(acting({ActionUnit.LIPS_PART: 1.0}), 0)[..., 1]
    assert field.max() > 5
    assert field.min() < -1.5
    jump = np.abs(np.diff(field, axis=0)).max()
    assert jump > 5


def test_the_background_stays_when_the_head_moves_and_the_shoulders_follow_a_little(painted):
    track = FaceTrack.neutral(1)
    track.head_px[0] = (9, 0)
    field = painted.renderer.displacement(track, 0)
    assert field[384, 512, 0] == pytest.approx(9, abs=0.2)
    assert field[766, 512, 0] < field[384, 512, 0] - 0.1
    change = np.abs(shown(painted, track).astype(int) - shown(painted, FaceTrack.neutral(1)))
    assert change[:60, :60].max() == 0
    assert change[:60, -60:].max() == 0


@pytest.mark.parametrize(
    ("angles", "expected"),
    [((3, 0, 0), (1, 0)), ((0, 3, 0), (0, -1))],
    ids=["yaw to the left", "pitch up"],
)
def test_the_nose_leads_when_the_head_turns(painted, angles, expected):
    track = FaceTrack.neutral(1)
    track.head_deg[0] = angles
    field = painted.renderer.displacement(track, 0)
    nose = painted.appearance.head.camera.project(
        painted.appearance.head.skin.vertices[[int(painted.appearance.head.skin.vertices[:, 2].argmax())]]
    )[0]
    step = field[round(float(nose[1])), round(float(nose[0]))]
    assert step @ expected > 5
    assert abs(step @ expected[::-1]) < 2


def test_roll_takes_the_top_of_the_head_to_the_left_shoulder(painted):
    track = FaceTrack.neutral(1)
    track.head_deg[0, 2] = 3
    field = painted.renderer.displacement(track, 0)
    assert field[200, 512, 0] > field[550, 512, 0] + 5


def test_a_head_nearer_by_a_twentieth_is_a_twentieth_larger(painted):
    track = dataclasses.replace(FaceTrack.neutral(1), head_scale=np.float32([1.05]))
    field = painted.renderer.displacement(track, 0)
    assert field[384, 640, 0] - field[384, 384, 0] == pytest.approx(0.05 * 256, abs=1)


def test_light_makes_all_of_the_picture_brighter(painted):
    track = dataclasses.replace(FaceTrack.neutral(1), light=np.float32([1.1]))
    neutral, bright = shown(painted, FaceTrack.neutral(1)), shown(painted, track)
    assert bright.mean() / neutral.mean() == pytest.approx(1.1 ** (1 / 2.2), abs=0.005)


def test_swallowing_lifts_the_throat_and_breathing_the_shoulders(painted):
    track = FaceTrack.neutral(1)
    track.swallow[0] = 1
    lifted = painted.renderer.displacement(track, 0)[..., 1]
    assert lifted.min() < -8
    assert abs(lifted[300:400]).max() < 0.5
    track = FaceTrack.neutral(1)
    track.breath[0] = 1
    field = painted.renderer.displacement(track, 0)
    assert field[766, 512, 1] < -0.1
    assert abs(field[:500]).max() < 0.5
    clothes = painted.appearance.clothes.alpha > 0.99
    change = np.abs(shown(painted, track).astype(int) - shown(painted, FaceTrack.neutral(1)))
    assert change[clothes].max() > 10


def test_positions_follow_the_displacement(painted, acting):
    track = acting({12: 0.6})
    points = np.float32([[512, 384], [560.5, 520.25]])
    moved = painted.renderer.positions(track, 0, points)
    field = painted.renderer.displacement(track, 0)
    assert moved[0] - points[0] == pytest.approx(field[384, 512], abs=1e-3)
    assert moved.shape == (2, 2)
