"""Tests that need the machine for themselves get it, and get it in time."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

from tests.turns import is_alone, turn

PATIENCE_S = 20


class Guest:
    """Takes a turn and keeps it until told to leave."""

    def __init__(self, folder, *, alone: bool) -> None:
        self.inside, self._leave = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._visit, args=(folder, alone))
        self._thread.start()

    def _visit(self, folder, alone: bool) -> None:
        with turn(folder, alone=alone):
            self.inside.set()
            self._leave.wait(PATIENCE_S)

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def test_most_tests_run_beside_each_other(tmp_path):
    guests = [Guest(tmp_path, alone=False) for _ in range(2)]
    assert all(guest.inside.wait(PATIENCE_S) for guest in guests)
    for guest in guests:
        guest.leave()


def test_one_that_needs_the_machine_for_itself_waits_for_the_others_and_lets_no_new_one_in(tmp_path):
    first = Guest(tmp_path, alone=False)
    assert first.inside.wait(PATIENCE_S)
    alone = Guest(tmp_path, alone=True)
    wait_until_the_door_is_shut(tmp_path)
    late = Guest(tmp_path, alone=False)
    assert not alone.inside.is_set()

    first.leave()
    assert alone.inside.wait(PATIENCE_S)
    assert not late.inside.is_set()

    alone.leave()
    assert late.inside.wait(PATIENCE_S)
    late.leave()


def wait_until_the_door_is_shut(folder: Path) -> None:
    def shut() -> bool:
        with (folder / "door").open("w") as door:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not shut():
        assert time.monotonic() < deadline, "nobody waits"
        pause.wait(0.001)


def test_what_needs_the_machine_for_itself_comes_last_and_whole_commands_do_unless_they_say_otherwise(request):
    items = request.session.items
    alone = [is_alone(item) for item in items]
    assert alone == sorted(alone)
    for item, mark in zip(items, alone, strict=True):
        if item.nodeid.startswith("tests/e2e/"):
            assert mark or item.get_closest_marker("beside_others") is not None, item.nodeid
