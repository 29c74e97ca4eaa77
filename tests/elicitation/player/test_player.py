"""The player on a virtual screen: what it says it showed is what was there."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from elicitation.placeholder import make_placeholder
from elicitation.player.flips import read_flips
from elicitation.player.focus import keyboard_focus
from elicitation.player.messages import (
    Answer,
    Began,
    Ended,
    Failed,
    Hide,
    Order,
    Play,
    Quit,
    Ready,
    Show,
    Stop,
    answer_decoder,
)

pytestmark = pytest.mark.alone

FRAMES = 90


class Running:
    """A player process and the two ends of its pipe."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "elicitation.player", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def order(self, order: Order) -> None:
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.process.stdin.flush()

    def answer(self) -> Answer:
        return answer_decoder.decode(self.process.stdout.readline())

    def quit(self) -> int:
        with contextlib.suppress(BrokenPipeError):
            self.order(Quit())
        code = self.process.wait(20)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return code


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return make_placeholder(tmp_path_factory.mktemp("clip") / "02sa.mp4", title="02sa", duration_s=FRAMES / 30)


@pytest.fixture
def player(virtual_screen):
    running = Running(virtual_screen.environment, "--patch")
    assert isinstance(running.answer(), Ready)
    yield running
    assert running.quit() == 0


def test_every_frame_is_shown_once_in_order_and_its_time_is_the_truth(player, spy, clip, tmp_path):
    flips_file = tmp_path / "flips.jsonl"
    player.order(Play("02sa", str(clip), str(flips_file)))
    began, ended = player.answer(), player.answer()
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    flips = read_flips(flips_file)
    assert [flip.frame for flip in flips] == list(range(FRAMES))
    assert ended.frames == FRAMES
    assert (ended.dropped, ended.late) == (sum(f.dropped for f in flips), sum(f.late for f in flips))
    assert ended.complete
    assert began.host_ns == flips[0].host_ns
    numbers = [number for number, _ in spy.seen]
    assert numbers == sorted(set(numbers))
    seen = dict(spy.seen)
    shown = [flip for flip in flips if not flip.dropped]
    # A machine that is busy elsewhere can keep the spy from looking for a while: half of all is plenty to compare.
    compared = [flip.host_ns - seen[flip.frame] for flip in shown if flip.frame in seen]
    assert len(compared) > FRAMES / 2
    assert abs(float(np.median(compared))) < 4e6
    assert all(a.host_ns < b.host_ns for a, b in pairwise(shown))


def test_presentation_times_are_those_of_the_file(player, clip, tmp_path):
    player.order(Play("02sa", str(clip), str(tmp_path / "flips.jsonl")))
    player.answer()
    player.answer()
    flips = read_flips(tmp_path / "flips.jsonl")
    assert [flip.media_s for flip in flips] == pytest.approx([i / 30 for i in range(FRAMES)], abs=1e-6)


def test_a_stimulus_is_stopped_in_the_middle_and_what_was_shown_is_kept(player, clip, tmp_path):
    player.order(Play("02sa", str(clip), str(tmp_path / "flips.jsonl")))
    assert isinstance(player.answer(), Began)
    player.order(Stop())
    ended = player.answer()
    assert not ended.complete
    flips = read_flips(tmp_path / "flips.jsonl")
    assert 0 < len(flips) == ended.frames < FRAMES


def test_what_cannot_be_played_is_said_and_the_player_goes_on(player, clip, tmp_path):
    for path, message in ((tmp_path / "none.mp4", "No such file"), (Path(__file__), "cannot play")):
        player.order(Play("x", str(path), str(tmp_path / "flips.jsonl")))
        failed = player.answer()
        assert isinstance(failed, Failed)
        assert message in failed.error
    player.process.stdin.write(b'{"type":"dance"}\n')
    player.process.stdin.flush()
    assert "not an order" in player.answer().error
    player.order(Play("02sa", str(clip), str(tmp_path / "after.jsonl")))
    assert isinstance(player.answer(), Began)
    assert player.answer().complete


def test_a_text_is_on_the_screen_until_something_else_is(player, virtual_screen, clip, tmp_path):
    player.order(Show("Please keep a neutral face.\nBitte schauen Sie ruhig."))
    player.order(Play("x", str(tmp_path / "none.mp4"), str(tmp_path / "flips.jsonl")))
    assert isinstance(player.answer(), Failed)
    lit = virtual_screen.pixels[:, :, 0] > 128
    rows = np.flatnonzero(lit.any(axis=1))
    assert len(rows) > 20
    assert abs(rows.mean() - 360) < 60


def test_a_hidden_window_leaves_the_keyboard_to_what_is_behind_it(player, virtual_screen, tmp_path):
    """Nobody else does where there is no window manager, and the participant's pages would take no keys."""
    library = ctypes.CDLL("libX11.so.6")
    library.XOpenDisplay.restype = ctypes.c_void_p
    display = ctypes.c_void_p(library.XOpenDisplay(virtual_screen.display.encode()))

    def focus_after(order):
        player.order(order)
        player.order(Play("x", str(tmp_path / "none.mp4"), str(tmp_path / "flips.jsonl")))
        assert isinstance(player.answer(), Failed)
        return keyboard_focus(library, display)

    nobody, under_the_pointer = 0, 1
    assert focus_after(Show("Please rest.")) not in (nobody, under_the_pointer)
    assert focus_after(Hide()) == under_the_pointer
    library.XCloseDisplay(display)


def test_the_patch_follows_the_frames(virtual_screen, clip, tmp_path):
    with_patch = Running(virtual_screen.environment, "--patch")
    try:
        with_patch.answer()
        with_patch.order(Play("02sa", str(clip), str(tmp_path / "flips.jsonl")))
        with_patch.answer()
        with_patch.answer()
        # The last frame stays: an odd number, so the patch is dark; the video's own background is not.
        assert virtual_screen.pixels[-5, 5, 0] == (255 if (FRAMES - 1) % 2 == 0 else 0)
    finally:
        assert with_patch.quit() == 0


def test_a_player_without_orders_ends(virtual_screen):
    running = Running(virtual_screen.environment)
    running.answer()
    running.process.stdin.close()
    assert running.process.wait(20) == 0
    running.process.stdout.close()
    running.process.stderr.close()


def test_a_display_that_is_not_there_is_refused_with_those_that_are(virtual_screen):
    running = Running(virtual_screen.environment, "--display", "projector")
    failed = running.answer()
    assert isinstance(failed, Failed)
    assert "'projector'" in failed.error
    assert "0:" in failed.error
    assert running.quit() == 1


def test_a_silent_video_with_an_odd_rate_is_played_by_the_hosts_clock(player, tmp_path):
    clip = make_placeholder(
        tmp_path / "odd.mp4", title="odd", duration_s=1, rate_fps=Fraction(24000, 1001), width_px=640, height_px=360
    )
    player.order(Play("odd", str(clip), str(tmp_path / "flips.jsonl")))
    player.answer()
    ended = player.answer()
    assert ended.complete
    assert ended.frames == 24
