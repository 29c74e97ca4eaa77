"""Recordings that somebody made to do harm: refused in one line, without hanging, hoarding, or writing elsewhere."""

from __future__ import annotations

import json
import os
import resource
import struct
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.errors import CaptureError, RecordingInvalid
from capture.recording.layout import shard_path, value_path, write_json
from capture.recording.reader import Recording
from capture.recording.repair import repair
from capture.recording.verify import verify
from tests.fuzz import seeds
from tests.fuzz.contract import bounded_time, command, only_our_errors, read_all
from tests.fuzz.hostile import VALUES, places

MUCH_MEMORY = 1 << 30


@contextmanager
def little_memory():
    """Refuse to hand out more than a gigabyte beyond what is in use."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MUCH_MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def recording(tmp_path):
    return seeds.make_recording(tmp_path / "inside" / "trial-001.zarr")


@pytest.fixture
def outside(tmp_path):
    """A file that is none of the recording's business; checked afterwards."""
    file = tmp_path / "outside" / "kept"
    file.parent.mkdir()
    file.write_bytes(b"x" * 100_000)
    yield file
    assert file.read_bytes() == b"x" * 100_000
    assert [one.name for one in file.parent.iterdir()] == ["kept"]


def edit(file: Path, change: Callable[[dict], None]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def replace_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def shape(length: int, height: int = 16, width: int = 16, shard: int = 4) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        def to(document: dict) -> None:
            document["shape"] = [length, height, width]
            document["chunk_grid"]["configuration"]["chunk_shape"] = [shard, height, width]
            document["codecs"][0]["configuration"]["chunk_shape"] = [1, height, width]

        edit(path / "frames" / "zarr.json", to)
        for name in ("frame_id", "device_ns", "host_ns", "crc32c"):
            edit(
                path / name / "zarr.json",
                lambda d: d["chunk_grid"]["configuration"].__setitem__("chunk_shape", [shard]),
            )

    return change


def far_away_chunk(path: Path) -> None:
    """One frame a thousand million million places behind the others."""
    shape(2**63)(path)
    value_path(path, "host_ns", 999_999_999_999_999).write_bytes(b"\1" * 32)


def far_away_chunk_within_bounds(path: Path) -> None:
    shape(2**47)(path)
    value_path(path, "host_ns", 999_999_999).write_bytes(b"\1" * 32)


def endless_documents(path: Path) -> None:
    with (path / "zarr.json").open("r+b") as file:
        file.truncate(1 << 40)


def endless_chunks(path: Path) -> None:
    for name in ("host_ns", "crc32c", "frame_id"):
        with value_path(path, name, 0).open("r+b") as file:
            file.truncate(1 << 40)


def deep(path: Path) -> None:
    (path / "zarr.json").write_text('{"attributes":{"dfme":{"camera":' + '{"a":' * 900 + "1" + "}" * 903)


def many_empty_chunks(path: Path) -> None:
    shape(2**40, shard=10_000)(path)
    for number in range(2, 600):
        value_path(path, "host_ns", number).touch()


def index_says(offset: int, size: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        import google_crc32c

        body = struct.pack("<QQ", offset, size) * 4
        block = body + google_crc32c.value(body).to_bytes(4, "little")
        with shard_path(path, 0).open("r+b") as file:
            file.write(block)

    return change


HOSTILE: dict[str, Callable[[Path], None]] = {
    "frames of 4 GB": shape(6, 65_536, 65_536),
    "frames of no pixels": shape(6, 0, 0),
    "negative frames": shape(6, -16, -16),
    "more frames than there are atoms": shape(10**80),
    "shards of 2^62 frames": shape(6, shard=2**62),
    "a frame far away": far_away_chunk,
    "a frame far away, within bounds": far_away_chunk_within_bounds,
    "chunks named twice": lambda p: [(p / "host_ns" / "c" / n).write_bytes(b"\1" * 32) for n in ("00", "٣")],
    "a document without end": endless_documents,
    "chunks without end": endless_chunks,
    "a document of a thousand brackets": deep,
    "hundreds of empty chunks": many_empty_chunks,
    "an index that points behind everything": index_says(2**63 - 1, 256),
    "an index that points into itself": index_says(0, 256),
    "an index with endless frames": index_says(4096, 2**63),
    "a pipe for zarr.json": lambda p: replace_by_pipe(p / "zarr.json"),
    "a pipe for frames/zarr.json": lambda p: replace_by_pipe(p / "frames" / "zarr.json"),
    "a pipe for a shard": lambda p: replace_by_pipe(shard_path(p, 0)),
    "a pipe for a chunk": lambda p: replace_by_pipe(value_path(p, "crc32c", 0)),
    "a device for a shard": lambda p: [shard_path(p, 0).unlink(), shard_path(p, 0).symlink_to("/dev/zero")],
    "a folder for a chunk": lambda p: [value_path(p, "host_ns", 0).unlink(), value_path(p, "host_ns", 0).mkdir()],
    "a link that leads to itself": lambda p: [shard_path(p, 0).unlink(), shard_path(p, 0).symlink_to("0")],
    "an escape sequence for a name": lambda p: edit(
        p / "zarr.json", lambda d: d["attributes"]["dfme"].update(session="\x1b]0;x\x07[bold]", software="\x9b2J\n\n")
    ),
    "numbers without bounds": lambda p: edit(
        p / "zarr.json",
        lambda d: d["attributes"]["dfme"].update(rate_fps=1e-300, clock={"source": "latch", "residual_ns": 1e308}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_no_command_is_led_astray(recording, outside, tmp_path, change):
    change(recording)
    files_before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(recording)}
    with bounded_time(), little_memory():
        for words in (("info",), ("info", "--json"), ("verify",), ("verify", "--json")):
            command(words[0], recording, *words[1:])
        command("clip", recording, "--frames", "0:2", "--out", tmp_path / "inside" / "c.zarr")
        command("transcode", recording, "--codec", "zstd", "--out", tmp_path / "inside" / "t.zarr", "--json")
        command("repair", recording, "--json")
        command("verify", recording)
        with only_our_errors():
            read_all(Recording.open(recording))
    made = {path for path in tmp_path.rglob("*") if not path.is_relative_to(recording)} - files_before
    assert {path.relative_to(tmp_path).parts[1] for path in made} <= {"c.zarr", "t.zarr"}


@pytest.mark.parametrize(
    "place",
    ["frames/c/0/0/0", "host_ns/c/0", "crc32c/zarr.json", "frames/zarr.json", "zarr.json", "host_ns/before-repair/0"],
)
def test_repair_writes_through_no_link(recording, outside, place):
    with shard_path(recording, 0).open("r+b") as shard:
        shard.seek(4096 + 80)
        shard.write(b"damage")
    link = recording / place
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    with pytest.raises(CaptureError):
        repair(recording)


@pytest.mark.parametrize("place", ["frames/c/0", "frames/c", "host_ns/c", "host_ns/before-repair"])
def test_repair_writes_behind_no_linked_folder(recording, outside, place):
    with shard_path(recording, 0).open("r+b") as shard:
        shard.write(b"torn")
        shard.seek(4096 + 80)
        shard.write(b"damage")
    folder = recording / place
    elsewhere = outside.parent.parent / "elsewhere"
    if folder.exists():
        folder.rename(elsewhere)
    else:
        elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    with pytest.raises(RecordingInvalid, match="outside the recording"):
        repair(recording)
    assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before


def test_a_link_where_a_file_is_made_anew_is_not_followed(recording, outside):
    (recording / "zarr.json.partial").symlink_to(outside)
    write_json(recording / "zarr.json", {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert json.loads((recording / "zarr.json").read_text()) == {"a": None, "b": [None, 1.5]}


def test_a_frame_that_stands_twice_counts_once(recording):
    value_path(recording, "host_ns", 0).with_name("00").write_bytes(value_path(recording, "host_ns", 0).read_bytes())
    assert len(Recording.open(recording)) == seeds.FRAMES
    assert verify(recording).ok


def test_times_beyond_any_clock_give_figures_and_not_warnings(recording):
    np.full(4, 2**64 - 5, "<u8").tofile(value_path(recording, "host_ns", 0))
    np.full(4, 2**64 - 5, "<u8").tofile(value_path(recording, "device_ns", 0))
    read_all(Recording.open(recording))
    assert not verify(recording).ok
    command("info", recording)


DOCUMENTS = ("zarr.json", "frames/zarr.json", "host_ns/zarr.json", "crc32c/zarr.json")


@given(data=st.data(), name=st.sampled_from(DOCUMENTS), value=st.sampled_from(VALUES), mend=st.booleans())
@settings(max_examples=40)
def test_any_value_of_a_document_may_be_anything(tmp_path_factory, data, name, value, mend):
    path = seeds.make_recording(tmp_path_factory.mktemp("any") / "a.zarr")
    document = json.loads((path / name).read_text())
    container, key = data.draw(st.sampled_from(list(places(document))))
    container[key] = value
    (path / name).write_text(json.dumps(document))
    with bounded_time():
        with only_our_errors():
            read_all(Recording.open(path))
        with only_our_errors():
            verify(path)
        command("info", path, "--json")
        if mend:
            with only_our_errors():
                repair(path)
                assert not repair(path).changed


@given(
    shard=st.integers(0, 1),
    entries=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=4),
)
@settings(max_examples=25)
def test_an_index_may_point_anywhere(tmp_path_factory, shard, entries):
    import google_crc32c

    path = seeds.make_recording(tmp_path_factory.mktemp("index") / "a.zarr")
    body = b"".join(struct.pack("<QQ", *entry) for entry in entries).ljust(64, b"\xff")
    with shard_path(path, shard).open("r+b") as file:
        file.write(body + google_crc32c.value(body).to_bytes(4, "little"))
    with bounded_time():
        read_all(Recording.open(path))
        verify(path)
