"""Fuzzes the parsers: `python -m tests.fuzz --seconds 60 [TARGET ...]`; needs the extra `fuzz`.

Prints one JSON line. What breaks a promise is kept in the folder of finds, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.contract import LONGEST_S
from tests.fuzz.targets import TARGETS, scratch

_MEMORY_MB = 2048
_LONGEST_INPUT = 65_536


def fuzz(name: str, seconds: int, corpus: Path, finds: Path) -> dict[str, object]:
    """Fuzz one target in a process of its own; what it did."""
    finds.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds,
        "timeout": 2 * LONGEST_S,
        "rss_limit_mb": _MEMORY_MB,
        "max_len": _LONGEST_INPUT,
        "artifact_prefix": f"{finds}/{name}-",
        "report_slow_units": 2 * LONGEST_S,
        "print_final_stats": 1,
    }
    # Made and removed here: the fuzzer ends its process without looking back.
    folder = scratch()
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(corpus / name), str(folder)]
    try:
        done = subprocess.run(
            [*command, *(f"-{option}={value}" for option, value in options.items())],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    runs = re.findall(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    features = re.findall(r"ft: (\d+)", done.stderr)
    found = sorted(path.name for path in finds.glob(f"{name}-*"))
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-4000:])
    return {
        "target": name,
        "runs": int(runs[-1]) if runs else 0,
        "features": int(features[-1]) if features else 0,
        "ok": done.returncode == 0,
        "finds": found,
    }


def main() -> int:
    """Fuzz the targets asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one or more of {', '.join(TARGETS)}; all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--corpus", type=Path, help="folder to keep inputs that reached something new in")
    parser.add_argument("--finds", type=Path, default=Path("fuzz-finds"), help="folder for what broke a promise")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]}: there are {', '.join(TARGETS)}")
    if find_spec("atheris") is None:
        parser.error("atheris is not installed: ./install.sh --with fuzz")
    with tempfile.TemporaryDirectory() as scratch:
        corpus = arguments.corpus or Path(scratch)
        names = arguments.targets or list(TARGETS)
        results = [fuzz(name, arguments.seconds, corpus, arguments.finds) for name in names]
    sys.stdout.write(json.dumps({"fuzz": results, "ok": all(result["ok"] for result in results)}) + "\n")
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
