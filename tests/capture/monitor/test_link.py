"""The monitor on its real link: a hub over ipc, a ring in shared memory, a process on a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import zmq
import zmq.asyncio

import capture
from capture.messages import CaptureReport, Command, Event, Hello, Quit, decode, encode
from capture.monitor.app import MonitorApp
from capture.monitor.feed import HubFeed
from capture.monitor.lines import Lines
from capture.monitor.picture import Picture
from capture.ring import RingWriter

DEADLINE_S = 20


@pytest.fixture
def ring():
    ring = RingWriter.create(slots=4, height_px=96, width_px=128)
    yield ring
    ring.close()
    os.close(ring.fd)


def publish(ring: RingWriter, grey: int) -> None:
    slot = ring.acquire()
    assert slot is not None
    ring.begin(slot)
    np.frombuffer(ring.pixels(slot), np.uint8)[:] = grey
    ring.publish(slot, seq=0, frame_id=1, device_ns=1, host_ns=1)
    ring.release(slot)


class Hub:
    """The supervisor's end, with a ROUTER as it has."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(endpoint)
        self.peer = b""

    def hears(self, timeout_s: float = DEADLINE_S):
        assert self.socket.poll(timeout_s * 1000), "the monitor said nothing"
        self.peer, data = self.socket.recv_multipart()
        return decode(data)

    def says(self, *messages) -> None:
        for message in messages:
            self.socket.send_multipart([self.peer, encode(message)])


@pytest.fixture
def hub(tmp_path):
    hub = Hub(f"ipc://{tmp_path}/hub")
    yield hub
    hub.socket.close(0)
    hub.context.term()


@pytest.fixture
def link(hub, ring):
    feed = HubFeed(hub.endpoint, ring.fd)
    yield feed
    feed.close()


async def within_deadline(condition) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        await asyncio.sleep(0.01)


async def test_figures_and_pictures_arrive_and_commands_leave(hub, link, ring, recording):
    publish(ring, 200)
    app = MonitorApp(link)
    async with app.run_test(size=(80, 24)) as pilot:
        hello = await asyncio.to_thread(hub.hears)
        assert (type(hello), hello.process, hello.pid) == (Hello, "monitor", os.getpid())
        hub.says(CaptureReport(recording), Event(1, "info", "camera", "a line for the log"))

        def text(name: str) -> str:
            part = app.query_one(f"#{name}", Lines)
            return "\n".join(part.paint_line(y).text for y in range(part.size.height))

        await within_deadline(lambda: "6,170 ring" in text("figures") and "a line for the log" in text("events"))
        picture = app.query_one(Picture)
        middle = list(picture.paint_line(picture.size.height // 2))
        assert {segment.style.color.name for segment in middle if "▀" in segment.text} == {"#bcbcbc"}

        await pilot.press("m")
        marker = await asyncio.to_thread(hub.hears)
        assert (type(marker), marker.name) == (Command, "marker")
        hub.says(Quit())
        await within_deadline(lambda: app.return_code is not None)
    assert app.return_code == 0


async def test_reports_may_be_left_out_but_events_and_quit_come_through_in_order(hub, link, recording):
    messages = link.messages()
    first = asyncio.ensure_future(anext(messages))
    await asyncio.to_thread(hub.hears)
    backlog = [CaptureReport(recording)] * 20
    hub.says(Event(0, "info", "hub", "first"), *backlog, Event(1, "info", "hub", "between"), *backlog, Quit())
    assert (await first).text == "first"
    seen = []
    while not isinstance(seen[-1] if seen else None, Quit):
        seen.append(await asyncio.wait_for(anext(messages), DEADLINE_S))
    assert [message for message in seen if not isinstance(message, CaptureReport)] == [
        Event(1, "info", "hub", "between"),
        Quit(),
    ]
    await messages.aclose()


async def test_a_message_of_another_grammar_is_an_event_and_not_the_end(hub, link):
    messages = link.messages()
    first = asyncio.ensure_future(anext(messages))
    await asyncio.to_thread(hub.hears)
    hub.socket.send_multipart([hub.peer, b"\xc1 not msgpack"])
    event = await asyncio.wait_for(first, DEADLINE_S)
    assert (event.level, event.source) == ("error", "monitor")
    await messages.aclose()


@contextmanager
def monitor_on_a_terminal(hub: Hub, ring: RingWriter):
    """The monitor as the supervisor starts it; yields the process and a reader of all it has drawn so far."""
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    os.set_inheritable(ring.fd, True)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "capture.monitor", "--hub", hub.endpoint, "--ring-fd", str(ring.fd)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=[ring.fd],
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path(capture.__file__).parents[1])},
    )
    os.close(terminal)
    drawn = bytearray()

    def read(until: bytes) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while until not in drawn:
            assert time.monotonic() < deadline, f"{until!r} was never drawn"
            if select.select([controller], [], [], 0.1)[0]:
                try:
                    drawn.extend(os.read(controller, 65_536))
                except OSError:  # the terminal is closed once the process is gone
                    assert until in drawn
                    return

    try:
        yield process, controller, read
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def test_the_process_draws_takes_keys_and_leaves_at_quit(hub, ring, preview):
    publish(ring, 128)
    with monitor_on_a_terminal(hub, ring) as (process, controller, read):
        assert hub.hears().pid == process.pid
        hub.says(CaptureReport(preview))
        read(b"PREVIEW")
        os.write(controller, b"q")
        assert hub.hears() == Command(name="quit")
        hub.says(Quit())
        read(b"\x1b[?1049l")
        assert process.wait(DEADLINE_S) == 0


def test_a_terminated_process_gives_the_terminal_back(hub, ring, preview):
    with monitor_on_a_terminal(hub, ring) as (process, _, read):
        hub.hears()
        hub.says(CaptureReport(preview))
        read(b"PREVIEW")
        process.send_signal(signal.SIGTERM)
        read(b"\x1b[?1049l")
        read(b"monitor: ended by SIGTERM")
        assert process.wait(DEADLINE_S) == 1


def test_without_a_terminal_the_process_says_so(hub):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "capture.monitor", "--hub", hub.endpoint],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(capture.__file__).parents[1])},
    )
    assert done.returncode == 2
    assert done.stderr == "monitor: there is no terminal here: use --no-tui for progress lines\n"
