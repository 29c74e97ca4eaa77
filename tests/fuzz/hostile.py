"""Values that parsers stumble over, and documents with one of their values replaced by such a one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 255, 65_536, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30,
    -(2**63), 0.0, -0.5, 1e-300, 1e300, 1.7e308, "", "x", "9" * 5000, "nan", "inf", "-1", "1.0", "99.9", "\x00", "\n",
    "\x1b[2J", "\x9b1m", "../..", "/etc/passwd", ".", "a/../../b", "[bold]", "\u202e", "raw", "complete", "repaired",
    [], [[]], [0], [-1], [0, 0], [2**64, -1], [[1, 0]], [[0, 10**20]], [1] * 400, {}, {"": {}}, {"name": "bytes"},
    {"end": None}, {"source": "latch"},
)  # fmt: skip
"""What a value of a document may be replaced by."""
SPELLINGS = (b"NaN", b"-Infinity", b"1e999", b'"\\ud800"', b"9" * 5000, b"[" * 200, b'{"a":' * 70, b"\xff\xfe")
"""What JSON, or Python's idea of it, has no value for."""


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a document."""
    keys = document.keys() if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from places(document[key])


def spoilt(text: bytes, chance: random.Random) -> bytes:
    """A JSON document with one to three of its values replaced, left out, doubled or misspelt."""
    document = json.loads(text)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        found = list(places(document))
        if not found:
            break
        container, key = chance.choice(found)
        if isinstance(container, dict) and chance.random() < 0.1:
            del container[key]
        elif isinstance(container, list) and chance.random() < 0.2:
            container.insert(key, container[key])
        else:
            container[key] = chance.choice(VALUES)
    made = json.dumps(document).encode()
    if chance.random() < 0.1:
        cuts = [i for i, byte in enumerate(made) if byte in b":,["]
        if cuts:
            cut = chance.choice(cuts) + 1
            stop = next((i for i in range(cut, len(made)) if made[i] in b",]}"), len(made))
            made = made[:cut] + chance.choice(SPELLINGS) + made[stop:]
    return made
