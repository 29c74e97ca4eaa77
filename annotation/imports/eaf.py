"""ELAN files (`.eaf`) as coded samples: a tier of expressions, and what other tiers say within their time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from annotation.coded import CodedSample
from capture.errors import BadInput
from capture.recording.files import read_document
from expression import Emotion, KeyFrames, parse_emotion, read_units
from expression.errors import LabelUnknown

_MOST_BYTES: Final = 32 << 20
_TIERS: Final = {
    "expression": ("expression", "expressions", "me", "micro-expression", "microexpression", "event"),
    "emotion": ("emotion", "emotions"),
    "units": ("action_units", "action units", "au", "aus", "facs"),
    "apex": ("apex",),
}
_FRAMES: Final = re.compile(r"(\d+)/(\d+)/(\d+)")
Span = tuple[float, float, str]


def read_eaf(path: Path, rate_fps: float | None) -> tuple[list[CodedSample], list[str]]:
    """The expressions of an ELAN file, and remarks.

    Tiers are known by their names: `expression`, `emotion`, `action_units`, `apex`, and common others. Where no tier of
    expressions is there, the emotion's spans are taken. Frame numbers come from the annotation of the apex where we
    wrote the file, else from the times.

    Args:
        path: The file; subject and clip are read from its name, `<subject>_<clip>.eaf`.
        rate_fps: Frames a second; None takes what the file's header says.

    Raises:
        BadInput: It cannot be read, is no ELAN file, or leaves its rate open.
    """
    root = _parsed(path)
    rate = rate_fps or _said_rate(root)
    if not rate:
        raise BadInput(f"{path} does not say its frame rate: give --fps")
    tiers = _tiers(path, root)
    spans = tiers["expression"] or tiers["emotion"] or tiers["units"]
    subject, _, name = path.stem.partition("_")
    samples, remarks = [], []
    for start, end, text in spans:
        exact = next(
            (found for _, _, said in _within(tiers["apex"], start, end) if (found := _FRAMES.match(said))), None
        )
        if exact:
            key_frames = KeyFrames(*(int(number) for number in exact.groups()))
        else:
            peaks = _within(tiers["apex"], start, end)
            onset, offset = round(start * rate / 1000), max(round(end * rate / 1000) - 1, round(start * rate / 1000))
            apex = min(max(round(peaks[0][0] * rate / 1000), onset), offset) if peaks else None
            key_frames = KeyFrames(onset, apex, offset)
        label = next((said for _, _, said in _within(tiers["emotion"], start, end) if said), "")
        emotion = _emotion(label)
        if label and emotion is None:
            remarks.append(f"{path.name} at {start / 1000:.3f} s: {label!r} is none of our emotions")
        units = read_units("+".join(said for _, _, said in _within(tiers["units"], start, end)))
        samples.append(
            CodedSample(
                subject=subject,
                name=name.replace("_", "/", 1) if name else path.stem,
                key_frames=key_frames,
                rate_fps=rate,
                emotion=emotion,
                units=units.units,
                label="" if emotion else label,
                other_units=(*map(str, units.foreign), *units.unclear),
                kind=next((kind for kind in ("micro", "macro") if text.casefold().startswith(kind)), ""),
            )
        )
    return samples, remarks


def _parsed(path: Path) -> ET.Element:
    try:
        content = read_document(path, _MOST_BYTES)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    # Entities can make a small file huge; ELAN has none.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise BadInput(f"{path} is not an ELAN file: it declares a document type")
    try:
        root = ET.fromstring(content)  # noqa: S314 - without a document type there is nothing to expand
    except ET.ParseError as error:
        raise BadInput(f"{path} is not an ELAN file: {error}") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise BadInput(f"{path} is not an ELAN file: its root is {root.tag}")
    return root


def _said_rate(root: ET.Element) -> float | None:
    for found in root.iterfind("HEADER/PROPERTY"):
        if found.get("NAME") == "rate_fps":
            try:
                rate = float(found.text or "")
            except ValueError:
                return None
            return rate if 0 < rate < 1e6 else None
    return None


def _tiers(path: Path, root: ET.Element) -> dict[str, list[Span]]:
    times: dict[str, float] = {}
    for slot in root.iterfind("TIME_ORDER/TIME_SLOT"):
        value = slot.get("TIME_VALUE", "")
        if value.isdecimal() and len(value) < 16:
            times[slot.get("TIME_SLOT_ID", "")] = float(value)
    found: dict[str, list[Span]] = {kind: [] for kind in _TIERS}
    names = []
    for tier in root.iterfind("TIER"):
        name = tier.get("TIER_ID", "")
        names.append(name)
        kind = next((kind for kind, known in _TIERS.items() if name.casefold().strip() in known), None)
        if kind is None:
            continue
        for annotation in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
            start = times.get(annotation.get("TIME_SLOT_REF1", ""))
            end = times.get(annotation.get("TIME_SLOT_REF2", ""))
            if start is not None and end is not None and start <= end:
                found[kind].append((start, end, (annotation.findtext("ANNOTATION_VALUE") or "").strip()))
    if not any(found.values()):
        known_names = ", ".join(known[0] for known in _TIERS.values())
        raise BadInput(f"{path} has no tier called {known_names}; it has {', '.join(names) or 'none'}")
    return found


def _within(spans: list[Span], start: float, end: float) -> list[Span]:
    """Spans whose middle lies in a time."""
    return [span for span in spans if start <= (span[0] + span[1]) / 2 <= end]


def _emotion(label: str) -> Emotion | None:
    try:
        return parse_emotion(label)
    except LabelUnknown:
        return None
