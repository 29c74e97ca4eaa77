"""Coded expressions as ELAN files (`.eaf`): tiers for key-frames, emotion and action units, in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from annotation.coded import CodedSample
from expression import format_units

TIERS: Final = ("expression", "emotion", "action_units", "apex")


def eaf(samples: Sequence[CodedSample], author: str = "dfme") -> bytes:
    """One ELAN document for one recording.

    The tier `expression` spans onset to offset (inclusive of the last frame) with `micro` or `macro`, `emotion` and
    `action_units` span the same, and `apex` the frame of greatest change. Frame numbers stand in a property of the
    header and in the annotation of the apex, since milliseconds cannot hold a frame at 300 frames a second exactly.

    Args:
        samples: Of the same recording.
        author: Written into the file.
    """
    document = ET.Element("ANNOTATION_DOCUMENT", {"AUTHOR": author, "DATE": _now(), "FORMAT": "3.0", "VERSION": "3.0"})
    header = ET.SubElement(document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    rate = samples[0].rate_fps if samples else 0.0
    ET.SubElement(header, "PROPERTY", {"NAME": "rate_fps"}).text = f"{rate:g}"
    ordered = sorted(samples, key=lambda one: one.key_frames.onset)
    order = ET.SubElement(document, "TIME_ORDER")
    tiers: dict[str, list[tuple[int, int, str]]] = {tier: [] for tier in TIERS}
    for sample in ordered:
        marks = sample.key_frames
        span = marks.onset, marks.offset + 1
        texts = {
            "expression": "micro" if sample.micro else "macro",
            "emotion": sample.emotion.value if sample.emotion else sample.label,
            "action_units": format_units(sample.units, style="facs"),
        }
        for tier, text in texts.items():
            tiers[tier].append((_ms(span[0], rate), _ms(span[1], rate), text))
        if marks.apex is not None:
            text = f"{marks.onset}/{marks.apex}/{marks.offset}"
            tiers["apex"].append((_ms(marks.apex, rate), _ms(marks.apex + 1, rate), text))
    # Slots stand in the order of time, one for each moment, as ELAN itself writes them.
    times = sorted({time_ms for spans in tiers.values() for start, end, _ in spans for time_ms in (start, end)})
    slots = {time_ms: f"ts{number}" for number, time_ms in enumerate(times, start=1)}
    for time_ms, name in slots.items():
        ET.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(time_ms)})
    count = 0
    for tier, spans in tiers.items():
        element = ET.SubElement(document, "TIER", {"LINGUISTIC_TYPE_REF": "default-lt", "TIER_ID": tier})
        for start, end, text in spans:
            count += 1
            holder = ET.SubElement(element, "ANNOTATION")
            place = {"ANNOTATION_ID": f"a{count}", "TIME_SLOT_REF1": slots[start], "TIME_SLOT_REF2": slots[end]}
            ET.SubElement(ET.SubElement(holder, "ALIGNABLE_ANNOTATION", place), "ANNOTATION_VALUE").text = text
    kind = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true"}
    ET.SubElement(document, "LINGUISTIC_TYPE", kind)
    ET.indent(document)
    content: bytes = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _ms(frame: int, rate_fps: float) -> int:
    return round(frame * 1000 / rate_fps)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
