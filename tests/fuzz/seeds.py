"""Small, real things to start from: a recording, its packed copies, a session around it, a frame bank, messages."""

from __future__ import annotations

import mmap
import shutil
from pathlib import Path

import google_crc32c
import numpy as np

from capture import messages as m
from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.transcode import transcode
from capture.recording.writer import RecordingWriter
from capture.session import Session
from capture.simulator.frame_bank import FrameBankWriter
from capture.simulator.stamp import write_stamp
from capture.statistics import CaptureStatistics, LossLedger, RecorderState, RecorderStatistics

GEOMETRY = ShardGeometry(16, 16, frames_per_shard=4)
FRAMES = 6
FIRST_ID = 100
FIRST_NS = 5_000_000_000
PERIOD_NS = 2_000_000


def make_recording(path: Path) -> Path:
    """A closed recording of a few small, stamped frames over two shards, with every attribute that ours have."""
    slots = np.frombuffer(mmap.mmap(-1, FRAMES * GEOMETRY.stride), np.uint8).reshape(FRAMES, GEOMETRY.stride)
    slots[:, : GEOMETRY.frame_bytes] = np.arange(FRAMES * GEOMETRY.frame_bytes).reshape(FRAMES, -1) % 251
    times = [FIRST_NS + i * PERIOD_NS for i in range(FRAMES)]
    pixels = [slot[: GEOMETRY.frame_bytes] for slot in slots]
    for i, frame in enumerate(pixels):
        write_stamp(frame, frame_id=FIRST_ID + i, device_ns=times[i], picture=0)
    ledger = {
        "end": {
            "frames": FRAMES,
            "losses": {"camera": 2, "incomplete": 0, "ring": 0, "disk": 0},
            "lost_ids": {"camera": [[50, 51]]},
            "producer": {"delivered": FRAMES + 1, "underrun": 2, "surplus": 1},
            "reason": "frames",
        },
        "recorder": {"frames": FRAMES, "lost_disk": 0, "lost_ids": []},
    }
    line = {"source": "latch", "slope": 1.00001, "device_ns": FIRST_NS, "host_ns": FIRST_NS, "residual_ns": 80.0}
    line |= {"max_ns": 200.0, "uncertainty_ns": 300.0, "points": 12}
    opening = {
        "format": FORMAT_VERSION,
        "software": "dfme",
        "state": "recording",
        "session": "2031-05-04T10-15-00_P07",
        "trial": "trial-001",
        "series": "series-1",
        "rate_fps": 500.0,
        "height_px": GEOMETRY.height_px,
        "width_px": GEOMETRY.width_px,
        "camera": {"vendor": "dfme", "model": "Simulated camera", "serial_number": "S1"},
        "features": {"set": {"Gain": 1.0}, "read": {"Gain": 1.0}},
    }
    writer = RecordingWriter(path, GEOMETRY, flush_frames=4, attributes=opening)
    writer.append(
        slots.reshape(-1).data,
        {
            "frame_id": [FIRST_ID + i for i in range(FRAMES)],
            "device_ns": times,
            "host_ns": [time + 150_000 for time in times],
            "crc32c": [google_crc32c.value(frame.tobytes()) for frame in pixels],
        },
    )
    clock = {**line, "segments": [{**line, "from_host_ns": 0}, {**line, "from_host_ns": times[3]}]}
    repair = {"frames_dropped": 0, "lost_ids": []}
    closing = {"state": "complete", "frames": FRAMES, "ledger": ledger, "clock": clock, "repair": repair}
    writer.close({**opening, **closing})
    return path


def make_session(out: Path) -> Path:
    """A session with one recorded trial, its packed copies, and some events."""
    session = Session.create(out, "P07", hardware={"name": "simulated"})
    path = make_recording(session.begin_trial("trial-001"))
    session.log_event(FIRST_NS, "info", "camera", "trial-001 started", trial="trial-001", trial_type="trial")
    losses = {"camera": 2, "incomplete": 0, "ring": 0, "disk": 0}
    session.end_trial(
        "trial-001",
        seconds=FRAMES * PERIOD_NS / 1e9,
        frames=FRAMES,
        fps=500.0,
        lost=LossLedger(camera=2),
        reason="frames",
        monitor={"frames": FRAMES, "losses": losses},
    )
    session.log_event(FIRST_NS + PERIOD_NS, "warning", "supervisor", "a marker", trial_type="marker", duration_s=0.5)
    transcode(path, path.with_suffix(".ffv1"), "ffv1")
    transcode(path, path.with_name("packed.zarr"), "zstd")
    return session.path


def make_bank(path: Path) -> Path:
    """A frame bank of two frames, one of them rendered."""
    with FrameBankWriter.create(path, 16, 16, 500.0, 2) as writer:
        writer.append(np.arange(256, dtype=np.uint8).reshape(16, 16))
    return path


def messages() -> list[m.Message]:
    """One trial as its processes tell of it, and one of each of the other messages."""
    end = m.End("s", 2, LossLedger(camera=2), {"camera": [(43, 44)]}, {"delivered": 2}, {"source": "none"}, "frames", 9)
    recorder = RecorderStatistics(state=RecorderState.RECORDING, frames=7, disk_total_bytes=9)
    return [
        m.Hello("recorder", 4711),
        m.Start("s", "session", "trial-001", "/d/t.zarr", 64, 64, 500.0, 7, {"camera": {"model": "m"}}, 0),
        m.Image("s", 0, 42, 1, 2, 77, 0),
        m.Image("s", 1, 45, 3, 4, 78, 1),
        end,
        m.Release([0, 1], 1),
        m.Finished("s", "/d/t.zarr", 2, 8192, 0, 1.5),
        m.Event(5, "warning", "camera", "a line", "note", 0.5),
        m.Failed("camera", "gone", 2),
        m.TrialStarted("s", "trial-001", 5),
        m.TrialEnded("trial-001", end, 0.004, 500.0),
        m.StartTrial("trial-001", "/d/t.zarr", "session", 100, 2.0),
        m.StopTrial(),
        m.Quit(),
        m.Command("marker", "a marker", 5),
        m.RecorderReport(recorder),
        m.CaptureReport(CaptureStatistics(host_ns=5, trial="trial-001", recorder=recorder, frame_bytes=786_432)),
    ]


def restore(template: Path, place: Path) -> Path:
    """A fresh copy of `template` at `place`."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(template, place, symlinks=True)
    return place
