"""Fuzzes one target with coverage: `python -m tests.fuzz.one TARGET CORPUS FOLDER [libFuzzer options]`."""

from __future__ import annotations

import random
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import atheris

# An editable install finds our modules with a loader of its own, which atheris cannot instrument.
sys.meta_path.insert(0, PathFinder)
with atheris.instrument_imports(include=["capture"]):
    from tests.fuzz.hostile import spoilt
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the time is over or something is found."""
    name, corpus, folder = sys.argv[1:4]
    target = TARGETS[name](Path(folder))
    seeds = Path(corpus)
    seeds.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"seed-{number:02d}").write_bytes(seed)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        """JSON keeps its shape half of the time: bytes alone hardly ever make another number out of one."""
        chance = random.Random(seed)
        if data and data[0] in target.json_files and chance.random() < 0.5:
            try:
                return (data[:1] + spoilt(data[1:], chance))[:max_size]
            except (ValueError, RecursionError):
                pass
        return bytes(atheris.Mutate(data, max_size))

    atheris.Setup([sys.argv[0], corpus, *sys.argv[4:]], target, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
