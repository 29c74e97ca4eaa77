"""A disk that fails in the middle of a trial: every frame is on it or in the ledger, and all four places agree."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from capture.recording.reader import Recording
from capture.recording.verify import verify
from capture.session import Session

pytestmark = pytest.mark.beside_others

SOURCE = Path(__file__).with_name("faulty_disk.cpp")
FRAMES = 1700
"""A few more than three shards; no trial here gets as far."""


@pytest.fixture(scope="module")
def faulty_disk(tmp_path_factory) -> Path:
    """The preloaded library."""
    library = tmp_path_factory.mktemp("faulty") / "faulty_disk.so"
    command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1", str(SOURCE), "-o"]
    subprocess.run([*command, str(library), "-ldl"], check=True)
    return library


def record(journey, library: Path, out: Path, call: str, place: str, number: int, after: int, times: int = 0):
    """`dfme-capture` on a disk where `call` fails; its result and the one line that it ends with."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "FAULTY_CALL": call,
        "FAULTY_PATH": place,
        "FAULTY_ERRNO": str(number),
        "FAULTY_AFTER": str(after),
        "FAULTY_TIMES": str(times),
        "DFME_SIMULATOR_PICTURE": "test",
    }
    arguments = ["--fps", "500", "--frames", str(FRAMES), "--no-tui", "--no-live", "--json", "--out", str(out)]
    return subprocess.run(
        [*journey.command, *arguments], env=environment, capture_output=True, text=True, timeout=100, check=False
    )


FAULTS = {
    "pixels cannot be written any more": ("write", "/frames/c/", errno.EIO, 60, 0),
    "one write of pixels fails": ("write", "/frames/c/1/", errno.EIO, 20, 1),
    "nothing can be written any more": ("write", ".zarr/", errno.EIO, 150, 0),
    "arrival times cannot be written": ("write", "/host_ns/c/", errno.EIO, 12, 0),
    "no space in the middle of a shard": ("write", "/frames/c/1/", errno.ENOSPC, 20, 0),
    "no room for the next shard": ("fallocate", "/frames/c/2/", errno.ENOSPC, 0, 0),
    "the next shard cannot be allocated": ("fallocate", "/frames/c/1/", errno.EIO, 0, 0),
    "the next shard cannot be made": ("open", "/frames/c/1/", errno.EIO, 0, 0),
    "the next chunk cannot be made": ("open", "/crc32c/c/2", errno.EMFILE, 0, 0),
}


@pytest.mark.parametrize(("call", "place", "number", "after", "times"), FAULTS.values(), ids=FAULTS)
def test_every_frame_is_on_disk_or_in_the_ledger(journey, faulty_disk, tmp_path, call, place, number, after, times):
    done = record(journey, faulty_disk, tmp_path, call, place, number, after, times)

    assert done.returncode == 1, done.stderr
    path = journey.recording(tmp_path)
    last_line = done.stderr.splitlines()[-1]
    assert last_line.startswith("error: ")
    assert str(path) in last_line
    assert ("no space left" if number == errno.ENOSPC else os.strerror(number)) in last_line
    assert json.loads(done.stdout.splitlines()[-1])["exit_status"] == 1

    recording = Recording.open(path)
    end, recorder = recording.attributes.ledger.end, recording.attributes.ledger.recorder
    assert recording.attributes.state == "complete"
    # Whichever the camera process hears of first, on a machine that is busy as well.
    assert end.reason in ("disk", "ring")
    assert recorder.lost_disk > 0
    assert end.frames == len(recording) + recorder.lost_disk
    everything = np.concatenate((recording.frame_id, np.asarray(recorder.lost_ids, np.uint64)))
    first, count = int(recording.frame_id[0]), min(end.frames, len(recording) + 1000)
    np.testing.assert_array_equal(np.sort(everything), np.arange(first, first + count))
    journey.assert_every_stamp_matches(path)

    session = Session.open(path)
    report = verify(path, monitor=session.monitor_of(path))
    assert report.ok, report.problems
    assert [place.agrees for place in report.places] == [True] * 4
    (trial,) = session.trials
    assert trial.lost.disk == recorder.lost_disk
    assert "disk" in (session.path / "events.tsv").read_text()


def test_a_disk_that_cannot_promise_to_keep_what_it_took_is_said(journey, faulty_disk, tmp_path):
    done = record(journey, faulty_disk, tmp_path, "sync", "/frames/c/", errno.EIO, 0)

    assert done.returncode == 1
    path = journey.recording(tmp_path)
    assert str(path) in done.stderr.splitlines()[-1]
    assert os.strerror(errno.EIO) in done.stderr.splitlines()[-1]
    recording = Recording.open(path)
    assert (len(recording), recording.attributes.state) == (FRAMES, "complete")
    assert verify(path).ok
