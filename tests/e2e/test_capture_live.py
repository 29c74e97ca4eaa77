"""`dfme-capture` reads expressions out while it records, and never lets that touch the recording."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import zmq

from capture.simulator.bank_file import FrameBankWriter
from expression.bundle import Bundle
from realtime.lab_default import DEFAULT_MODEL
from realtime.recognition import model_at

RATE = 200
SECONDS = 3
STILLS = 12
"""Different noise on a face at rest."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Path:
    """Three seconds of a face that raises its brows by two pixels at 1.5 s, for 0.35 s."""
    from expression.face.cascades import CascadeFinder
    from expression.synthetic.appearance import render_neutral
    from expression.synthetic.head import build_head
    from expression.synthetic.identity import sample_identity

    picture = render_neutral(build_head(sample_identity(5))).picture()
    with CascadeFinder() as finder:
        face = finder.find(np.clip(picture, 0, 255).astype(np.uint8))[0]
    height = 2.9 * face.eye_distance_px
    grid = np.stack(np.meshgrid(*(np.arange(side, dtype=np.float32) for side in picture.shape[::-1])), -1)
    falls = sum(
        np.exp(-((grid - face.eyes.mean(0) - np.array([x, -0.1]) * height) ** 2).sum(-1) / (2 * (0.055 * height) ** 2))
        for x in (-0.155, 0.155)
    )
    random = np.random.default_rng(1)
    noise = random.normal(0, 1.5, (STILLS, *picture.shape)).astype(np.float32)

    def frame(number: int) -> np.ndarray:
        t = number / RATE - 1.5
        share = np.sin(np.pi / 2 * np.clip(min(t / 0.15, (0.35 - t) / 0.2), 0, 1)) ** 2
        moved = picture
        if share > 0:
            maps = grid + (2.4 * share * falls)[..., None].astype(np.float32) * np.array([0, 1], np.float32)
            moved = cv2.remap(picture, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.clip(np.rint(moved + noise[number % STILLS]), 0, 255).astype(np.uint8)

    path = tmp_path_factory.mktemp("bank") / "brows.bank"
    with FrameBankWriter.create(path, 1024, 768, float(RATE), RATE * SECONDS) as writer:
        for number in range(RATE * SECONDS):
            writer.append(frame(number))
    return path


def lines_of(path: Path) -> list[dict]:
    return [json.loads(row) for row in path.read_text().splitlines()] if path.is_file() else []


@pytest.fixture
def long_ring(tmp_path) -> Path:
    """The simulated camera with a ring that holds a whole trial: however slow the machine, no frame is left out."""
    file = tmp_path / "long_ring.toml"
    file.write_text(f'name = "Long ring"\nproducer = "simulator"\nrate_fps = {RATE}\nring_seconds = 5.0\n')
    return file


def test_what_is_read_out_live_is_what_a_replay_of_the_recording_finds(journey, bank, long_ring, tmp_path):
    """And other programs hear the same, and of the state."""
    heard: dict[bytes, list[dict]] = {b"expression": [], b"state": []}
    endpoint = f"ipc://{tmp_path}/live"
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        socket.connect(endpoint)
        process = journey.start(
            *("--json", "--duration", 4, "--hw", long_ring, "--frame-bank", bank, "--out", tmp_path / "out"),
            *("--live", "--live-publish", endpoint),
        )
        while process.poll() is None or socket.poll(0):
            if socket.poll(100):
                topic, payload = socket.recv_multipart()
                heard[topic].append(msgspec.msgpack.decode(payload))
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    result = json.loads(stdout.splitlines()[-1])
    live = result["live"]
    assert (live["frames_analysed"], live["frames_skipped"]) == (result["frames"], 0) == (4 * RATE, 0)
    spots = lines_of(Path(result["session"]) / "live.jsonl")
    assert live["spotted"] == len(spots) > 0
    assert all(spot["latency_ms"] > 0 and spot["trial"] == "trial-001" for spot in spots)
    assert heard[b"expression"] == spots
    assert any(state["running"] for state in heard[b"state"])

    replayed = tmp_path / "replayed.jsonl"
    command = [sys.executable, "-P", "-m", "realtime.cli", "--replay", result["recording"], "--out", replayed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    keys = ("onset", "apex", "offset", "kind", "regions")
    again = lines_of(replayed)
    assert [[spot[key] for key in keys] for spot in again] == [[spot[key] for key in keys] for spot in spots]


def test_a_service_that_is_killed_comes_back_says_what_it_missed_and_no_frame_is_lost(journey, bank, tmp_path):
    out = tmp_path / "out"
    process = journey.start("--json", "--fps", RATE, "--duration", 7, "--frame-bank", bank, "--out", out, "--live")
    journey.wait_for(lambda: list(out.glob("*/recordings/*.zarr/frames/c/1")))
    service = journey.child(process.pid, "realtime")
    service.send_signal(signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    result = json.loads(stdout.splitlines()[-1])
    assert result["frames"] == 7 * RATE
    assert result["lost"] == {"camera": 0, "incomplete": 0, "ring": 0, "disk": 0}
    assert "started anew" in stderr
    live = result["live"]
    assert live["restarts"] == 1
    assert live["frames_analysed"] > 0
    assert live["frames_analysed"] + live["frames_skipped"] == result["frames"]


def test_a_model_is_changed_while_it_runs_without_a_frame_left_out(journey, bank, long_ring, tmp_path, monkeypatch):
    """And the next expression is named by the new one, and the default is the new one from then on."""
    monkeypatch.setenv("DFME_CONFIG", str(tmp_path / "settings"))
    shutil.copytree(DEFAULT_MODEL, tmp_path / "ours")
    record = Bundle.open(tmp_path / "ours").record
    Bundle.seal(tmp_path / "ours", msgspec.structs.replace(record, name="ours"))
    endpoint, out = f"ipc://{tmp_path}/live", tmp_path / "out"
    process = journey.start(
        *("--json", "--hw", long_ring, "--frame-bank", bank, "--out", out, "--live", "--live-publish", endpoint)
    )

    def models_of_lines() -> list[str]:
        return [row["model"] for path in out.glob("*/live.jsonl") for row in lines_of(path)]

    journey.wait_for(lambda: "simulated-i3d" in models_of_lines())
    command = [sys.executable, "-P", "-m", "realtime.cli", "use", tmp_path / "ours", "--readout", endpoint, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["running"] == {"before": "simulated-i3d", "now": "ours", "changed": True}
    changed_at = len(models_of_lines())
    journey.wait_for(lambda: len(models_of_lines()) > changed_at)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    result = json.loads(stdout.splitlines()[-1])
    assert sum(result["lost"].values()) == 0, stderr
    assert (result["live"]["frames_analysed"], result["live"]["frames_skipped"]) == (result["frames"], 0)
    models = models_of_lines()
    assert models[-1] == result["live"]["model"] == "ours"
    # What ended before the first model was there has no name.
    assert set(models[: models.index("ours")]) <= {"", "simulated-i3d"}
    assert set(models[models.index("ours") :]) == {"ours"}
    assert model_at(None) == tmp_path / "ours"
