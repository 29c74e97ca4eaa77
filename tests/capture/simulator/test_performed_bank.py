"""A performance as a frame bank: every frame in its place, also where rendering was stopped in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from capture.simulator.bank_file import FrameBank
from capture.simulator.performed_bank import write_bank
from expression.synthetic.performance import Performance
from expression.synthetic.state import FaceTrack


class Stopped(Exception):
    pass


def test_a_stopped_bank_goes_on_and_holds_every_frame_at_its_rate(tmp_path: Path) -> None:
    track = Performance.loop((1, 2), seconds=0.1, micro=0).track(200.0)
    path = tmp_path / "sub0001_01.bank"
    drawn: list[int] = []
    told: list[int] = []

    def draw(_track: FaceTrack, number: int, out: npt.NDArray[np.uint8]) -> None:
        drawn.append(number)
        out[:] = 10 + number

    def stop_at_eight(done: int) -> None:
        if done == 8:
            raise Stopped

    with pytest.raises(Stopped):
        write_bank(path, track, draw, {"rate_fps": 200.0}, stop_at_eight)
    write_bank(path, track, draw, {"rate_fps": 200.0}, told.append)

    assert drawn == list(range(20))
    assert told == list(range(8, 21))
    with FrameBank.open(path) as bank:
        assert (bank.frames_ready, bank.geometry.rate_fps) == (20, 200.0)
        assert [int(bank.frame(number)[-1, -1]) for number in range(20)] == [10 + number for number in range(20)]
