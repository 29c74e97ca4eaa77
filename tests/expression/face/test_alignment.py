"""One transform per clip: made from the onset frame, applied to all frames, exact to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expression.errors import (
    BadInput,
    FaceCutOff,
    FaceNotFound,
    FaceTooSmall,
    FaceTurned,
    FaceUnusable,
    PictureUnusable,
)
from expression.face import Alignment, Box, Face, HeadPose, Scheme, align, landmarks_as, reference_px

HEIGHT, WIDTH = 480, 640
BLANK = np.full((HEIGHT, WIDTH), 90, np.uint8)


def face_at(
    x: float = 320,
    y: float = 240,
    side: float = 300,
    degrees: float = 0,
    scheme: Scheme = Scheme.MEDIAPIPE,
    pose: HeadPose | None = None,
) -> Face:
    """The reference face, its crop being `side` pixels wide and centred at (x, y), turned clockwise."""
    angle = np.radians(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    marks = ((reference_px(1000) + 0.5) / 1000 - 0.5) * side @ turn.T + (x, y)
    marks = landmarks_as(marks.astype(np.float32), Scheme.MEDIAPIPE, scheme)
    return Face(Box.around(marks), marks, scheme, pose=pose)


def smooth_texture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A scene that is known between its pixels as well."""
    return 128 + 40 * np.sin(x / 9) * np.cos(y / 11) + 30 * np.sin((x + 2 * y) / 23)


def picture(shift: float = 0.0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(float)
    return np.rint(smooth_texture(x - shift, y)).astype(np.uint8)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("size_px", [112, 160, 224, 256])
def test_landmarks_land_where_the_reference_face_has_them(scheme, size_px):
    face = face_at(350, 230, 280, 17, scheme)
    alignment = align(face, BLANK, size_px=size_px)
    np.testing.assert_allclose(alignment.to_crop(face.landmarks), reference_px(size_px, scheme), atol=0.02)
    assert alignment.residual_px == pytest.approx(0, abs=0.02)
    assert alignment.scale == pytest.approx(size_px / 280, rel=1e-4)
    assert alignment.scheme is scheme
    assert alignment.apply(BLANK).shape == (size_px, size_px)


@given(st.floats(-30, 30), st.floats(240, 330), st.floats(300, 340), st.floats(220, 260), st.sampled_from(list(Scheme)))
def test_points_come_back_from_the_crop(degrees, side, x, y, scheme):
    alignment = align(face_at(x, y, side, degrees, scheme), BLANK)
    points = np.array([(0, 0), (639, 479), (321.25, 7.5)], np.float32)
    np.testing.assert_allclose(alignment.to_source(alignment.to_crop(points)), points, atol=0.01)


def test_the_crop_shows_at_each_pixel_what_the_frame_has_there():
    alignment = align(face_at(330, 236, 260, -11), BLANK)
    y, x = np.mgrid[: alignment.size_px, : alignment.size_px]
    source = alignment.to_source(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)).astype(float)
    wanted = smooth_texture(source[:, 0], source[:, 1]).reshape(x.shape)
    difference = np.abs(alignment.apply(picture()) - wanted)
    assert difference.mean() < 0.5
    assert difference.max() < 3


@pytest.mark.parametrize("side", [350, 600, 1000, 1800])
def test_a_crop_that_shrinks_is_not_shifted(side):
    """Averaging blocks before shrinking must not move the picture by parts of a block."""
    frame = picture(height=2000, width=2100)
    alignment = align(face_at(1041, 1003, side, 6), np.zeros_like(frame), size_px=112)
    y, x = np.mgrid[:112, :112]
    source = alignment.to_source(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)).astype(float)
    reach = np.arange(-0.5, 0.51, 0.25) / alignment.scale
    wanted = np.mean([smooth_texture(source[:, 0] + dx, source[:, 1] + dy) for dx in reach for dy in reach], axis=0)
    got = alignment.apply(frame).astype(float).ravel()
    inside = ((source > 40) & (source < 1950)).all(1)

    def misfit(shift: float) -> float:
        moved = np.mean(
            [smooth_texture(source[:, 0] + dx + shift, source[:, 1] + dy) for dx in reach for dy in reach], axis=0
        )
        return float(((got - moved)[inside] ** 2).mean())

    assert np.corrcoef(got[inside], wanted[inside])[0, 1] > 0.95
    step = 0.25 / alignment.scale
    assert misfit(0) < misfit(step)
    assert misfit(0) < misfit(-step)


def test_noise_goes_down_where_the_crop_has_less_resolution_than_the_frame():
    noise = np.random.default_rng(0).normal(128, 10, (1024, 1024)).astype(np.uint8)
    alignment = align(face_at(512, 512, 112 * 4.2), noise, size_px=112)
    assert alignment.apply(noise).std() < 4


def test_movement_of_a_tenth_of_a_pixel_survives():
    alignment = align(face_at(320, 240, 224 / 0.9), BLANK)
    before, after = (alignment.apply(picture(shift)).astype(float) for shift in (0.0, 0.1))
    gradient = np.gradient(before, axis=1)
    shift = -((after - before) * gradient).sum() / (gradient**2).sum()
    assert shift == pytest.approx(0.1 * alignment.scale, rel=0.15)


def test_all_frames_of_a_clip_get_the_same_transform():
    alignment = align(face_at(), BLANK, size_px=112)
    clip = np.stack([picture(shift) for shift in (0, 1, 2)])
    crops = alignment.apply_clip(clip)
    assert crops.shape == (3, 112, 112)
    assert crops.dtype == np.uint8
    for frame, crop in zip(clip, crops, strict=True):
        np.testing.assert_array_equal(crop, alignment.apply(frame))
    assert alignment.apply_clip([]).shape == (0, 112, 112)


def test_a_crop_can_be_written_into_a_ring_of_crops():
    alignment = align(face_at(), BLANK, size_px=112)
    ring = np.zeros((4, 112, 112), np.uint8)
    returned = alignment.apply(picture(), ring[2])
    np.testing.assert_array_equal(ring[2], alignment.apply(picture()))
    assert np.shares_memory(returned, ring)
    assert not ring[[0, 1, 3]].any()


@pytest.mark.parametrize(
    "out", [np.zeros((100, 112), np.uint8), np.zeros((112, 112)), np.zeros((112, 224), np.uint8)[:, ::2]]
)
def test_an_output_that_does_not_fit_is_refused(out):
    with pytest.raises(PictureUnusable, match="needs a contiguous uint8"):
        align(face_at(), BLANK, size_px=112).apply(picture(), out)


def test_frames_may_be_read_only_and_stay_as_they_are():
    frame = picture()
    frame.flags.writeable = False
    assert align(face_at(), frame).apply(frame).any()


def test_another_size_shows_the_same_window():
    alignment = align(face_at(330, 250, 290, 8), BLANK)
    small = alignment.at_size(112)
    np.testing.assert_allclose(small.matrix, align(face_at(330, 250, 290, 8), BLANK, size_px=112).matrix, atol=1e-2)
    np.testing.assert_allclose(small.outline, alignment.outline, atol=0.01)


def test_what_lies_beyond_the_frame_repeats_its_edge():
    frame = BLANK.copy()
    assert (align(face_at(320, 180, 380), frame).apply(frame) == 90).all()


def test_a_frame_of_another_size_is_refused():
    alignment = align(face_at(), BLANK)
    with pytest.raises(PictureUnusable, match="640x480"):
        alignment.apply(np.zeros((768, 1024), np.uint8))


@pytest.mark.parametrize(
    "bad", [np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640)), np.zeros((0, 640), np.uint8), [[1, 2], [3, 4]]]
)
def test_what_is_no_grey_picture_is_refused_by_name(bad):
    with pytest.raises(PictureUnusable, match="a grey picture is needed"):
        align(face_at(), bad)
    assert issubclass(PictureUnusable, BadInput)


def test_no_face_is_said():
    class Nobody:
        reason = "finds nobody"
        scheme = Scheme.EYES

        def find(self, image):
            return ()

    with pytest.raises(FaceNotFound, match="no face in the frame"):
        align(Nobody(), BLANK)


def test_a_small_face_is_refused_with_its_size():
    with pytest.raises(FaceTooSmall, match="19 px between the eyes, 30 are needed"):
        align(face_at(side=60), BLANK)
    assert align(face_at(side=60), BLANK, smallest_eye_distance_px=15).scale > 3


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    ("x", "y", "edge"), [(60, 240, "left"), (320, 60, "upper"), (590, 240, "right"), (320, 420, "lower")]
)
def test_a_face_beyond_an_edge_is_refused_and_the_edge_named(scheme, x, y, edge):
    with pytest.raises(FaceCutOff, match=f"the {edge} edge"):
        align(face_at(x, y, scheme=scheme), BLANK)


@pytest.mark.parametrize(
    ("pose", "said"),
    [(HeadPose(-41, 0, 0), "sideways by 41 degrees"), (HeadPose(3, 35, 0), "up or down by 35 degrees")],
)
def test_a_turned_head_is_refused_with_the_angle(pose, said):
    with pytest.raises(FaceTurned, match=said):
        align(face_at(pose=pose), BLANK)


def test_a_tilted_head_is_no_problem():
    assert align(face_at(degrees=25, pose=HeadPose(2, 3, 25)), BLANK).residual_px < 0.1


@pytest.mark.parametrize("scheme", [Scheme.MEDIAPIPE, Scheme.DLIB])
def test_landmarks_of_no_frontal_face_are_refused_without_a_pose_too(scheme):
    face = face_at(scheme=scheme)
    squeezed = (face.landmarks - (320, 240)) * (0.35, 1) + (320, 240)
    with pytest.raises(FaceTurned, match="off those of a frontal face"):
        align(Face(face.box, squeezed, scheme), BLANK)
    assert issubclass(FaceTurned, FaceUnusable)


def test_a_landmark_far_off_is_told_and_changes_nothing():
    face = face_at()
    marks = face.landmarks.copy()
    marks[168] += (80, 80)
    alignment = align(Face(face.box, marks, face.scheme), BLANK)
    assert alignment.rejected == (168,)
    np.testing.assert_allclose(alignment.matrix, align(face, BLANK).matrix, atol=0.5)


def test_moving_mouth_and_brows_do_not_change_the_alignment():
    face = face_at()
    marks = face.landmarks.copy()
    marks[[61, 291, 13, 14, 17, 152, 107, 336, 105, 334]] += (5, -14)
    np.testing.assert_array_equal(align(Face(face.box, marks, face.scheme), BLANK).matrix, align(face, BLANK).matrix)


def test_affine_stretches_a_face_to_the_reference_and_similarity_keeps_its_shape():
    face = face_at()
    wide = Face(face.box, (face.landmarks - (320, 240)) * (1.1, 1) + (320, 240), face.scheme)
    stretched = align(wide, BLANK, kind="affine")
    kept = align(wide, BLANK)
    np.testing.assert_allclose(stretched.to_crop(wide.landmarks), reference_px(224), atol=0.1)
    values = np.linalg.svd(kept.matrix[:, :2], compute_uv=False)
    assert values[0] == pytest.approx(values[1])
    assert kept.residual_px > 1


def test_affine_needs_more_than_the_eyes():
    with pytest.raises(ValueError, match="three landmarks"):
        align(face_at(scheme=Scheme.EYES), BLANK, kind="affine")


def test_guessed_landmarks_are_passed_on():
    face = face_at(scheme=Scheme.EYES)
    assert align(Face(face.box, face.landmarks, face.scheme, guessed=True), BLANK).guessed
    assert not align(face, BLANK).guessed


def test_an_alignment_cannot_be_changed_under_a_clip():
    alignment = Alignment(np.eye(2, 3), 112, (480, 640), Scheme.EYES)
    with pytest.raises(ValueError, match="read-only"):
        alignment.matrix[0, 0] = 2
