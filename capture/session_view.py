"""How `dfme-session` shows sessions, recordings and verdicts: figures for JSON, tables for people."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from capture.clock import piecewise_clock_from_attributes
from capture.errors import RecordingInvalid
from capture.recording.pixels import VIDEO_NAME
from capture.recording.reader import Recording
from capture.recording.repair import RepairReport
from capture.recording.transcode import TranscodeReport
from capture.recording.verify import VerifyReport
from capture.session import Session, TrialEntry
from capture.statistics import Gap

_UNKNOWN = "-"


def codec_of(path: Path) -> str:
    """`raw`, `zstd` or `ffv1`; `raw` where it cannot be told."""
    if (path / VIDEO_NAME).exists():
        return "ffv1"
    try:
        return Recording.open(path).codec
    except RecordingInvalid:
        return "raw"


def session_figures(folder: Path) -> dict[str, Any]:
    """Figures of a session over all its trials; one that cannot be read has `state` `damaged` and the reason."""
    try:
        session = Session.open(folder)
    except RecordingInvalid as error:
        return {"session": folder.name, "path": str(folder), "state": "damaged", "problem": str(error)}
    trials = [trial_figures(session, entry) for entry in session.trials]
    states = sorted({trial["state"] for trial in trials})
    problems = problems_of(trials)
    return {
        "session": folder.absolute().name,
        "path": str(folder),
        "created": session.record.created,
        "participant": session.record.participant,
        "trials": len(trials),
        "frames": sum(trial["frames"] or 0 for trial in trials),
        "seconds": round(sum(trial["seconds"] or 0.0 for trial in trials), 6),
        "lost": sum(trial["lost"] or 0 for trial in trials),
        "bytes": sum(trial["bytes"] for trial in trials),
        "state": " ".join(states) if states else "empty",
        **({"problem": problems[0]} if problems else {}),
    }


def problems_of(figures: list[dict[str, Any]]) -> list[str]:
    """What is damaged in some sessions or trials, a line each."""
    return [one["problem"] for one in figures if "problem" in one]


def trial_figures(session: Session, entry: TrialEntry) -> dict[str, Any]:
    """Figures of one trial, from `session.json` where it has them and from the recording where it has not."""
    path = session.path / entry.recording
    figures: dict[str, Any] = {
        "trial": entry.name,
        "recording": str(path),
        "frames": entry.frames,
        "seconds": entry.seconds,
        "fps": entry.fps,
        "lost": entry.lost.total if entry.lost is not None else None,
        "reason": entry.reason,
        "state": "missing",
        "bytes": 0,
    }
    if not path.is_dir():
        return figures
    try:
        recording = Recording.open(path)
    except RecordingInvalid as error:
        return {**figures, "state": "damaged", "problem": str(error)}
    figures |= {"state": recording.attributes.state, "bytes": recording.disk_bytes}
    if entry.seconds is None:
        figures |= {"frames": len(recording), "seconds": recording.seconds}
    return figures


def sessions_table(sessions: list[dict[str, Any]]) -> Table:
    """A table of sessions, 80 columns wide at most."""
    table = _table("session", "trials", "frames", "seconds", "lost", "size", "state")
    for one in sessions:
        if "trials" not in one:
            table.add_row(escape(one["session"]), *[_UNKNOWN] * 5, "[red]damaged[/]")
            continue
        table.add_row(
            escape(one["session"]),
            str(one["trials"]),
            f"{one['frames']:,}",
            f"{one['seconds']:.1f}",
            _lost(one["lost"]),
            size(one["bytes"]),
            _state(one["state"]),
        )
    return table


def trials_table(trials: list[dict[str, Any]]) -> Table:
    """A table of the trials of one session."""
    table = _table("trial", "frames", "seconds", "fps", "lost", "size", "ended by", "state")
    for one in trials:
        table.add_row(
            escape(one["trial"]),
            _UNKNOWN if one["frames"] is None else f"{one['frames']:,}",
            _UNKNOWN if one["seconds"] is None else f"{one['seconds']:.3f}",
            _UNKNOWN if one["fps"] is None else f"{one['fps']:.2f}",
            _lost(one["lost"]),
            size(one["bytes"]),
            escape(one["reason"] or _UNKNOWN),
            _state(one["state"]),
        )
    return table


def session_facts(session: Session, figures: dict[str, Any]) -> dict[str, str]:
    """What `info` says of a session, above its trials."""
    record = session.record
    hardware = record.hardware if isinstance(record.hardware, str) else ", ".join(map(str, record.hardware))
    return {
        "session": figures["session"],
        "created": _wall_clock(record.created),
        "participant": record.participant or _UNKNOWN,
        "hardware": hardware or _UNKNOWN,
        "machine": record.host,
        "software": record.software,
        "on disk": size(figures["bytes"]),
        "frames": f"{figures['frames']:,} in {figures['seconds']:.1f} s, {figures['lost']:,} lost",
    }


def recording_figures(recording: Recording) -> dict[str, Any]:
    """What `info --json` says of a recording."""
    attributes = recording.attributes
    recorder = attributes.ledger.recorder
    end = attributes.ledger.end
    losses = msgspec.to_builtins(end.losses) if end else None
    if losses is not None and recorder is not None:
        losses["disk"] = recorder.lost_disk
    return {
        "recording": str(recording.path),
        "format": attributes.format,
        "software": attributes.software,
        "session": attributes.session,
        "trial": attributes.trial,
        "state": attributes.state,
        "codec": recording.codec,
        "frames": len(recording),
        "seconds": round(recording.seconds, 6),
        "width_px": recording.width_px,
        "height_px": recording.height_px,
        "rate_fps": recording.rate_fps,
        "first_frame_id": int(recording.frame_id[0]) if len(recording) else None,
        "last_frame_id": int(recording.frame_id[-1]) if len(recording) else None,
        "lost": losses,
        "reason": end.reason if end else None,
        "gaps": [gap_figures(recording, gap) for gap in attributes.gaps],
        "clock": {
            **{name: value for name, value in attributes.clock.items() if _is_plain(value)},
            "pieces": clock_pieces(recording),
            "ptp": ptp_figures(attributes.clock),
        },
        "camera": attributes.camera,
        "source": msgspec.to_builtins(attributes.source) if attributes.source else None,
        "bytes": recording.disk_bytes,
    }


def recording_facts(recording: Recording) -> dict[str, str]:
    """What `info` says of a recording."""
    figures = recording_figures(recording)
    fit = recording.attributes.clock_fit
    lost = figures["lost"]
    camera = recording.attributes.camera
    named = [str(camera[key]) for key in ("vendor", "model", "serial") if camera.get(key)]
    facts = {
        "recording": figures["recording"],
        "state": figures["state"] + ("" if figures["codec"] == "raw" else f", packed as {figures['codec']}"),
        "session": f"{figures['session'] or _UNKNOWN}, {figures['trial'] or _UNKNOWN}",
        "camera": " ".join(named) or _UNKNOWN,
        "frames": f"{len(recording):,} of {recording.width_px} x {recording.height_px} pixels",
        "time": f"{recording.seconds:.3f} s at {recording.rate_fps:g} frames a second",
        "frame ids": f"{figures['first_frame_id']} to {figures['last_frame_id']}" if len(recording) else _UNKNOWN,
        "lost": ", ".join(f"{name} {count}" for name, count in lost.items()) if lost else "not known",
        **_away_facts(figures["gaps"]),
        "clock": (
            f"{fit.source}, residual {fit.residual_ns / 1e3:.1f} us, drift {fit.drift_ppm:+.2f} ppm"
            if fit
            else "arrival times only"
        ),
        **_clock_facts(figures["clock"]),
        "ended by": figures["reason"] or _UNKNOWN,
        "software": figures["software"] or _UNKNOWN,
        "on disk": size(figures["bytes"]),
    }
    source = recording.attributes.source
    if source is not None:
        span = f", frames {source.frames[0]}:{source.frames[1]}" if source.frames else ""
        facts["source"] = f"{source.operation} of {source.recording}{span}"
    return facts


def gap_figures(recording: Recording, gap: Gap) -> dict[str, Any]:
    """One stretch in which the camera was away: when, how long, and about how many frames were not taken."""
    frame = int(np.searchsorted(recording.host_ns.astype(np.int64), gap.to_host_ns))
    onset_s = (gap.from_host_ns - recording.time_of(0)) / 1e9 if len(recording) else None
    return {"onset_s": onset_s, "seconds": gap.seconds, "before_frame": frame, **msgspec.to_builtins(gap)}


def gap_line(gap: Gap) -> str:
    """`camera away for 3.2 s, about 1,600 frames not taken`."""
    back = "" if gap.returned else ", and not back before the end"
    return f"camera away for {gap.seconds:.1f} s{back}: about {gap.frames:,} frames not taken"


def clock_pieces(recording: Recording) -> list[dict[str, Any]]:
    """The lines of a camera clock that stepped or was reset: the first frame of each, and the step in front of it."""
    try:
        clock = piecewise_clock_from_attributes(recording.attributes.clock)
    except (KeyError, TypeError, ValueError, OverflowError):
        clock = None
    if clock is None or len(clock.segments) < 2 or not len(recording):
        return []
    host_ns, pieces = recording.host_ns.astype(np.int64), []
    for number, segment in enumerate(clock.segments):
        frame = int(np.searchsorted(host_ns, segment.from_host_ns))
        step_ns = None
        if number:
            before, device_ns = clock.segments[number - 1].fit, segment.fit.device_ns
            step_ns = int(before.to_host(device_ns)) - int(segment.fit.to_host(device_ns))
        onset_s = (int(host_ns[frame]) - int(host_ns[0])) / 1e9 if frame < len(host_ns) else None
        figures = {"frame": frame, "onset_s": onset_s, "step_ns": step_ns, "source": segment.fit.source}
        pieces.append({**figures, "residual_ns": segment.fit.residual_ns, "points": segment.fit.points})
    return pieces


def ptp_figures(clock: dict[str, Any]) -> dict[str, Any] | None:
    """What the camera said of its network clock: the last state, how often it changed, and the largest offset."""
    ptp = clock.get("ptp")
    if not isinstance(ptp, dict):
        return None
    readings = ptp.get("readings")
    if not isinstance(readings, list) or not readings or any(len(reading) != 4 for reading in readings):
        return None
    states = [tuple(reading[1:3]) for reading in readings]
    offsets = [abs(reading[3]) for reading in readings if isinstance(reading[3], int)]
    return {
        "enabled": bool(ptp.get("enabled")),
        "status": states[-1][0],
        "servo": states[-1][1],
        "changes": sum(one != two for one, two in pairwise(states)),
        "readings": len(readings),
        "largest_offset_ns": max(offsets, default=None),
    }


def _away_facts(gaps: list[dict[str, Any]]) -> dict[str, str]:
    lines = []
    for gap in gaps:
        at = "" if gap["onset_s"] is None else f" at {gap['onset_s']:.1f} s"
        where = f" (before frame {gap['before_frame']:,})" if gap["returned"] else ", not back before the end"
        lines.append(f"{gap['seconds']:.1f} s{at}{where}: about {gap['frames']:,} frames not taken")
    return {"camera away": "\n".join(lines)} if lines else {}


def _clock_facts(clock: dict[str, Any]) -> dict[str, str]:
    said = {}
    lines = [
        f"at frame {piece['frame']:,}"
        + ("" if piece["onset_s"] is None else f" ({piece['onset_s']:.3f} s)")
        + f": the camera's clock stepped by {piece['step_ns'] / 1e6:+,.3f} ms"
        for piece in clock["pieces"]
        if piece["step_ns"] is not None
    ]
    if lines:
        said["clock pieces"] = f"{len(lines) + 1}, each with its own line\n" + "\n".join(lines)
    ptp = clock["ptp"]
    if ptp is not None and ptp["enabled"]:
        off = "" if ptp["largest_offset_ns"] is None else f", at most {ptp['largest_offset_ns'] / 1e3:,.1f} us off"
        changes = f", {ptp['changes']} changes" if ptp["changes"] else ""
        said["ptp"] = f"{ptp['status']}" + (f", servo {ptp['servo']}" if ptp["servo"] else "") + changes + off
    return said


def facts(pairs: dict[str, str]) -> Table:
    """Names and values, one a line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, escape(value))
    return table


def print_verdict(console: Console, report: VerifyReport) -> None:
    """The verdict on one recording: a line, the four places, and what is wrong."""
    verdict = "[bold green]ok[/]" if report.ok else "[bold red]NOT OK[/]"
    read = f", {size(report.bytes)} read at {report.bytes / 1e6 / report.elapsed_s:,.0f} MB/s" if report.bytes else ""
    stamps = ", stamps match" if report.stamped and report.ok else ""
    name = escape(Path(report.path).name)
    console.print(f"{verdict}  {name}: {report.frames:,} frames{read}{stamps}", soft_wrap=True)
    if len(report.places) > 1:
        away = ("of these away",) if report.gaps else ()
        table = _table("place", "frames", "camera", *away, "incomplete", "ring", "disk", "agrees")
        for place in report.places:
            counts = [place.frames, place.camera, place.incomplete, place.ring, place.disk]
            if report.gaps:
                counts.insert(2, place.away)
            word = {True: "[green]yes[/]", False: "[red]NO[/]", None: _UNKNOWN}[place.agrees]
            table.add_row(place.name, *(_UNKNOWN if count is None else f"{count:,}" for count in counts), word)
        console.print(table)
    print_problems(console, list(report.problems))
    for gap in report.gaps:
        console.print(f"  [yellow]gap[/]      {escape(gap_line(gap))}", soft_wrap=True)
    for note in report.notes:
        console.print(f"  [dim]note[/]     {escape(note)}", soft_wrap=True)


def print_problems(console: Console, problems: list[str]) -> None:
    """What is damaged, a line each."""
    for problem in problems:
        console.print(f"  [red]problem[/]  {escape(problem)}", soft_wrap=True)


def repair_line(report: RepairReport) -> str:
    """What was done to one recording."""
    name = escape(Path(report.path).name)
    if not report.changed:
        return f"{name}: nothing to repair, {report.frames:,} frames"
    dropped = f", {report.frames_dropped:,} left out because their pixels are damaged" if report.frames_dropped else ""
    return f"{name}: repaired, {report.frames:,} frames{dropped}; {report.indexes_rebuilt} index blocks rebuilt"


def transcode_line(report: TranscodeReport) -> str:
    """What was packed."""
    return (
        f"{report.path}: {report.frames:,} frames, {size(report.raw_bytes)} packed to {size(report.packed_bytes)} "
        f"({report.ratio:.2f} to 1), every byte read back and compared"
    )


def size(count: int) -> str:
    """Bytes as people write them."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit in ("B", "kB") else f"{amount:.1f} {unit}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        words = name in ("state", "ended by", "agrees")
        table.add_column(name, justify="left" if words else "right", no_wrap=not words)
    return table


def _lost(count: int | None) -> str:
    if count is None:
        return _UNKNOWN
    return f"[red]{count:,}[/]" if count else "0"


def _state(state: str) -> str:
    colour = "green" if state == "complete" else "red" if "damaged" in state else "yellow"
    return f"[{colour}]{escape(state)}[/]"


def _wall_clock(text: str) -> str:
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return text


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) or value is None
