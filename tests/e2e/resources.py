"""What the processes of a running `dfme-capture` hold: memory of their own, descriptors, sockets, mappings, threads."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

ROLES = {"capture.processes.camera": "camera", "capture.processes.recorder": "recorder", "capture.monitor": "monitor"}


@dataclass(frozen=True)
class Counts:
    """What a process has open; exact."""

    descriptors: int
    sockets: int
    shared_mappings: int
    threads: int


@dataclass(frozen=True)
class Held:
    """What a process holds at one moment."""

    private_mb: float
    """Memory that is its own: the ring, which all share, is not in it."""
    counts: Counts
    cpu_s: float


def family(supervisor: int) -> dict[str, psutil.Process]:
    """The processes of one capture, by what they do."""
    found = {"supervisor": psutil.Process(supervisor)}
    for process in found["supervisor"].children():
        for module, name in ROLES.items():
            if module in process.cmdline():
                found[name] = process
    return found


def held(process: psutil.Process) -> Held:
    """What a process holds now."""
    folder = Path(f"/proc/{process.pid}")
    links = []
    for link in (folder / "fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    mappings = (folder / "maps").read_text().splitlines()
    counts = Counts(
        descriptors=len(links),
        sockets=sum(link.startswith("socket:") for link in links),
        shared_mappings=sum("/memfd:" in line or "/dev/shm/" in line for line in mappings),
        threads=int(status["Threads"]),
    )
    cpu_s = sum(process.cpu_times()[:2])
    return Held(round(int(status["RssAnon"].split()[0]) / 1024, 2), counts, round(cpu_s, 2))


def most_apart(counts: list[Counts]) -> Counts:
    """How far the figures of several moments lie apart."""
    columns = zip(*(astuple(one) for one in counts), strict=True)
    return Counts(*(max(column) - min(column) for column in columns))
