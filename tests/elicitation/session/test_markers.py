"""Markers for the Lab Streaming Layer: what a recorder of another make receives."""

from __future__ import annotations

import os
import time

import msgspec
import pytest

from capture.elicited import Elicited
from capture.messages import Event
from elicitation.session.markers import STREAM_NAME, Markers

pylsl = pytest.importorskip("pylsl")


def test_an_event_arrives_with_its_own_time():
    source = f"test-{os.getpid()}"
    markers = Markers(source)
    streams = pylsl.resolve_byprop("source_id", source, timeout=10)
    assert [stream.name() for stream in streams] == [STREAM_NAME]
    inlet = pylsl.StreamInlet(streams[0])
    inlet.open_stream(timeout=10)
    event = Event(time.monotonic_ns() - 5_000_000_000, "info", "session", "02sa", elicited=Elicited("02sa"))
    markers.push(event)
    (text,), stamp = inlet.pull_sample(timeout=10)
    assert msgspec.json.decode(text, type=Event) == event
    assert stamp == pytest.approx(event.host_ns / 1e9, abs=1e-6)
    assert pylsl.local_clock() == pytest.approx(time.monotonic(), abs=0.05)
    inlet.close_stream()
