"""Verification: a sound recording is ok, and each thing that can be wrong is named with its place."""

from __future__ import annotations

import json
import os

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.recording.attributes import MonitorLedger
from capture.recording.layout import ShardGeometry, shard_path, value_path
from capture.recording.ledger import count_ids, find_gaps, surplus
from capture.recording.reader import Recording
from capture.recording.verify import verify
from capture.statistics import Gap, LossLedger

LOST = {"camera": [(110, 112)], "incomplete": [(113, 113)], "ring": [(120, 121), (500, 501)]}
LOSSES = LossLedger(camera=3, incomplete=1, ring=4)


def with_ledger(path, change):
    """The `ledger` attribute of the recording at `path`, after `change` has been at it."""
    ledger = Recording.open(path).raw_attributes["ledger"]
    change(ledger)
    return {"ledger": ledger}


def test_a_sound_recording_is_ok_in_all_four_places(make_recording):
    path = make_recording(lost=LOST)

    report = verify(path, monitor=MonitorLedger(40, LOSSES))

    assert report.problems == ()
    assert report.ok
    assert report.stamped
    assert report.missing_ids == 6
    assert [(place.name, place.frames, place.agrees) for place in report.places] == [
        ("producer", 40, True),
        ("monitor", 40, True),
        ("end message", 40, True),
        ("recording", 40, True),
    ]


def test_progress_ends_at_the_last_frame(make_recording):
    said = []

    verify(make_recording(), lambda done, total: said.append((done, total)))

    assert said[-1] == (40, 40)


def test_a_single_flipped_bit_is_found(make_recording):
    path = make_recording(stamped=False)
    geometry = ShardGeometry(32, 64, 16)
    with shard_path(path, 1).open("r+b") as shard:
        shard.seek(geometry.offset(5) + 700)
        byte = shard.read(1)[0]
        shard.seek(-1, 1)
        shard.write(bytes([byte ^ 4]))

    report = verify(path)

    assert not report.ok
    assert report.problems == ("crc32c: 1 frames differ from what was recorded (21)",)


def test_frames_of_a_torn_shard_are_named_and_the_rest_is_still_checked(make_recording):
    path = make_recording()
    with shard_path(path, 1).open("r+b") as shard:
        shard.write(b"torn")

    (problem,) = verify(path).problems

    assert problem.startswith("16 frames cannot be read (16-31): the index of ")


def test_a_stamp_with_another_id_is_found(make_recording):
    path = make_recording(first_id=100)
    chunk = value_path(path, "frame_id", 0)
    ids = np.fromfile(chunk, "<u8")
    chunk.write_bytes((ids + 7).tobytes())

    problems = verify(path).problems

    assert "stamp: 16 frames carry another frame id (0-15)" in problems


def test_times_that_go_back_are_found(make_recording):
    path = make_recording()
    chunk = value_path(path, "host_ns", 0)
    times = np.fromfile(chunk, "<u8")
    times[7] = times[3]
    chunk.write_bytes(times.tobytes())

    assert "host_ns: goes back at frame 7 (and 0 more)" in verify(path).problems


def test_a_gap_that_nobody_counted_is_found(make_recording):
    path = make_recording(frame_ids=[*range(100, 110), *range(113, 143)])

    assert verify(path).problems == ("frame_id: 3 ids are missing unsaid: 110-112",)


def test_ids_that_were_counted_as_lost_but_are_there_are_found(make_recording):
    lost_ids = {"camera": [[105, 106]], "incomplete": [], "ring": []}
    path = make_recording()
    ledger = with_ledger(path, lambda ledger: ledger["end"].update(lost_ids=lost_ids, losses={"camera": 2}))

    problems = verify(make_recording("second.zarr", change=ledger)).problems

    assert problems == ("lost_ids: the ledger has 2 ids as lost that are recorded, or twice: 105-106",)


@pytest.mark.parametrize("ids", [[5, 6, 6, 7], [5, 6, 4, 7]], ids=["twice", "backwards"])
def test_ids_must_advance(make_recording, ids):
    problems = verify(make_recording(frame_ids=ids)).problems

    assert any(problem.startswith("frame_id: does not advance at frame 2") for problem in problems)


@pytest.mark.parametrize(
    ("modulus", "skips_zero"), [(2**16, True), (2**16, False), (2**32, False)], ids=["GigE Vision", "16 bit", "32 bit"]
)
def test_ids_that_start_over_are_no_gap(make_recording, modulus, skips_zero):
    before, after = range(modulus - 20, modulus), range(1 if skips_zero else 0, 20)

    report = verify(make_recording(frame_ids=[*before, *after]))

    assert report.ok, report.problems
    assert "frame ids started over: the camera counts with 16 or 32 bits" in report.notes


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda ledger: ledger["recorder"].update(frames=41),
            "frames: the recording says 40, the recorder says 41",
        ),
        (
            lambda ledger: ledger["end"].update(frames=41, producer={"delivered": 41, "surplus": 0}),
            "frames: the recording says 40, the end message (less those lost on disk) says 41",
        ),
        (
            lambda ledger: ledger["end"]["producer"].update(delivered=99),
            "delivered: the producer says 99, the end message says 43",
        ),
        (
            lambda ledger: ledger["end"]["producer"].update(underrun=5),
            "lost (camera): the producer says 5 underruns, the end message says 0",
        ),
        (
            lambda ledger: ledger["end"].update(losses={"ring": 2}, producer={}),
            "lost (ring): the end message says 2, its list of ids says 0",
        ),
    ],
)
def test_a_disagreement_of_the_ledger_is_named_place_by_place(make_recording, change, problem):
    ledger = with_ledger(make_recording(), change)

    report = verify(make_recording("second.zarr", change=ledger))

    assert problem in report.problems
    assert False in [place.agrees for place in report.places]


@pytest.mark.parametrize(
    ("monitor", "problem"),
    [
        (MonitorLedger(39), "frames: the monitor says 39, the recorder says 40"),
        (MonitorLedger(40, LossLedger(ring=1)), "lost (ring): the monitor says 1, the end message says 0"),
        (MonitorLedger(40, LossLedger(disk=1)), "lost (disk): the monitor says 1, the recorder says 0"),
    ],
)
def test_a_monitor_that_showed_something_else_is_named(make_recording, monitor, problem):
    assert verify(make_recording(), monitor=monitor).problems == (problem,)


def test_frames_lost_on_disk_are_accounted_for_by_the_recorder(make_recording):
    def change(ledger):
        ledger["end"].update(frames=42, producer={"delivered": 42, "surplus": 0})
        ledger["recorder"].update(lost_disk=2, lost_ids=[110, 111])

    ids = [*range(100, 110), *range(112, 142)]
    ledger = with_ledger(make_recording(frame_ids=ids), change)
    path = make_recording("second.zarr", frame_ids=ids, change=ledger)

    report = verify(path, monitor=MonitorLedger(40, LossLedger(disk=2)))

    assert report.ok, report.problems


def test_a_recording_that_was_never_closed_is_not_ok(make_recording):
    report = verify(make_recording(killed_after=21))

    assert report.problems == ("state: never closed, the process was killed: run `dfme-session repair`",)


def test_a_shard_behind_the_last_frame_is_found(make_recording):
    path = make_recording()
    spare = shard_path(path, 3)
    spare.parent.mkdir(parents=True)
    spare.write_bytes(shard_path(path, 2).read_bytes())

    assert verify(path).problems == (f"{spare} lies behind the last frame",)


def test_a_recording_that_is_being_made_is_left_alone(make_recording):
    path = make_recording(killed_after=21)
    with shard_path(path, 0).open("r+b"):
        report = verify(path)

    assert report.bytes == 0
    assert report.problems == (f"state: process {os.getpid()} is still recording it: verify again when it has ended",)


def test_attributes_that_say_another_number_of_frames_are_found(make_recording):
    report = verify(make_recording(change={"frames": 41}))

    assert report.problems == ("frames: zarr.json says 41, the recording says 40",)


@given(lost=st.sets(st.integers(1, 60), max_size=30))
def test_gaps_are_exactly_the_ids_that_are_missing(lost):
    ids = np.array([i for i in range(62) if i not in lost], dtype=np.uint64)

    gaps = find_gaps(ids)

    assert {i for a, b in gaps.missing for i in range(a, b + 1)} == lost
    assert gaps.missing_count == len(lost)
    assert gaps.backward == 0


ranges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda t: (t[0], t[0] + t[1])), max_size=6)


@given(wanted=ranges, offered=ranges)
def test_surplus_is_what_is_wanted_more_often_than_offered(wanted, offered):
    def times(of, i):
        return sum(a <= i <= b for a, b in of)

    found = surplus(wanted, offered)

    assert count_ids(found) == sum(times(wanted, i) > times(offered, i) for i in range(50))
    assert all(times(found, i) == 1 for a, b in found for i in range(a, b + 1))


GAP_NS = 3_000_000_000


@pytest.fixture
def torn(make_recording, tmp_path):
    """A recording of 20 frames, a gap of 3 s, and 20 frames whose ids start over; `change` is merged into the gap."""

    def make(**change):
        ids = [*range(100, 120), *range(20)]
        path = make_recording(frame_ids=ids, stamped=False)
        for shard in range(3):
            values = np.fromfile(value_path(path, "host_ns", shard), np.uint64)
            first = shard * 16
            values[np.arange(16) + first >= 20] += GAP_NS * (values[np.arange(16) + first >= 20] > 0).astype(np.uint64)
            values.tofile(value_path(path, "host_ns", shard))
        host_ns = Recording.open(path).host_ns.astype(np.int64)
        from_ns, to_ns = int(host_ns[19]), int(host_ns[20])
        frames = round((to_ns - from_ns) * 500 / 1e9) - 1
        gap = {
            "from_host_ns": from_ns,
            "to_host_ns": to_ns,
            "frames": frames,
            "rate_fps": 500.0,
            "length_ns": to_ns - from_ns,
            **change,
        }

        def with_gap(ledger):
            ledger["end"]["gaps"] = [gap]
            ledger["end"]["losses"]["camera"] = gap["frames"]
            ledger["end"]["producer"]["underrun"] = 0

        attributes = with_ledger(path, with_gap)
        document = json.loads((path / "zarr.json").read_text())
        document["attributes"]["dfme"] |= {**attributes, "values_crc32c": {}}
        (path / "zarr.json").write_text(json.dumps(document))
        return path, msgspec.convert(gap, Gap)

    return make


def test_a_gap_in_which_the_camera_was_away_is_accounted_for_in_all_places(torn):
    path, gap = torn()
    report = verify(path, monitor=MonitorLedger(40, LossLedger(camera=gap.frames), (gap,)))
    assert report.problems == ()
    assert report.gaps == (gap,)
    assert [place.away for place in report.places] == [None, 1500, 1500, 1500]


def test_a_monitor_that_showed_another_gap_does_not_agree(torn):
    path, gap = torn()
    report = verify(path, monitor=MonitorLedger(40, LossLedger(camera=gap.frames)))
    assert report.problems == ("not taken while the camera was away: the monitor says 0, the end message says 1500",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frames": 900}, "gap 1: 900 frames are no estimate for 3.002 s at 500.0 fps"),
        ({"frames": 999, "length_ns": 2_000_000_000}, "gap 1: it is 2.000 s long, and no frame arrived for 3.002 s"),
        ({"from_host_ns": 5_000_150_001}, "gap 1: 19 frames arrived in it"),
        ({"to_host_ns": 8_040_150_001, "frames": 1500}, "gap 1: no frame arrived at its end"),
    ],
)
def test_a_gap_that_the_frames_contradict_is_a_problem(torn, change, says):
    path, _ = torn(**change)
    assert any(problem.startswith(says) for problem in verify(path).problems)


def test_a_recording_that_was_killed_after_a_gap_is_not_called_damaged(torn):
    path, _ = torn()
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["dfme"] |= {"ledger": {}, "state": "repaired"}
    (path / "zarr.json").write_text(json.dumps(document))
    report = verify(path)
    assert report.ok, report.problems
    assert "the camera was away before frame 20, as its ids begin anew" in report.notes


@pytest.mark.parametrize("name", ["frame_id", "device_ns", "host_ns", "crc32c"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_value_of_a_frame_is_found_in_every_shard_of_every_array(make_recording, name, number):
    path = make_recording(stamped=False)
    chunk = value_path(path, name, number)
    data = bytearray(chunk.read_bytes())
    data[8] ^= 1
    chunk.write_bytes(data)

    report = verify(path)

    assert not report.ok
    assert f"{name}: values differ from what was recorded: restore {name} from a copy" in report.problems


def test_a_recording_of_an_earlier_version_has_no_checksums_of_its_values(make_recording):
    path = make_recording()
    metadata = json.loads((path / "zarr.json").read_text())
    assert set(metadata["attributes"]["dfme"].pop("values_crc32c")) == {"frame_id", "device_ns", "host_ns", "crc32c"}
    (path / "zarr.json").write_text(json.dumps(metadata))

    assert verify(path).ok
