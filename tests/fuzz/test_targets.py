"""Every target takes its seeds, a fixed set of hostile inputs, and, where atheris is installed, some that it finds."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.contract import Target
from tests.fuzz.hostile import spoilt
from tests.fuzz.targets import TARGETS, scratch

INPUTS = 25
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=TARGETS)
def target(request):
    folder = scratch()
    made = TARGETS[request.param](folder)
    yield made
    made.close()
    shutil.rmtree(folder)


def damaged(target: Target, seed: bytes, chance: random.Random) -> bytes:
    """`seed` with a value of its document exchanged, or with some of its bytes changed, left out or doubled."""
    if seed[0] in target.json_files and chance.random() < 0.8:
        return seed[:1] + spoilt(seed[1:], chance)
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(1, len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[place] = chance.randrange(256)
        elif kind == 1:
            del data[place : place + chance.randint(1, 20)]
        elif kind == 2:
            data[place:place] = data[place : place + chance.randint(1, 20)]
        else:
            data[place : place + 8] = chance.choice((2**64 - 1, 2**63, 0, 2**32)).to_bytes(8, "little")
        if len(data) < 2:
            break
    return bytes(data)


def test_what_we_made_ourselves_is_taken(target):
    for seed in target.seeds():
        target(seed)


def test_what_is_damaged_is_refused_in_one_line_and_nothing_else_happens(target):
    chance = random.Random(7)
    seeds = target.seeds()
    for _ in range(INPUTS):
        target(damaged(target, chance.choice(seeds), chance))


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: ./install.sh --with fuzz")
def test_the_fuzzer_follows_coverage(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "settings", "--seconds", "5", "--finds", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout.splitlines()[-1])["fuzz"]
    assert result["runs"] > 50
    assert result["features"] > 50, "nothing is instrumented"
