"""Twenty coders and two thousand clips over HTTP, on SQLite and PostgreSQL: how long an answer takes, what is lost.

    python benchmarks/annotation_load.py --seconds 300

Each coder fetches an item, some of its frames (1024x768) and sends the answer, then waits `--pace` seconds. The server
is a process of its own, the coders are threads of this one. Every acknowledged answer is looked for in the database
afterwards. Prints one JSON line; `load` is the machine's at the end of a run.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import google_crc32c
import httpx
import numpy as np
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parent.parent))

from annotation.api_models import Fragment, Role
from annotation.outcomes import parse_answer
from annotation.rounds import add_clip
from annotation.server.context import Context
from annotation.store import Database
from annotation.store.schema import AnswerRow, RecordingRow
from annotation.study import Study
from annotation.users import add_user
from capture.recording.layout import FORMAT_VERSION, ShardGeometry
from capture.recording.writer import RecordingWriter
from capture.session import Session
from tests.annotation.cluster import NoPostgres, new_postgres, postgres_server

FRAMES = 240
RATE_FPS = 500.0
PASSWORD = "a password for the load"


def write_recording(root: Path) -> None:
    """A session with one recording of noise; what is in the pictures does not matter here."""
    session = Session.create(root, "P01")
    place = session.begin_trial("trial-001")
    geometry = ShardGeometry(768, 1024)
    attributes = {
        "format": FORMAT_VERSION,
        "software": "load",
        "session": session.path.name,
        "trial": "trial-001",
        "series": "load",
        "camera": {},
        "features": {"set": {}, "read": {}},
        "rate_fps": RATE_FPS,
        "height_px": 768,
        "width_px": 1024,
    }
    writer = RecordingWriter(place, geometry, flush_frames=60, attributes={**attributes, "state": "recording"})
    slots = np.frombuffer(mmap.mmap(-1, FRAMES * geometry.stride), np.uint8).reshape(FRAMES, geometry.stride)
    generator = np.random.default_rng(1)
    for slot in slots:
        slot[: geometry.frame_bytes] = generator.normal(120, 12, geometry.frame_bytes).clip(0, 255).astype(np.uint8)
    times = np.arange(FRAMES, dtype=np.uint64) * np.uint64(1e9 / RATE_FPS) + np.uint64(5_000_000_000)
    sums = [google_crc32c.value(slot[: geometry.frame_bytes].tobytes()) for slot in slots]
    ids = np.arange(FRAMES, dtype=np.uint64)
    writer.append(slots.reshape(-1).data, {"frame_id": ids, "device_ns": times, "host_ns": times, "crc32c": sums})
    writer.close({**attributes, "state": "complete", "frames": FRAMES})


def prepare(root: Path, url: str, coders: int, clips: int) -> None:
    """Users, clips and an open key-frame round over all of them."""
    context = Context.open(root, Study(name="load"), url)
    with context.database.write() as session:
        add_user(session, "lead", [Role.LEAD], PASSWORD)
        for number in range(coders):
            add_user(session, f"coder{number:02d}", [Role.KEYFRAME], PASSWORD)
        recording = session.scalars(select(RecordingRow.id)).one()
        for number in range(clips):
            first = number % (FRAMES - 120)
            add_clip(session, recording, Fragment(first_frame=first, last_frame=first + 119), origin="load", by="load")
    context.close()


class Coder(threading.Thread):
    """One coder at work."""

    def __init__(self, url: str, name: str, until: float, pace_s: float, frames: int) -> None:
        super().__init__(name=name)
        self.answers: dict[tuple[int, int], int] = {}
        """By item and version, the onset that was sent and acknowledged."""
        self.answer_ms: list[float] = []
        self.item_ms: list[float] = []
        self.frame_ms: list[float] = []
        self.errors: list[str] = []
        self._url, self._until, self._pace_s, self._frames = url, until, pace_s, frames
        self._random = random.Random(name)

    def run(self) -> None:
        """Work until the time is up, going through the list again when it is at its end."""
        try:
            with httpx.Client(base_url=self._url, timeout=60) as client:
                client.post("/api/login", json={"name": self.name, "password": PASSWORD}).raise_for_status()
                items = [one["item"] for one in client.get("/api/work").raise_for_status().json()["items"]]
                while time.monotonic() < self._until:
                    for item in items:
                        if time.monotonic() > self._until:
                            break
                        self._code(client, item)
                        time.sleep(self._random.uniform(0.5, 1.5) * self._pace_s)
        except Exception as error:
            self.errors.append(f"{self.name}: {error!r}")

    def _code(self, client: httpx.Client, item: int) -> None:
        shown = self._timed(self.item_ms, client, "GET", f"/api/items/{item}").json()
        first = shown["first_frame"]
        for _ in range(self._frames):
            frame = self._random.randint(first, shown["last_frame"])
            self._timed(self.frame_ms, client, "GET", f"/api/items/{item}/frames/{frame}.jpg")
        onset = first + self._random.randint(0, 40)
        answer = {"kind": "keyframes", "expression": True, "onset": onset, "apex": onset + 20, "offset": onset + 60}
        sent = {"answer": answer, "frame_shown": onset}
        stored = self._timed(self.answer_ms, client, "POST", f"/api/items/{item}/answer", sent).json()
        self.answers[item, stored["version"]] = onset

    def _timed(
        self, times: list[float], client: httpx.Client, method: str, path: str, sent: object = None
    ) -> httpx.Response:
        start = time.perf_counter()
        answer = client.request(method, path, json=sent).raise_for_status()
        times.append((time.perf_counter() - start) * 1000)
        return answer


def serve(stack: ExitStack, root: Path, url: str) -> tuple[subprocess.Popen[str], str]:
    """The server as its users start it."""
    command = [sys.executable, "-m", "annotation.cli", "serve", str(root), "--db", url, "--port", "0", "--json"]
    process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    stack.callback(process.terminate)
    for line in process.stdout or ():
        if line.startswith("{"):
            return process, json.loads(line)["url"]
    raise RuntimeError("the server did not start")


def measure(url: str, options: argparse.Namespace) -> dict[str, object]:
    """One database: prepare, load, count."""
    with tempfile.TemporaryDirectory(prefix="dfme-load-", dir=options.scratch) as scratch, ExitStack() as stack:
        root = Path(scratch) / "study"
        root.mkdir()
        write_recording(root)
        url = url or f"sqlite:///{root}/annotation/annotation.sqlite"
        prepare(root, url, options.coders, options.clips)
        process, address = serve(stack, root, url)
        with httpx.Client(base_url=address, timeout=120) as lead:
            lead.post("/api/login", json={"name": "lead", "password": PASSWORD}).raise_for_status()
            start = time.perf_counter()
            lead.post("/api/rounds", json={"kind": "keyframes"}).raise_for_status()
            open_s = time.perf_counter() - start
            before = _cpu_s(process.pid)
            until = time.monotonic() + options.seconds
            names = [f"coder{number:02d}" for number in range(options.coders)]
            coders = [Coder(address, name, until, options.pace, options.frames) for name in names]
            for coder in coders:
                coder.start()
            for coder in coders:
                coder.join()
            server_cpu_s = _cpu_s(process.pid) - before
            start = time.perf_counter()
            lead.post("/api/rounds/1/close").raise_for_status()
            lead.get("/api/rounds/1/results").raise_for_status()
            close_s = time.perf_counter() - start
        sent = {key: onset for coder in coders for key, onset in coder.answers.items()}
        database = Database.open(url)
        with database.read() as session:
            rows = session.scalars(select(AnswerRow)).all()
            kept = {(row.assignment_id, row.version): getattr(parse_answer(row.answer), "onset", None) for row in rows}
        database.close()
        return {
            "answers": len(sent),
            "answers_per_s": round(len(sent) / options.seconds, 1),
            "answer_ms": _summary([ms for coder in coders for ms in coder.answer_ms]),
            "item_ms": _summary([ms for coder in coders for ms in coder.item_ms]),
            "frame_ms": _summary([ms for coder in coders for ms in coder.frame_ms]),
            "lost": sum(kept.get(key) != onset for key, onset in sent.items()),
            "rows": len(kept),
            "errors": [error for coder in coders for error in coder.errors],
            "open_round_s": round(open_s, 2),
            "close_and_results_s": round(close_s, 2),
            "load": round(os.getloadavg()[0], 1),
            "server_cores": round(server_cpu_s / options.seconds, 2),
        }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _summary(times: list[float]) -> dict[str, float]:
    if not times:
        return {}
    p50, p99 = np.percentile(times, [50, 99])
    return {"count": len(times), "p50": round(p50, 1), "p99": round(p99, 1), "max": round(max(times), 1)}


def main() -> None:
    """Measure both databases, or those that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--coders", type=int, default=20)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--pace", type=float, default=0.5, help="seconds that a coder thinks, on average")
    parser.add_argument("--frames", type=int, default=2, help="frames that a coder fetches for each answer")
    parser.add_argument("--scratch", help="folder for the study and its database")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    options = parser.parse_args()
    found: dict[str, object] = {
        name: getattr(options, name) for name in ("seconds", "coders", "clips", "pace", "frames")
    }
    if options.database != "postgresql":
        found["sqlite"] = measure("", options)
    if options.database != "sqlite":
        try:
            with postgres_server(durable=True) as server:
                found["postgresql"] = measure(new_postgres(server), options)
        except NoPostgres as reason:
            found["postgresql"] = str(reason)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
