"""PTP by either of its names: what the camera says of its network clock, read now and then."""

from __future__ import annotations

import os

import pytest

from capture.camera import Camera
from capture.camera.ptp import PtpWatch
from capture.settings import HardwareSettings, open_hardware

pytestmark = pytest.mark.usefixtures("simulator")
SERIAL = os.environ["DFME_SIMULATOR_SERIALS"].split(",")[1]
SECOND_NS = 1_000_000_000


def settings(**keys: object) -> HardwareSettings:
    small = {"width_px": 256, "height_px": 64, "buffers": 64, "selection": {"serial_number": SERIAL}}
    return HardwareSettings.model_validate(open_hardware("simulated_500", None).model_dump() | small | keys)


@pytest.mark.parametrize("old_names", [False, True], ids=["Ptp", "GevIEEE1588"])
def test_a_camera_that_follows_a_master_says_so_by_either_name(old_names):
    with Camera.open(settings(ptp=True), {"SimulationPtpOldNames": old_names}) as camera:
        assert ("GevIEEE1588" if old_names else "PtpEnable") in camera.features_set
        assert camera.description.ptp_status == "Slave"
        assert camera.ptp.enabled
        reading = camera.ptp.read(7)
        assert (reading.host_ns, reading.status, reading.servo) == (7, "Slave", "Locked")
        assert abs(reading.offset_ns) < 1_000_000
        assert reading.synchronised


def test_readings_are_five_seconds_apart_and_go_into_the_recording():
    watch = PtpWatch()
    with Camera.open(settings(ptp=True)) as camera:
        for second in range(12):
            assert watch.look(camera, second * SECOND_NS) is None
    ptp = watch.as_attributes()["ptp"]
    assert ptp["enabled"] is True
    assert [reading[0] for reading in ptp["readings"]] == [0, 5 * SECOND_NS, 10 * SECOND_NS]


def test_a_change_is_told_with_what_was_before():
    watch = PtpWatch()
    with Camera.open(settings(ptp=True)) as camera:
        watch.look(camera, 0)
        camera.set("PtpEnable", False)
        before, now = watch.look(camera, 6 * SECOND_NS)
        assert (before.status, now.status) == ("Slave", "Disabled")
        assert not now.synchronised


def test_a_camera_with_ptp_off_is_read_once():
    watch = PtpWatch()
    with Camera.open(settings()) as camera:
        for second in range(12):
            watch.look(camera, second * SECOND_NS)
    assert len(watch.as_attributes()["ptp"]["readings"]) == 1


def test_a_camera_that_is_closed_says_nothing():
    camera = Camera.open(settings(ptp=True))
    camera.close()
    assert camera.ptp.read(0) is None
    assert PtpWatch().as_attributes() == {}
