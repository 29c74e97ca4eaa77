"""Shared by all tests: a simulated camera of this test run's own."""

from __future__ import annotations

import os

import pytest

from capture.errors import CameraNotFound

# A camera that one process holds is busy for all others, so each test process gets cameras of its own.
os.environ["DFME_SIMULATOR_SERIALS"] = f"T{os.getpid()}A,T{os.getpid()}B"
# Tests of the recording path need no person in front of the camera, and do not wait for one to be rendered.
os.environ["DFME_SIMULATOR_PICTURE"] = "test"


@pytest.fixture(scope="session")
def simulator():
    """Path of the simulated camera's producer; the test is skipped where the package was never built."""
    from capture.simulator.producer_path import producer_path

    try:
        return producer_path()
    except CameraNotFound as error:
        pytest.skip(str(error))
