"""The loss ledger of a recording: what producer, monitor, end message and recorder said, held against each other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from capture.recording.attributes import MonitorLedger
from capture.recording.findings import Findings
from capture.recording.ledger import KEPT_RANGES, count_ids
from capture.recording.reader import Recording
from capture.statistics import Gap, LossLedger

CAUSES = ("camera", "incomplete", "ring", "disk")
_LISTED = {"camera": "its list of ids and gaps", "incomplete": "its list of ids", "ring": "its list of ids"}
_DRIFT = 3e-4
_FRAME_TIME_SLACK_S = 0.02
"""How far the camera's clock and arrivals may differ over a gap, in seconds."""


class Place(msgspec.Struct, frozen=True):
    """What one of the four places says; None where it does not know."""

    name: str
    frames: int | None = None
    camera: int | None = None
    incomplete: int | None = None
    ring: int | None = None
    disk: int | None = None
    away: int | None = None
    """Of those lost in the camera, about how many were not taken because it was away."""
    agrees: bool | None = None
    """Whether it agrees with the others; None where it says nothing."""


def check_ledger(recording: Recording, monitor: MonitorLedger | None, findings: Findings) -> tuple[Place, ...]:
    """The four places against each other."""
    attributes = recording.attributes
    end, recorder = attributes.ledger.end, attributes.ledger.recorder
    dropped = attributes.repair.frames_dropped if attributes.repair else 0
    disk = recorder.lost_disk if recorder else None
    held = len(recording) + dropped
    own = Place("recording", len(recording), disk=disk)
    if end is None or recorder is None:
        if attributes.source is not None and attributes.source.frames is not None:
            return (own,)
        if attributes.state == "complete":
            findings.problems.append("ledger: the recording has none, so that losses cannot be accounted for")
        else:
            findings.notes.append("no ledger: the trial was killed before its end message")
        return (own,)

    if not end.exact:
        findings.problems.append(f"end message: {end.reason}; which frames were lost after the last one is unknown")
    agrees = findings.expect("frames", held, "the recording", recorder.frames, "the recorder")
    due = end.frames - recorder.lost_disk
    end_agrees = findings.expect("frames", held, "the recording", due, "the end message (less those lost on disk)")
    # The camera process does not know of the disk and says 0; a recorder that does speaks for both.
    if end.losses.disk:
        end_agrees &= findings.expect("lost on disk", end.losses.disk, "the end message", disk, "the recorder")
    for cause in ("camera", "incomplete", "ring"):
        ranges = end.lost_ids.get(cause, [])
        if len(ranges) < KEPT_RANGES:
            said = getattr(end.losses, cause)
            listed = count_ids(ranges) + (_away(end.gaps) if cause == "camera" else 0)
            end_agrees &= findings.expect(f"lost ({cause})", said, "the end message", listed, _LISTED[cause])
    end_agrees &= _check_gaps(recording, findings)
    places = [
        _producer(recording, findings),
        _monitor(recording, monitor, findings),
        Place(
            "end message",
            end.frames,
            end.losses.camera,
            end.losses.incomplete,
            end.losses.ring,
            None,
            _away(end.gaps),
            end_agrees,
        ),
        msgspec.structs.replace(own, away=_away(end.gaps), agrees=agrees and end_agrees),
    ]
    return tuple(places)


def _away(gaps: Sequence[Gap]) -> int:
    return sum(gap.frames for gap in gaps)


def _check_gaps(recording: Recording, findings: Findings) -> bool:
    """The stretches in which the camera was away, against the frames around them."""
    host_ns = recording.host_ns.astype(np.int64)
    end = recording.attributes.ledger.end
    all_kept = end is not None and not end.losses.ring and len(host_ns) == end.frames
    agrees = True
    for number, gap in enumerate(recording.attributes.gaps, start=1):
        problems = []
        length_s = gap.length_ns / 1e9
        if abs(gap.frames - max(length_s * gap.rate_fps - gap.returned, 0)) > 1:
            problems.append(f"{gap.frames} frames are no estimate for {length_s:.3f} s at {gap.rate_fps:.1f} fps")
        # The last frame may have arrived late, which makes the gap longer than the silence; nothing makes it shorter.
        if length_s < gap.seconds * (1 - _DRIFT) - _FRAME_TIME_SLACK_S:
            problems.append(f"it is {length_s:.3f} s long, and no frame arrived for {gap.seconds:.3f} s")
        inside = np.count_nonzero((host_ns > gap.from_host_ns) & (host_ns < gap.to_host_ns))
        if inside:
            problems.append(f"{inside} frames arrived in it")
        if all_kept and gap.returned and gap.to_host_ns not in host_ns:
            problems.append("no frame arrived at its end")
        findings.problems.extend(f"gap {number}: {problem}" for problem in problems)
        agrees &= not problems
    return agrees


def _producer(recording: Recording, findings: Findings) -> Place:
    end = recording.attributes.ledger.end
    if end is None or (end.producer.delivered is None and end.producer.underrun is None):
        findings.notes.append("the producer keeps no counters")
        return Place("producer")
    producer, losses = end.producer, end.losses
    surplus_frames = producer.surplus or 0
    unfetched = producer.unfetched or 0
    if unfetched:
        findings.notes.append(f"{unfetched} frames had been delivered when the camera went away, and went with it")
    due = end.frames + losses.incomplete + losses.ring + surplus_frames + unfetched
    agrees = findings.expect("delivered", producer.delivered, "the producer", due, "the end message")
    if producer.underrun is not None and producer.underrun > losses.camera:
        findings.problems.append(
            f"lost (camera): the producer says {producer.underrun} underruns, the end message says {losses.camera}"
        )
        agrees = False
    frames = (
        None
        if producer.delivered is None
        else producer.delivered - losses.incomplete - losses.ring - surplus_frames - unfetched
    )
    return Place("producer", frames, producer.underrun, agrees=agrees)


def _monitor(recording: Recording, monitor: MonitorLedger | None, findings: Findings) -> Place:
    end, recorder = recording.attributes.ledger.end, recording.attributes.ledger.recorder
    if monitor is None or end is None or recorder is None:
        findings.notes.append("no figures of the monitor: the recording lies in no session folder that has them")
        return Place("monitor")
    agrees = findings.expect("frames", monitor.frames, "the monitor", recorder.frames, "the recorder")
    expected: LossLedger = msgspec.structs.replace(end.losses, disk=recorder.lost_disk)
    for cause in CAUSES:
        said, due = getattr(monitor.losses, cause), getattr(expected, cause)
        there = "the recorder" if cause == "disk" else "the end message"
        agrees &= findings.expect(f"lost ({cause})", said, "the monitor", due, there)
    said_away, due_away = _away(monitor.gaps), _away(end.gaps)
    agrees &= findings.expect(
        "not taken while the camera was away", said_away, "the monitor", due_away, "the end message"
    )
    losses = monitor.losses
    return Place(
        "monitor", monitor.frames, losses.camera, losses.incomplete, losses.ring, losses.disk, said_away, agrees
    )
