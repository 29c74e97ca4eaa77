"""Whether every frame of a stimulus is on the screen, and whether the log tells when, beside a recording at 500 fps.

A whole session runs: `dfme-capture --elicit` with the simulated camera, one clip on a virtual screen whose frame buffer
is a file. A poller reads the frame number off that screen. Prints one JSON line, and exits with 1 where a frame was
shown twice or out of order, left out unlogged, more than half a per cent were left out, or the logged times scatter by
more than 2 ms around the truth.

    python benchmarks/stimulus_timing.py --folder /data/tmp --seconds 30
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from capture.participants import Registry
from capture.session import Session
from capture.session.stimulus_frames import read_stimulus_frames
from elicitation.placeholder import make_placeholder
from tests.elicitation.conftest import Spy, VirtualScreen

RATE_FPS = 30
MOST_DROPPED = 0.005
MOST_SD_MS = 2.0
PROTOCOL = """
name = "timing"
stimuli = "stimuli.tsv"
stimulus_folder = "."
[draw]
count = 1
[[each]]
kind = "stimulus"
"""


def main() -> int:
    """Run one session and compare its log with the screen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(), help="where the recording goes: 0.4 GB a second at 500")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the clip")
    parser.add_argument("--fps", type=float, default=500.0, help="rate of the camera")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(dir=options.folder, prefix="stimulus-timing-"))
    screen = VirtualScreen(Path(tempfile.mkdtemp(prefix="screen-")))
    spy = Spy(screen.pixels)
    try:
        clip = make_placeholder(room / "clip.mp4", title="clip", duration_s=options.seconds)
        (room / "stimuli.tsv").write_text(f"stim_id\ttarget_emotion\tduration_s\nclip\tfear\t{options.seconds:g}\n")
        (room / "timing.toml").write_text(PROTOCOL)
        registry = Registry(room / "study")
        registry.add("P00")
        registry.consent("P00", form="none", form_text="", items={"recording": True}, publish_images=False)
        spy.start()
        command = [sys.executable, "-P", "-m", "capture.cli", "--no-tui", "--no-live", "--fps", str(options.fps)]
        command += [
            "--elicit",
            str(room / "timing.toml"),
            "--participant",
            "P00",
            "--out",
            str(room / "study"),
            "--json",
        ]
        environment = {**screen.environment, "DFME_SIMULATOR_PICTURE": "test"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        spy.stop()
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
            return 1
        result = json.loads(done.stdout.splitlines()[-1])
        figures = compared(Session.open(Path(result["session"])), spy.seen, round(options.seconds * RATE_FPS))
        figures |= {"clip": clip.name, "camera_fps": options.fps, "camera_lost": result["lost"]}
    finally:
        screen.close()
        shutil.rmtree(room, ignore_errors=True)
    print(json.dumps(figures))
    return 0 if figures["ok"] else 1


def compared(session: Session, seen: list[tuple[int, int]], frames: int) -> dict[str, object]:
    """The log beside what the poller saw: numbers of frames with the time of their first sight."""
    rows = read_stimulus_frames(session.path / "stimulus_frames.parquet")
    numbers = [number for number, _ in seen]
    first_sight = dict(reversed(seen))
    in_order = numbers == sorted(set(numbers))
    shown = {row.stim_frame: row.host_ns for row in rows if not row.dropped}
    dropped = [row.stim_frame for row in rows if row.dropped]
    # What the log calls left out must not have been seen, and what it calls shown must not be missing from it.
    unlogged = [number for number in numbers if number not in shown]
    both = sorted(set(shown) & set(first_sight))
    offsets_ms = np.array([(shown[number] - first_sight[number]) / 1e6 for number in both])
    sd_ms = float(offsets_ms.std())
    recording = session.recording(rows[0].trial)
    times = recording.times_ns()
    spanned = bool(times[0] < min(shown.values()) and max(shown.values()) < times[-1])
    complete = [row.stim_frame for row in rows] == list(range(frames))
    ok = in_order and complete and not unlogged and spanned
    return {
        "ok": bool(ok and len(dropped) / frames <= MOST_DROPPED and sd_ms <= MOST_SD_MS),
        "frames": frames,
        "logged": len(rows),
        "seen_on_screen": len(both),
        "once_and_in_order": in_order,
        "dropped": len(dropped),
        "late": sum(row.late for row in rows),
        "seen_but_not_logged": len(unlogged),
        "logged_minus_seen_ms": {
            "median": round(float(np.median(offsets_ms)), 3),
            "sd": round(sd_ms, 3),
            "robust_sd": round(float(np.median(np.abs(offsets_ms - np.median(offsets_ms)))) * 1.4826, 3),
            "lowest": round(float(offsets_ms.min()), 3),
            "highest": round(float(offsets_ms.max()), 3),
        },
        "recording_spans_the_stimulus": spanned,
        "camera_frames": len(recording),
    }


if __name__ == "__main__":
    sys.exit(main())
