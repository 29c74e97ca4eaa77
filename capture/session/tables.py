"""How `dfme-session` shows sessions, recordings and verdicts to people: tables and lines."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from capture.recording.reader import Recording
from capture.recording.repair import RepairReport
from capture.recording.transcode import TranscodeReport
from capture.recording.verify import VerifyReport
from capture.session.figures import recording_figures
from capture.session.folder import Session
from capture.statistics import Gap

_UNKNOWN = "-"


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


def gap_line(gap: Gap) -> str:
    """`camera away for 3.2 s, about 1,600 frames not taken`."""
    back = "" if gap.returned else ", and not back before the end"
    return f"camera away for {gap.seconds:.1f} s{back}: about {gap.frames:,} frames not taken"


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
