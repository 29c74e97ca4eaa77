"""The simulated camera as a GenTL consumer sees it, through genicam and harvesters."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from genicam.genapi import (
    AccessException,
    IBoolean,
    ICommand,
    IEnumeration,
    IFloat,
    IInteger,
    IString,
    OutOfRangeException,
)
from genicam.gentl import GenericException as GenTLError
from genicam.gentl import IoException, ResourceInUseException
from harvesters.core import Harvester

from capture.simulator.bank_file import FrameBankWriter
from capture.simulator.producer_path import producer_path
from capture.simulator.stamp import read_stamp

PATIENCE_S = 20.0
SIDE_X, SIDE_Y = 256, 64

FEATURES = {
    IString: "DeviceVendorName DeviceModelName DeviceVersion DeviceSerialNumber DeviceID DeviceUserID "
    "SimulationBankPath SimulationTruthLog",
    IInteger: "Width Height OffsetX OffsetY WidthMax HeightMax SensorWidth SensorHeight PayloadSize "
    "AcquisitionFrameCount DeviceLinkThroughputLimit TimestampLatchValue PtpOffsetFromMaster TLParamsLocked "
    "ChunkTimestamp ChunkFrameID SimulationFramesExposed SimulationIdsSkipped SimulationFramesIncomplete "
    "FaultFrameIdGapEvery FaultFrameIdGapLength FaultIncompleteEvery FaultStallAfterFrames FaultStallDuration "
    "FaultClockStepAfterFrames FaultDisconnectAfterFrames FaultDisconnectDuration FaultDisconnectTimes "
    "FaultSlowAfterFrames FaultSlowFrames FaultPtpLossAfterFrames FaultPtpLossFrames "
    "FaultFrameIdStart FaultFrameIdBits",
    IFloat: "DeviceTemperature AcquisitionFrameRate ResultingFrameRate ExposureTime Gain ChunkExposureTime FaultJitter "
    "FaultClockDrift FaultClockStep FaultSlowExposure",
    IBoolean: "AcquisitionFrameRateEnable PtpEnable ChunkModeActive ChunkEnable SimulationStamp SimulationBankGoesOn "
    "FaultDisconnectKeepsClock SimulationPtpOldNames",
    IEnumeration: "PixelFormat AcquisitionMode ExposureAuto GainAuto TriggerSelector TriggerMode TriggerSource "
    "TriggerActivation DeviceLinkThroughputLimitMode PtpStatus PtpServoStatus ChunkSelector UserSetSelector "
    "SimulationSource",
    ICommand: "AcquisitionStart AcquisitionStop TriggerSoftware TimestampLatch TimestampReset PtpDataSetLatch "
    "UserSetLoad",
}

Open = Callable[..., Any]


@pytest.fixture
def harvester() -> Iterator[Harvester]:
    with Harvester() as consumer:
        consumer.add_file(str(producer_path()))
        consumer.update()
        yield consumer


@pytest.fixture
def camera(harvester: Harvester) -> Iterator[Open]:
    """Opens the `number`-th camera at 256x64 and 500 frames a second; all of them are closed afterwards."""
    opened = []

    def open_camera(number: int = 0) -> Any:
        acquirer = harvester.create({"serial_number": serial(number)})
        opened.append(acquirer)
        acquirer.num_buffers = 16
        nodes = acquirer.remote_device.node_map
        nodes.Width.value, nodes.Height.value = SIDE_X, SIDE_Y
        nodes.ExposureTime.value = 100.0
        nodes.AcquisitionFrameRate.value = 500.0
        return acquirer

    yield open_camera
    for acquirer in opened:
        if acquirer.is_acquiring():
            with contextlib.suppress(IoException):  # it was disconnected
                acquirer.stop()
        acquirer.destroy()


def serial(number: int) -> str:
    return os.environ["DFME_SIMULATOR_SERIALS"].split(",")[number]


def fetch(acquirer: Any, count: int) -> list[tuple[int, int, np.ndarray]]:
    """`count` frames as (frame id, device ns, pixels)."""
    frames = []
    for _ in range(count):
        buffer = acquirer.fetch(is_raw=True, timeout=PATIENCE_S)
        pixels = np.frombuffer(buffer.raw_buffer, np.uint8)[: SIDE_X * SIDE_Y].reshape(SIDE_Y, SIDE_X).copy()
        frames.append((buffer.frame_id, buffer.timestamp_ns, pixels))
        buffer.parent.queue_buffer(buffer)
    return frames


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def test_cameras_are_found_by_the_serial_numbers_of_the_environment(harvester: Harvester) -> None:
    found = [(device.vendor, device.model, device.serial_number) for device in harvester.device_info_list]
    assert found == [("dfme", "Simulated camera", serial(0)), ("dfme", "Simulated camera", serial(1))]


def test_the_node_map_has_every_feature_with_its_standard_type(camera: Open) -> None:
    nodes = camera().remote_device.node_map
    expected = {name: kind for kind, names in FEATURES.items() for name in names.split()}
    assert {name: type(nodes.get_node(name)) for name in expected} == expected


def test_every_feature_can_be_read_and_explains_itself(camera: Open) -> None:
    nodes = camera().remote_device.node_map
    nodes.ChunkModeActive.value = False
    for kind, names in FEATURES.items():
        for name in names.split():
            node = nodes.get_node(name)
            assert node.node.description, name
            if kind is not ICommand and not name.startswith(("ChunkTime", "ChunkFrame", "ChunkExposure")):
                assert node.value is not None, name


def test_the_local_modules_have_node_maps_too(harvester: Harvester, camera: Open) -> None:
    acquirer = camera()
    assert acquirer.system.node_map.TLVendorName.value == "dfme"
    assert acquirer.interface.node_map.InterfaceType.value == "Custom"
    assert acquirer.device.node_map.DeviceSerialNumber.value == serial(0)
    assert acquirer.data_streams[0].node_map.StreamType.value == "Custom"


def test_limits_follow_from_each_other(camera: Open) -> None:
    nodes = camera().remote_device.node_map
    nodes.ExposureTime.value = 1950.0
    assert nodes.AcquisitionFrameRate.max == pytest.approx(1e6 / 1950)
    with pytest.raises(OutOfRangeException):
        nodes.AcquisitionFrameRate.value = 600.0
    nodes.AcquisitionFrameRateEnable.value = False
    assert nodes.ResultingFrameRate.value == pytest.approx(1e6 / 1950)
    with pytest.raises(AccessException):
        nodes.AcquisitionFrameRate.value = 100.0
    nodes.OffsetX.value = 4000 - SIDE_X
    assert nodes.Width.max == 96 + SIDE_X
    nodes.UserSetLoad.execute()
    assert (nodes.Width.value, nodes.Height.value, nodes.OffsetX.value) == (1024, 768, 0)


def test_a_stream_has_right_ids_times_and_stamps(camera: Open) -> None:
    acquirer = camera()
    acquirer.start()
    frames = fetch(acquirer, 60)
    for (first_id, first_ns, _), (second_id, second_ns, _) in itertools.pairwise(frames):
        assert second_ns - first_ns == (second_id - first_id) * 2_000_000
    for frame_id, device_ns, pixels in frames:
        stamp = read_stamp(pixels)
        assert stamp is not None
        assert (stamp.frame_id, stamp.device_ns, stamp.intact) == (frame_id, device_ns, True)
    with pytest.raises(AccessException):
        acquirer.remote_device.node_map.Width.value = 128
    acquirer.stop()
    acquirer.remote_device.node_map.Width.value = 128


def test_starting_and_stopping_can_be_repeated(camera: Open) -> None:
    acquirer = camera()
    for _ in range(5):
        acquirer.start()
        assert fetch(acquirer, 3)[0][0] == 0
        acquirer.stop()


def test_chunks_reach_the_node_map(camera: Open) -> None:
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.ChunkModeActive.value = True
    acquirer.start()
    buffer = acquirer.fetch(timeout=PATIENCE_S)
    assert nodes.ChunkFrameID.value == buffer.frame_id
    assert nodes.ChunkTimestamp.value == buffer.timestamp_ns
    assert nodes.ChunkExposureTime.value == pytest.approx(100.0)
    buffer.queue()


def test_a_software_trigger_gives_one_frame(camera: Open) -> None:
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.TriggerMode.value = "On"
    acquirer.start()
    for number in range(3):
        nodes.TriggerSoftware.execute()
        assert fetch(acquirer, 1)[0][0] == number
    assert nodes.SimulationFramesExposed.value == 3


def test_two_cameras_stream_at_once(camera: Open) -> None:
    acquirers = [camera(0), camera(1)]
    for acquirer in acquirers:
        acquirer.start()
    for acquirer in acquirers:
        ids = [frame_id for frame_id, _, _ in fetch(acquirer, 10)]
        assert ids == sorted(set(ids))


def test_a_camera_that_is_open_cannot_be_opened_again(harvester: Harvester, camera: Open) -> None:
    camera()
    with pytest.raises(ResourceInUseException):
        harvester.create({"serial_number": serial(0)})


def test_a_disconnected_camera_answers_with_input_output_errors_and_comes_back(
    harvester: Harvester, camera: Open
) -> None:
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.FaultDisconnectAfterFrames.value = 5
    nodes.FaultDisconnectDuration.value = 100
    acquirer.start()
    fetch(acquirer, 5)

    def lost() -> bool:
        try:
            return nodes.SimulationFramesExposed.value < 0
        except IoException:
            return True

    assert eventually(lost)
    with pytest.raises(IoException, match="is disconnected: close it and open it again"):
        nodes.ExposureTime.value = 200.0
    with pytest.raises(IoException):
        acquirer.stop()
    acquirer.destroy()

    def back() -> bool:
        harvester.update()
        return serial(0) in [device.serial_number for device in harvester.device_info_list]

    assert eventually(back)
    again = camera()
    again.start()
    assert fetch(again, 1)[0][0] == 0


def test_a_bank_written_in_python_is_played_and_stamped(camera: Open, tmp_path: Path) -> None:
    path = tmp_path / "faces.bank"
    with FrameBankWriter.create(path, SIDE_X, SIDE_Y, 250.0, 3) as bank:
        for number in range(3):
            bank.append(np.full((SIDE_Y, SIDE_X), 50 + number, np.uint8))
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.SimulationSource.value = "Bank"
    nodes.SimulationBankPath.value = str(path)
    nodes.SimulationStamp.value = True
    acquirer.start()
    for frame_id, _, pixels in fetch(acquirer, 12):
        stamp = read_stamp(pixels)
        assert stamp is not None
        assert (stamp.frame_id, stamp.picture, stamp.intact) == (frame_id, frame_id // 2 % 3, True)
        assert int(pixels[-1, -1]) == 50 + stamp.picture


def test_a_bank_goes_on_with_the_next_acquisition_where_that_is_asked_for(camera: Open, tmp_path: Path) -> None:
    path = tmp_path / "faces.bank"
    with FrameBankWriter.create(path, SIDE_X, SIDE_Y, 5000.0, 4000) as bank:
        for number in range(4000):
            bank.append(np.full((SIDE_Y, SIDE_X), number % 256, np.uint8))
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.SimulationSource.value = "Bank"
    nodes.SimulationBankPath.value = str(path)
    nodes.SimulationStamp.value = True

    def first_and_last_picture() -> tuple[int, int]:
        acquirer.start()
        stamps = [read_stamp(pixels) for _, _, pixels in fetch(acquirer, 12)]
        acquirer.stop()
        return stamps[0].picture, stamps[-1].picture

    first, last = first_and_last_picture()
    assert first == 0
    assert first_and_last_picture()[0] == 0
    nodes.SimulationBankGoesOn.value = True
    first, _ = first_and_last_picture()
    assert first >= last


def test_a_bank_of_another_size_refuses_the_start_and_says_why(camera: Open, tmp_path: Path) -> None:
    path = tmp_path / "small.bank"
    with FrameBankWriter.create(path, 32, 32, 250.0, 1) as bank:
        bank.append(np.zeros((32, 32), np.uint8))
    acquirer = camera()
    nodes = acquirer.remote_device.node_map
    nodes.SimulationSource.value = "Bank"
    nodes.SimulationBankPath.value = str(path)
    with pytest.raises(GenTLError, match=r"small\.bank is 32x32, the camera is set to 256x64"):
        nodes.AcquisitionStart.execute()
