"""Kills one process of `dfme-capture`, or all of them, at a random moment of a trial, again and again.

After each kill the recording must open in zarr-python and tensorstore as it is, `verify` must say what is missing, and
the last frame must be younger than 100 ms at the moment of the kill; a killed recorder or monitor must cost nothing.
Prints one JSON line, and exits with 1 where a kill cost more.

    python benchmarks/kill_campaign.py --folder /data/tmp --kills 200
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.killing import TARGETS, Kill, campaign


def distribution(kills: list[Kill]) -> dict[str, Any]:
    """What the kills of one target cost, in milliseconds of frames."""
    lost = [kill.lost_ms for kill in kills]
    marks = {f"p{share}_ms": round(float(np.percentile(lost, share)), 2) for share in (10, 50, 90, 99)}
    figures = {**marks, "worst_ms": max(lost), "waited_worst_ms": max(kill.waited_ms for kill in kills)}
    return {"kills": len(kills), "as_promised": sum(kill.as_promised for kill in kills), **figures}


def main() -> int:
    """Kill, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on the disk to be used")
    parser.add_argument("--kills", type=int, default=50, help="in all, over the targets in turn")
    parser.add_argument("--targets", nargs="*", choices=TARGETS, default=TARGETS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("DFME_SIMULATOR_SERIALS", f"KILL{os.getpid()}")
    counts = {t: len(range(i, arguments.kills, len(arguments.targets))) for i, t in enumerate(arguments.targets)}
    kills: list[Kill] = []
    for kill in campaign(counts, arguments.folder, random.Random(arguments.seed)):
        kills.append(kill)
        print(f"  {kill}", file=sys.stderr)
    line: dict[str, Any] = {"benchmark": "kill_campaign", "kills": len(kills), "seed": arguments.seed}
    line |= {"all_open": all(kill.opens for kill in kills), "ok": all(kill.as_promised for kill in kills)}
    for target in arguments.targets:
        chosen = [kill for kill in kills if kill.target == target]
        if chosen:
            line[target] = distribution(chosen)
    line["each"] = [asdict(kill) for kill in kills]
    print(json.dumps(line))
    return 0 if line["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
