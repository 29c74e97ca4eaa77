"""Every command of the package is there, and Ctrl-C before it has begun ends it without a word."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tests.test_examples import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_loads_its_own_module(name, monkeypatch):
    (entry,) = entry_points(group="console_scripts", name=name)
    run = []
    monkeypatch.setattr(f"{COMMANDS[name]}.main", lambda: run.append(signal.getsignal(signal.SIGINT)))
    before = signal.getsignal(signal.SIGINT)
    try:
        entry.load()()
    finally:
        signal.signal(signal.SIGINT, before)
    assert run == [signal.default_int_handler]


def test_an_interrupt_while_modules_are_loaded_ends_without_a_traceback():
    # The module that is loaded sends the interrupt itself: it comes at the worst moment for certain.
    code = """
import os, signal, sys, types
class Finder:
    def find_spec(self, name, *_):
        if name == "capture.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from capture.entry import capture
capture()
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""
