"""The camera object on the simulated camera: time, triggers, faults, and a second process that wants it too."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from capture.camera import Camera
from capture.errors import CameraBusy, CameraLost, FeatureError, RateUnreachable
from capture.settings import HardwareSettings, open_hardware

pytestmark = pytest.mark.usefixtures("simulator")

MILLISECOND = 1_000_000
SERIAL = f"T{os.getpid()}A"


@pytest.fixture
def changed():
    """The simulated camera's file with keys replaced; small frames, so that the tests are light."""

    def change(**keys: object) -> HardwareSettings:
        small = {"width_px": 256, "height_px": 64, "buffers": 64, "selection": {"serial_number": SERIAL}}
        return HardwareSettings.model_validate(open_hardware("simulated_500", None).model_dump() | small | keys)

    return change


@pytest.fixture
def opened(changed):
    """Open the camera with keys of the file replaced, and features on top."""
    cameras = []

    def open_camera(overrides: dict[str, object] | None = None, **keys: object) -> Camera:
        cameras.append(Camera.open(changed(**keys), overrides or {}))
        return cameras[-1]

    yield open_camera
    for camera in cameras:
        camera.close()


def frames_of(camera, count, seconds=10.0):
    """(frame id, device ns, host ns) of the next `count` frames."""
    seen = []
    deadline = time.monotonic() + seconds
    while len(seen) < count:
        assert time.monotonic() < deadline, f"{len(seen)} of {count} frames came"
        delivery = camera.fetch()
        if delivery is not None:
            seen.append((delivery.frame_id, delivery.device_ns, delivery.host_ns))
            delivery.requeue()
    return seen


def test_the_whole_file_is_applied(opened):
    camera = opened(width_px=1024, height_px=768)
    description = camera.description
    assert description.simulated
    assert description.serial_number == SERIAL
    assert description.rate_resulting_fps == 500
    assert description.payload_bytes == 786_432
    assert description.has_latch
    assert description.ptp_status is not None
    names = list(camera.features_set)
    order = [
        "PixelFormat",
        "Width",
        "TriggerMode",
        "ExposureTime",
        "AcquisitionFrameRateEnable",
        "AcquisitionFrameRate",
    ]
    assert sorted(order, key=names.index) == order
    assert names.index("OffsetX") < names.index("Width")
    assert camera.features_read["ExposureTime"] == 1500
    assert camera.features_read["ResultingFrameRate"] == 500
    assert "ResultingFrameRate" not in camera.features_set


def test_frames_carry_the_cameras_time(opened):
    camera = opened()
    camera.start()
    frames = frames_of(camera, 50)
    assert camera.description.has_timestamp
    assert [frame_id for frame_id, _, _ in frames] == list(range(frames[0][0], frames[0][0] + 50))
    steps = [later - earlier for (_, earlier, _), (_, later, _) in itertools.pairwise(frames)]
    assert all(abs(step - 2 * MILLISECOND) < MILLISECOND for step in steps)
    assert all(host <= time.monotonic_ns() for _, _, host in frames)


def test_the_latch_brackets_the_clock_that_frames_carry(opened):
    camera = opened()
    camera.start()
    before = camera.latch()
    frame_ns = frames_of(camera, 10)[-1][1]
    after = camera.latch()
    assert before is not None
    assert after is not None
    assert before.host_before_ns < before.host_after_ns <= after.host_before_ns
    assert before.device_ns < frame_ns < after.device_ns
    host_passed = after.host_before_ns - before.host_before_ns
    slack = before.round_trip_ns + after.round_trip_ns
    assert abs(after.device_ns - before.device_ns - host_passed) <= slack + host_passed // 1000


def test_incomplete_frames_are_told_by_id_and_not_delivered(opened):
    camera = opened({"FaultIncompleteEvery": 5})
    camera.start()
    ids = [frame_id for frame_id, _, _ in frames_of(camera, 40)]
    missing = sorted(set(range(ids[0], ids[-1])) - set(ids))
    told = camera.take_incomplete()
    assert len(missing) >= 8
    assert set(missing) <= set(told)
    assert not set(told) & set(ids)
    camera.stop()
    assert not set(camera.take_incomplete()) & set(told)


def test_ids_that_the_camera_skipped_are_seen(opened):
    camera = opened({"FaultFrameIdGapEvery": 10, "FaultFrameIdGapLength": 3})
    camera.start()
    ids = [frame_id for frame_id, _, _ in frames_of(camera, 45)]
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(ids) if later != earlier + 1]
    assert len(gaps) >= 4
    assert set(gaps) == {3}


def test_frames_that_find_no_buffer_are_counted_by_the_producer(opened):
    camera = opened(buffers=8)
    camera.start()
    kept = []
    while len(kept) < 8:
        delivery = camera.fetch()
        if delivery is not None:
            kept.append(delivery)
    assert camera.fetch(0.1) is None
    for delivery in kept:
        delivery.requeue()
    after = frames_of(camera, 1)[0][0]
    lost = after - kept[-1].frame_id - 1
    counters = camera.counters()
    assert lost > 10
    assert counters.underrun == lost
    camera.stop()
    camera.start()
    frames_of(camera, 3)
    assert camera.counters().underrun == 0


def test_counters_know_what_waits_and_what_is_free(opened):
    camera = opened(buffers=16)
    camera.start()
    frames_of(camera, 4)
    camera.end_exposure()
    while (delivery := camera.fetch()) is not None:
        delivery.requeue()
    counters = camera.counters()
    assert counters.queued == 16
    assert counters.awaiting == 0


def test_a_camera_that_is_gone_is_reported_and_can_be_opened_again(opened, changed):
    camera = opened({"FaultDisconnectAfterFrames": 20, "FaultDisconnectDuration": 1})
    camera.start()
    with pytest.raises(CameraLost, match=rf"serial number {SERIAL} .*check its power and its cables"):
        frames_of(camera, 100)
    assert camera.latch() is None
    camera.end_exposure()
    camera.stop()
    camera.close()
    with Camera.open(changed()) as again:
        again.start()
        frames_of(again, 3)


def test_a_software_trigger_makes_one_frame_each(opened):
    camera = opened(trigger={"mode": "software"})
    camera.start()
    assert camera.fetch(0.1) is None
    for _ in range(3):
        camera.set("TriggerSoftware", "command")
        frames_of(camera, 1)
    assert camera.fetch(0.1) is None
    assert camera.counters().delivered == 3


def test_a_trigger_line_is_set_up_last(opened):
    camera = opened(trigger={"mode": "line", "line": "Line0", "activation": "FallingEdge"})
    names = list(camera.features_set)
    assert names[-3:] == ["TriggerSource", "TriggerActivation", "TriggerMode"]
    assert camera.features_read["TriggerMode"] == "On"
    assert camera.features_read["TriggerActivation"] == "FallingEdge"
    assert camera.features_read["AcquisitionFrameRateEnable"] is False


def test_offsets_are_set_after_the_size_and_old_ones_do_not_stand_in_the_way(opened):
    camera = opened(offset_x_px=64, offset_y_px=32)
    assert (camera.get("OffsetX"), camera.get("OffsetY")) == (64, 32)
    camera.close()
    wide = opened(width_px=1024, height_px=768)
    assert (wide.get("OffsetX"), wide.get("Width")) == (0, 1024)


def test_a_user_set_is_loaded_first(opened):
    camera = opened(user_set="Default")
    assert list(camera.features_set)[:2] == ["UserSetSelector", "UserSetLoad"]
    assert camera.features_read["UserSetLoad"] == "command"


def test_ptp_is_switched_on_and_its_status_told(opened):
    camera = opened(ptp=True)
    assert camera.get("PtpEnable") is True
    assert camera.description.ptp_status not in (None, "Disabled")


def test_chunks_come_behind_the_pixels(opened):
    camera = opened(chunks=("Timestamp", "FrameID"))
    assert camera.description.payload_bytes > 256 * 64
    camera.start()
    frames_of(camera, 5)


def test_a_throughput_limit_that_is_too_low_is_named(changed):
    with pytest.raises(RateUnreachable, match=r"not 500: its throughput limit of 4000000 B/s allows at most 244"):
        Camera.open(changed(throughput_limit_bytes_s=4_000_000))


def test_an_exposure_that_is_too_long_is_named(changed):
    with pytest.raises(RateUnreachable, match=r"not 500: its exposure of 5000 µs allows at most 200"):
        Camera.open(changed(features={"ExposureTime": 5000.0}))


@pytest.mark.parametrize("fps", [20_000.0, 0.01])
def test_a_rate_out_of_range_names_what_the_camera_offers(changed, fps):
    with pytest.raises(RateUnreachable, match=r"offers .* fps at 256x64, not"):
        Camera.open(changed(rate_fps=fps, exposure_us=None))


def test_settings_that_exclude_each_other_are_told(changed):
    with pytest.raises(FeatureError, match=r"Width read 256 when it was set and reads 1024 now .*exclude each other"):
        Camera.open(
            changed(
                features={"UserSetLoad": "command", "AcquisitionFrameRateEnable": True, "AcquisitionFrameRate": 500.0}
            )
        )


def test_a_camera_held_by_another_process_is_busy(opened):
    camera = opened()
    other = (
        "from capture.camera import Camera\n"
        "from capture.errors import CameraBusy\n"
        "from capture.settings import HardwareSettings, open_hardware\n"
        "import sys\n"
        "settings = open_hardware('simulated_500', None).model_dump() | {'selection': {'serial_number': sys.argv[1]}}\n"
        "try:\n"
        "    Camera.open(HardwareSettings.model_validate(settings))\n"
        "except CameraBusy as error:\n"
        "    print(error)\n"
    )
    run = [sys.executable, "-W", "error", "-c", other, SERIAL]
    folder = Path(__file__).parents[2]
    said = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith(f"dfme Simulated camera serial number {SERIAL} is in use: close the program that holds it")
    assert f"T{os.getpid()}B" in said
    camera.start()
    frames_of(camera, 3)


def test_the_same_camera_is_not_opened_twice_in_one_process(opened, changed):
    opened()
    with pytest.raises(CameraBusy):
        Camera.open(changed())


def test_memory_stays_flat_over_200_starts(opened):
    camera = opened(width_px=1024, height_px=768, buffers=8, rate_fps=2000.0, exposure_us=200.0)
    sizes = []
    for _ in range(200):
        camera.start()
        frames_of(camera, 1)
        camera.stop()
        sizes.append(psutil.Process().memory_info().rss)
    assert max(sizes[-20:]) - max(sizes[20:40]) < 4 * 2**20
