"""Regions and head: what the head does is taken off, and each region tells its own movement."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from expression.errors import PictureUnusable
from expression.face.reference import FaceRegion, reference_px
from expression.motion import REGION_ORDER, FaceMotion, FlowEstimator, HeadMotion, RegionMeter

MOUTH_CORNER = {FaceRegion.RIGHT_MOUTH_CORNER: 61, FaceRegion.LEFT_MOUTH_CORNER: 291}


def exact_flow(known: SimpleNamespace, field: object) -> np.ndarray:
    return field(known.grid_px()).astype(np.float32)


def lengths_px(displacement_px: np.ndarray) -> dict[FaceRegion, float]:
    return dict(zip(REGION_ORDER, np.linalg.norm(displacement_px, axis=-1).tolist(), strict=True))


def test_every_region_has_its_place_on_the_right_half(known: SimpleNamespace) -> None:
    masks = RegionMeter().masks
    assert masks.shape == (len(REGION_ORDER), 128, 128)
    columns = {region: np.nonzero(mask)[1].mean() for region, mask in zip(REGION_ORDER, masks, strict=True)}
    for region, column in columns.items():
        if region.value.startswith("right"):
            # The participant's right is on the left of the picture, and the reference face is symmetrical.
            assert column < 63.5
            assert columns[FaceRegion(region.value.replace("right", "left"))] == pytest.approx(127 - column, abs=1.5)


@pytest.mark.parametrize(
    ("shift_px", "rotation_deg", "scale"), [((0.3, -0.2), 0.0, 1.0), ((0, 0), 0.5, 1.0), ((-2, 1), -1.0, 1.02)]
)
def test_a_moving_head_alone_moves_no_region(
    known: SimpleNamespace, shift_px: tuple[float, float], rotation_deg: float, scale: float
) -> None:
    meter, flow = RegionMeter(), exact_flow(known, known.similarity(shift_px, rotation_deg, scale))
    motion = meter.measure(flow)
    assert np.abs(motion.displacement_px).max() < 1e-4
    assert motion.head.shift_px == pytest.approx(shift_px, abs=1e-4)
    assert motion.head.rotation_deg == pytest.approx(rotation_deg, abs=1e-4)
    assert motion.head.scale == pytest.approx(scale, abs=1e-5)
    assert np.abs(meter.stabilised(flow)).max() < 1e-3


def test_the_field_of_a_head_motion_is_its_similarity(known: SimpleNamespace) -> None:
    head = HeadMotion((1.5, -0.5), 2.0, 0.98)
    full = head.field(128)
    assert full == pytest.approx(exact_flow(known, known.similarity((1.5, -0.5), 2.0, 0.98)), abs=1e-4)
    assert head.field(128, 8) == pytest.approx(full.reshape(16, 8, 16, 8, 2).mean(axis=(1, 3)), abs=1e-4)


@pytest.mark.parametrize("region", MOUTH_CORNER)
def test_a_mouth_corner_tells_its_own_movement_while_the_head_turns(known: SimpleNamespace, region: FaceRegion) -> None:
    field = known.together(known.similarity((1, 0.5), 0.4, 1.0), known.bump(MOUTH_CORNER[region], 0.3, -0.4))
    motion = RegionMeter().measure(exact_flow(known, field))
    by_region = lengths_px(motion.displacement_px)
    assert max(by_region, key=lambda key: by_region[key]) is region
    assert motion.displacement_px[REGION_ORDER.index(region)] == pytest.approx([0.3, -0.4], abs=0.06)
    assert by_region[FaceRegion.LEFT_INNER_BROW] < 0.01


def test_a_brow_and_a_hairline_that_move_on_one_side_are_outvoted(known: SimpleNamespace) -> None:
    field = known.together(*(known.bump(landmark, 0, -2, reach_px=6) for landmark in (67, 103, 54, 21, 105)))
    head = RegionMeter().head_motion(exact_flow(known, field))
    # Plain least squares would see a shift of 0.3 px and a roll of 0.6 degrees.
    assert np.hypot(*head.shift_px) < 0.05
    assert abs(head.rotation_deg) < 0.1


def test_the_strongest_vectors_count() -> None:
    flow = np.zeros((128, 128, 2), np.float32)
    mask = RegionMeter().masks[REGION_ORDER.index(FaceRegion.CHIN)]
    rows = np.nonzero(mask)[0]
    flow[(mask.T & (np.arange(128) > np.median(rows))).T] = [0, 1]
    chin = REGION_ORDER.index(FaceRegion.CHIN)
    assert RegionMeter().measure(flow).displacement_px[chin] == pytest.approx([0, 1], abs=0.02)
    assert RegionMeter(strongest_share=1.0).measure(flow).displacement_px[chin, 1] == pytest.approx(0.5, abs=0.1)


def test_regions_follow_the_participants_own_landmarks(known: SimpleNamespace) -> None:
    lower = reference_px(128) + np.array([0, 6], np.float32)
    masks, moved = RegionMeter().masks, RegionMeter(landmarks_px=lower).masks
    assert (np.roll(masks, 6, axis=1) == moved).mean() > 0.999


def test_landmarks_beyond_the_crop_leave_every_region_a_pixel() -> None:
    meter = RegionMeter(landmarks_px=reference_px(128) + np.array([90, 0], np.float32))
    assert meter.masks.any(axis=(1, 2)).all()
    assert np.isfinite(meter.measure(np.zeros((128, 128, 2), np.float32)).displacement_px).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(PictureUnusable, match="478"):
        RegionMeter(landmarks_px=np.zeros((68, 2), np.float32))
    with pytest.raises(PictureUnusable, match="laid out for 128"):
        RegionMeter().measure(np.zeros((160, 160, 2), np.float32))


def test_from_pictures_a_faint_smile_on_one_side_is_told_from_a_nodding_head(known: SimpleNamespace) -> None:
    face = FaceMotion(known.picture(noise_seed=0))
    still = np.array([face.measure(known.picture(noise_seed=seed)).displacement_px for seed in range(1, 6)])
    assert np.linalg.norm(still, axis=-1).mean() < 0.06
    for step in range(1, 7):
        head = known.similarity((0.2 * step, 0.3 * step), 0.05 * step, 1.0)
        smile = known.bump(61, -0.03 * step, -0.04 * step)
        motion = face.measure(known.picture(known.together(head, smile), noise_seed=10 + step, gain=1.01))
    assert motion.head.shift_px == pytest.approx((1.2, 1.8), abs=0.08)
    assert motion.head.rotation_deg == pytest.approx(0.3, abs=0.1)
    corner = motion.displacement_px[REGION_ORDER.index(FaceRegion.RIGHT_MOUTH_CORNER)]
    assert corner == pytest.approx([-0.18, -0.24], abs=0.09)
    by_region = lengths_px(motion.displacement_px)
    assert by_region[FaceRegion.LEFT_MOUTH_CORNER] < 0.12
    assert by_region[FaceRegion.RIGHT_MOUTH_CORNER] > 1.8 * by_region[FaceRegion.LEFT_MOUTH_CORNER]


def test_a_head_that_jumps_between_frames_is_found_again(known: SimpleNamespace) -> None:
    face = FaceMotion(known.picture())
    face.measure(known.picture())
    motion = face.measure(known.picture(known.shift(5, -4)))
    assert motion.head.shift_px == pytest.approx((5, -4), abs=0.1)


def test_many_frames_at_once_are_the_frames_in_turn(known: SimpleNamespace) -> None:
    frames = np.stack([known.picture(known.shift(0.1 * step, 0)) for step in range(4)])
    together = FaceMotion(frames[0]).measure_all(frames)
    face = FaceMotion(frames[0])
    assert np.array_equal(together, [face.measure(frame).displacement_px for frame in frames])
    assert FaceMotion(frames[0]).measure_all(frames[:0]).shape == (0, 20, 2)


def test_precision_decides_where_the_head_is_read(known: SimpleNamespace) -> None:
    reference = known.picture()
    noise_px = FlowEstimator(reference).noise_px()
    flow = exact_flow(known, known.similarity((0.5, 0), 0.2, 1.0))
    head = RegionMeter(noise_px=noise_px).head_motion(flow)
    assert (head.shift_px[0], head.rotation_deg) == pytest.approx((0.5, 0.2), abs=1e-3)


def test_the_lattice_tells_the_same_as_the_dense_flow(known: SimpleNamespace) -> None:
    estimator = FlowEstimator(known.picture())
    frame = known.picture(known.together(known.shift(0.4, -0.2), known.bump(61, 0.2, 0.3)))
    dense = RegionMeter().measure(estimator.flow(frame))
    coarse = RegionMeter(step_px=2).measure(estimator.lattice_flow(frame))
    assert coarse.displacement_px == pytest.approx(dense.displacement_px, abs=0.04)
    assert coarse.head.shift_px == pytest.approx(dense.head.shift_px, abs=0.01)
