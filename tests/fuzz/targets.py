"""What is fuzzed: each target takes bytes, and lets nothing through but our own one-line errors."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import zlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import zmq
from rich.console import Console

from capture.console import print_json
from capture.errors import MessageRefused
from capture.messages import CaptureReport, End, Event, Image, Start, decode, encode
from capture.monitor.plain import PlainProgress
from capture.participants import REGISTRY_FILE, Registry
from capture.processes.recorder_link import RecorderLink
from capture.recording.clip import clip
from capture.recording.reader import Recording
from capture.recording.recorder import Recorder
from capture.recording.repair import repair
from capture.recording.transcode import transcode
from capture.recording.verify import verify
from capture.ring import RingReader, RingWriter
from capture.session import Session, figures, tables
from capture.settings import load_hardware
from capture.simulator.frame_bank import FrameBank
from tests.fuzz import seeds
from tests.fuzz.contract import Broken, Target, command, only_our_errors, read_all


class MessageTarget(Target):
    """A stream of messages, each with its length before it, as every process of ours takes them."""

    name = "messages"

    def prepare(self) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._ring = RingWriter.create(slots=8, height_px=64, width_px=64)
        self._link = RecorderLink(f"ipc://{self.folder}/inside/frames", self._ring)
        self._peer = self._context.socket(zmq.DEALER)
        self._peer.setsockopt(zmq.LINGER, 0)
        self._peer.connect(f"ipc://{self.folder}/inside/frames")
        self._trials = 0

    def close(self) -> None:
        self._link.close(0)
        self._peer.close()
        self._context.term()

    def seeds(self) -> list[bytes]:
        stream = [encode(message) for message in seeds.messages()]
        return [*(_framed([part]) for part in stream), _framed(stream)]

    def run(self, data: bytes) -> None:
        recorder = Recorder(RingReader(self._ring.fd), self.inside)
        screen = PlainProgress(io.StringIO())
        for part in _parts(data):
            self._tell_camera(part)
            try:
                message = decode(part)
            except MessageRefused as refused:
                if not str(refused).isprintable():
                    raise Broken(f"not one line: {refused}") from refused
                continue
            assert decode(encode(message)) == message or "nan" in repr(message)
            with only_our_errors():
                if isinstance(message, Start):
                    self._trials += 1
                    # The supervisor chooses the path; whoever can speak for it could do worse.
                    recorder.start(msgspec.structs.replace(message, path=str(self.inside / f"{self._trials}.zarr")))
                elif isinstance(message, Image):
                    recorder.write([message])
                elif isinstance(message, End):
                    recorder.settle()
                    recorder.end(message)
                elif isinstance(message, Event):
                    screen.event(message)
                elif isinstance(message, CaptureReport):
                    screen.update(message.statistics)
        if recorder.recording is not None:
            recorder.end(seeds.messages()[4])
        for made in self.inside.glob("*.zarr"):
            with only_our_errors():
                read_all(Recording.open(made))
            shutil.rmtree(made)

    def _tell_camera(self, part: bytes) -> None:
        self._peer.send(part)
        self._link._socket.poll(1000)
        self._link.receive()
        assert 0 <= self._ring.used <= self._ring.slots
        while self._peer.poll(0):
            self._peer.recv()


class FolderTarget(Target):
    """A file of a session replaced: the first byte says which, the rest is its content."""

    files: Sequence[str]
    part: str = "recordings"
    """What of the session is needed."""

    def prepare(self) -> None:
        made = seeds.make_session(self.inside)
        shutil.move(made / self.part if self.part else made, self.folder / "template")
        shutil.rmtree(made, ignore_errors=True)
        self.template = self.folder / "template"
        self.place = self.inside / "session"
        self.json_files = frozenset(i for i, name in enumerate(self.files) if name.endswith(".json"))
        self._clips = 0

    def seeds(self) -> list[bytes]:
        return [bytes([i]) + (self.template / name).read_bytes() for i, name in enumerate(self.files)]

    def run(self, data: bytes) -> None:
        if not data:
            return
        seeds.restore(self.template, self.place)
        (self.place / self.files[data[0] % len(self.files)]).write_bytes(data[1:])
        self.exercise(data)

    @abstractmethod
    def exercise(self, data: bytes) -> None:
        """Do everything with the session that can be done."""

    def use(self, path: Path, data: bytes) -> None:
        """Read and check one recording, and do one more thing with it; which one the input decides."""
        with only_our_errors():
            recording = Recording.open(path)
            read_all(recording)
            _dumped(figures.recording_figures(recording))
            Console(file=io.StringIO()).print(tables.facts(tables.recording_facts(recording)))
        with only_our_errors():
            report = verify(path)
            assert all("\n" not in problem for problem in report.problems)
            json.dumps(msgspec.to_builtins(report), allow_nan=False)
        more = zlib.crc32(data) % 8
        out = self.place / "out.zarr"
        if more in (0, 1):
            with only_our_errors():
                _ = clip(path, out, frames=(0, 2)) if more == 0 else transcode(path, out, "zstd")
            assert not out.with_name(out.name + ".partial").exists()
        elif more in (2, 3, 4, 5):
            with only_our_errors():
                repair(path)
                if more == 2:
                    again = repair(path)
                    assert not again.changed, "repairing twice changes nothing"
                    assert len(Recording.open(path)) == again.frames
        else:
            words = [("verify",), ("verify", "--json"), ("info",), ("info", "--json"), ("repair", "--json")]
            words += [("clip", "--frames", "0:2", "--out", out), ("transcode", "--out", out, "--codec", "zstd")]
            name, *options = words[len(data) % len(words)]
            command(name, path, *options)


class RecordingTarget(FolderTarget):
    """A recording as the camera made it."""

    name = "recording"
    files = (
        *("trial-001.zarr/" + name for name in ("zarr.json", "frames/zarr.json", "frames/c/0/0/0")),
        *("trial-001.zarr/" + name for name in ("frames/c/1/0/0", "host_ns/zarr.json", "host_ns/c/0")),
        *("trial-001.zarr/" + name for name in ("crc32c/zarr.json", "crc32c/c/1", "device_ns/c/0")),
        *("trial-001.zarr/" + name for name in ("frame_id/zarr.json", "frame_id/c/0", "frame_id/c/1")),
    )

    def exercise(self, data: bytes) -> None:
        self.use(self.place / "trial-001.zarr", data)


class PackedTarget(FolderTarget):
    """A recording packed frame by frame, or as a video."""

    name = "packed"
    files = (
        *("packed.zarr/" + name for name in ("frames/c/0/0/0", "frames/zarr.json", "zarr.json")),
        *("trial-001.ffv1/" + name for name in ("frames.mkv", "values.zarr/zarr.json")),
        *("trial-001.ffv1/values.zarr/" + name for name in ("host_ns/zarr.json", "crc32c/c/0")),
    )

    def exercise(self, data: bytes) -> None:
        name = self.files[data[0] % len(self.files)]
        self.use(self.place / Path(name).parts[0], data)


class SessionTarget(FolderTarget):
    """The files around the recordings."""

    name = "session"
    files = ("session.json", "events.tsv", "events.json")
    part = ""

    def exercise(self, data: bytes) -> None:
        with only_our_errors():
            session = Session.open(self.place)
            whole = figures.session_figures(self.place)
            trials = [figures.trial_figures(session, entry) for entry in session.trials]
            _dumped({**whole, "trials": trials})
            screen = Console(file=io.StringIO())
            screen.print(tables.facts(tables.session_facts(session, whole)))
            screen.print(tables.trials_table(trials))
            screen.print(tables.sessions_table([whole]))
        with only_our_errors():
            session = Session.open(self.place)
            session.log_event(5, "info", "camera", "text\x1b\n\t", trial="trial-001")
            session.settle_events()
            session.frame_at(seeds.FIRST_NS)
        clip_words = ("clip", self.place, "--frames", "0:2", "--out", self.place / "clip.zarr", "--json")
        words = [("repair", self.place, "--json"), ("verify", self.place, "--json"), clip_words, ("ls", self.inside)]
        words += [("ls", self.place), ("info", self.place), ("ls", self.inside, "--json"), ("verify", self.place)]
        command(*words[zlib.crc32(data) % len(words)])


class SettingsTarget(Target):
    """A hardware file."""

    name = "settings"

    def seeds(self) -> list[bytes]:
        return [Path(str(file)).read_bytes() for file in resources.files("hw_configs").iterdir() if file.is_file()]

    def run(self, data: bytes) -> None:
        file = self.inside / "camera.toml"
        file.write_bytes(data)
        with only_our_errors():
            settings = load_hardware(file)
            assert settings.ring_slots > 0
            assert settings.gentl_buffers > 0
            for fps in (1.0, 500.0, 1e5):
                settings.with_rate(fps)
            json.dumps(settings.model_dump(mode="json"), allow_nan=False)


class BankTarget(Target):
    """A frame bank."""

    name = "bank"

    def seeds(self) -> list[bytes]:
        return [seeds.make_bank(self.inside / "a.bank").read_bytes()]

    def run(self, data: bytes) -> None:
        file = self.inside / "a.bank"
        file.write_bytes(data)
        with only_our_errors(), FrameBank.open(file) as bank:
            for i in range(min(bank.frames_ready, 50)):
                assert bank.frame(i).dtype == np.uint8
                assert bank.checksum(i) >= 0


class RegistryTarget(Target):
    """The registry of participants."""

    name = "registry"

    def seeds(self) -> list[bytes]:
        registry = Registry(self.inside)
        registry.add("P07")
        registry.consent("P07", form="f 1", form_text="text", items={"recording": True}, publish_images=False)
        registry.withdraw("P07", "publication")
        registry.erased("P07", sessions=1, files=2, size_bytes=3)
        return [registry.path.read_bytes()]

    def run(self, data: bytes) -> None:
        (self.inside / REGISTRY_FILE).write_bytes(data)
        with only_our_errors():
            registry = Registry(self.inside)
            for person in registry.participants().values():
                assert person.may_be_recorded in (True, False)
            registry.add()


TARGETS: dict[str, type[Target]] = {
    target.name: target
    for target in (
        *(MessageTarget, RecordingTarget, PackedTarget, SessionTarget),
        *(SettingsTarget, BankTarget, RegistryTarget),
    )
}


def scratch() -> Path:
    """A folder for a target, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="dfme-fuzz-", dir=memory if os.access(memory, os.W_OK) else None))


def _framed(parts: Sequence[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(2, "little") + part for part in parts)


def _parts(data: bytes) -> Iterator[bytes]:
    while data:
        size = int.from_bytes(data[:2], "little")
        yield data[2 : 2 + size]
        data = data[2 + size :]


def _dumped(content: dict[str, object]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_json(content)
    json.loads(out.getvalue())
