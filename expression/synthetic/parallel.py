"""Makes a data set in several processes, one subject at a time each; can be stopped at any frame and gone on with."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator
from itertools import groupby
from multiprocessing.context import SpawnProcess
from pathlib import Path

import cv2

from expression.errors import ExpressionError
from expression.synthetic.dataset import (
    DatasetSummary,
    Recording,
    SynthesisPlan,
    close_dataset,
    open_dataset,
    performance_of,
    write_subject,
)
from expression.synthetic.long_recordings import WriteLong, write_recording

Progress = Callable[[int, int, str], None]
"""Told the frames rendered, the frames to render, and in a few words what is done."""

_POLL_S = 0.2


class _Stopped(Exception):
    pass


class _Counter:
    """Turns "frame n of a recording is there" into how many frames are new."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._there: dict[Recording, int] = {}

    def __call__(self, recording: Recording, frames: int) -> None:
        new = frames - self._there.get(recording, 0)
        self._there[recording] = frames
        self._tell(new)


def synthesize(
    out: Path,
    plan: SynthesisPlan,
    *,
    subjects: int,
    clips_per_subject: int = 1,
    jobs: int = 1,
    progress: Progress = lambda done, total, text: None,
    write_long: WriteLong = write_recording,
) -> DatasetSummary:
    """Makes the recordings that `out` does not have yet, and writes the table over all of them.

    The files are the same bytes whatever the number of processes and however often the work was interrupted.

    Args:
        out: Folder of the data set.
        plan: What it is made of.
        subjects: How many subjects it is to have.
        clips_per_subject: Clips of each; long recordings are one for each subject.
        jobs: Processes.
        progress: Told about frames.
        write_long: Writes a long recording.

    Raises:
        BadInput: A value makes no sense, or the folder holds something else.
        ExpressionError: The disk has no room, or a process failed; what is finished is valid.
    """
    missing = open_dataset(out, plan, subjects, clips_per_subject)
    by_subject = [list(group) for _, group in groupby(missing, key=lambda recording: recording.subject)]
    total = sum(performance_of(plan, recording).frames(plan.rate_fps) for recording in missing)
    label = f"{len(by_subject)} subjects"
    done = 0

    def add(frames: int) -> None:
        nonlocal done
        done += frames
        progress(done, total, label)

    if jobs <= 1 or len(by_subject) <= 1:
        counter = _Counter(add)
        for recordings in by_subject:
            write_subject(out, plan, recordings, counter, write_long)
    else:
        for frames in _in_processes(out, plan, by_subject, min(jobs, len(by_subject)), write_long):
            add(frames)
    return close_dataset(out, plan)


def _in_processes(
    out: Path, plan: SynthesisPlan, work: list[list[Recording]], jobs: int, write_long: WriteLong
) -> Iterator[int]:
    """Runs the work in processes of its own; yields numbers of frames as they are done."""
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    tasks = context.Queue()
    results = context.Queue()
    for recordings in work:
        tasks.put(recordings)
    for _ in range(jobs):
        tasks.put(None)
    workers = [
        context.Process(target=_work, args=(out, plan, tasks, results, os.getpid(), write_long), daemon=True)
        for _ in range(jobs)
    ]
    for worker in workers:
        worker.start()
    try:
        yield from _until_done(workers, results)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        tasks.cancel_join_thread()


def _until_done(workers: list[SpawnProcess], results: multiprocessing.Queue[tuple[int, str]]) -> Iterator[int]:
    while True:
        alive = any(worker.is_alive() for worker in workers)
        try:
            frames, fault = results.get(timeout=_POLL_S)
        except queue.Empty:
            if not alive:
                break
            continue
        if fault:
            raise ExpressionError(fault)
        yield frames
    for worker in workers:
        if worker.exitcode:
            raise ExpressionError(f"a rendering process ended with status {worker.exitcode}: start again to go on")


def _work(
    out: Path,
    plan: SynthesisPlan,
    tasks: multiprocessing.Queue[list[Recording] | None],
    results: multiprocessing.Queue[tuple[int, str]],
    parent: int,
    write_long: WriteLong,
) -> None:
    """One process: subjects from the queue until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    results.cancel_join_thread()

    def tell(frames: int) -> None:
        if os.getppid() != parent:
            raise _Stopped
        results.put((frames, ""))

    with contextlib.suppress(_Stopped):
        while (recordings := tasks.get()) is not None:
            try:
                write_subject(out, plan, recordings, _Counter(tell), write_long)
            except ExpressionError as error:
                results.put((0, str(error)))
            except OSError as error:
                results.put((0, f"{error.filename or out}: {error.strerror or error}"))
