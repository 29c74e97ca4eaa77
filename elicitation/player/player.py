"""The player's loop: each frame at the moment that the sound gives it, and the time at which it really appeared."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

from elicitation.errors import ElicitationError
from elicitation.player.flips import Flip, FlipWriter
from elicitation.player.media import Clip, Picture
from elicitation.player.media_clock import HostClock, MediaClock
from elicitation.player.messages import Began, Ended, Play, Ready
from elicitation.player.screen import Screen, ScreenOptions
from elicitation.player.sound import Sound

_FILL_TIMEOUT_S = 20.0
_LOOK_S = 0.004
"""How often the sound card is asked for its progress while nothing else is to be done."""
_SPIN_S = 0.0003
"""Sleeping comes back late by about this much; the rest of the way is waited for awake."""
_UPLOAD_AHEAD_S = 0.012
"""A picture is uploaded this long before it is due, so that only the swap is left to do at its time."""
_STALLED_S = 5.0
_TOLERATED_S = 0.12
"""Picture behind sound by more than this is noticed (ITU-R BT.1359 gives 125 ms): only then are frames left out."""
_WRITE_EVERY = 30
"""Flips written together; what is not yet written when the player is killed is less than this."""


class Player:
    """Shows one thing after the other on the participant's screen."""

    def __init__(self, options: ScreenOptions, *, sound: bool = True) -> None:
        self.screen = Screen(options)
        self._sound = Sound() if sound else None

    def ready(self) -> Ready:
        """What the player works with."""
        width, height = self.screen.size_px
        sound = "switched off"
        if self._sound is not None:
            sound = self._sound.driver if self._sound.open else self._sound.problem
        return Ready(self.screen.display, width, height, self.screen.refresh_hz, self.screen.flip_source, sound)

    def play(self, order: Play, began: Callable[[Began], None], stopped: Callable[[], bool]) -> Ended:
        """Play a video.

        Args:
            order: What.
            began: Called once the first frame is on the screen.
            stopped: Asked between frames whether to end early.

        Raises:
            ElicitationError: It cannot be opened.
        """
        sound = self._sound if self._sound is not None and self._sound.open else None
        if sound is not None:
            sound.reset()
        clip = Clip(Path(order.path), self.screen.converted, sound.put if sound is not None else None)
        writer = FlipWriter(Path(order.flips))
        run = _Run(self.screen, sound if clip.has_sound else None, clip, writer)
        enabled = gc.isenabled()
        gc.disable()
        try:
            clip.wait_filled(_FILL_TIMEOUT_S)
            complete = run.to_the_end(order.stimulus, began, stopped)
        finally:
            run.write()
            if enabled:
                gc.enable()
            writer.close()
            clip.close()
            if sound is not None:
                sound.reset()
        return Ended(
            stimulus=order.stimulus,
            frames=run.frames,
            shown=run.frames - run.dropped,
            dropped=run.dropped,
            late=run.late,
            host_ns=time.monotonic_ns(),
            complete=complete and not clip.error,
            error=clip.error,
        )

    def close(self) -> None:
        """Close screen and sound."""
        if self._sound is not None:
            self._sound.close()
        self.screen.close()


class _Run:
    """One video from the first to the last frame."""

    def __init__(self, screen: Screen, sound: Sound | None, clip: Clip, writer: FlipWriter) -> None:
        self._screen = screen
        self._sound = sound
        self._clip = clip
        self._writer = writer
        self._flips: list[Flip] = []
        self._frame_s = 1 / clip.rate_fps
        self._tolerance_s = max(_TOLERATED_S, 1.5 * self._frame_s)
        self.frames = self.dropped = self.late = 0

    def to_the_end(self, stimulus: str, began: Callable[[Began], None], stopped: Callable[[], bool]) -> bool:
        """Show every frame; returns False where `stopped` said so."""
        first = self._clip.peek(_FILL_TIMEOUT_S)
        if first is None:
            raise ElicitationError(self._clip.error or f"cannot play {self._clip.path}: no picture can be decoded")
        # The window system takes a tenth of a second to show a window: not while the sound plays.
        self._screen.show_text("")
        self._screen.prepare(self._clip.take())
        clock: MediaClock = self._sound.begin() if self._sound is not None else HostClock(time.monotonic_ns())
        planned_ns = clock.host_ns(0.0)
        shown_ns = self._screen.flip()
        self._note(first, planned_ns, shown_ns)
        began(Began(stimulus, shown_ns))
        last = first
        while not self._clip.over:
            if stopped() or self._screen.closed_by_user():
                return False
            picture = self._clip.peek(_STALLED_S)
            if picture is None:
                if self._clip.over:
                    break
                raise ElicitationError(f"{self._clip.path}: decoding stands still for {_STALLED_S:.0f} s")
            self._clip.take()
            last = picture
            clock = self._reliable(clock, picture)
            # Somewhat late frames are shown one after the other as fast as the screen takes them: each is wanted.
            if clock.media_s(time.monotonic_ns()) >= picture.media_s + self._tolerance_s and not self._last(picture):
                self._note(picture, clock.host_ns(picture.media_s), 0)
                continue
            self._wait(clock, picture.media_s, _UPLOAD_AHEAD_S)
            self._screen.prepare(picture)
            self._wait(clock, picture.media_s, self._screen.ahead_s)
            planned_ns = clock.host_ns(picture.media_s)
            self._note(picture, planned_ns, self._screen.flip())
        self._wait(clock, last.media_s + self._frame_s, 0.0)
        return True

    def write(self) -> None:
        """Hand over the flips that were not written yet."""
        self._writer.add(self._flips)
        self._flips = []

    def _last(self, picture: Picture) -> bool:
        return self._clip.over and self.frames == picture.index

    def _reliable(self, clock: MediaClock, picture: Picture) -> MediaClock:
        """The sound's clock as long as there is sound; behind its end the host's, from where the sound was."""
        if self._sound is None or not isinstance(clock, HostClock):
            if self._sound is not None:
                self._sound.look()
                if self._sound.exhausted and self.frames > 1:
                    now_ns = time.monotonic_ns()
                    return HostClock(now_ns - round(clock.media_s(now_ns) * 1e9))
            return clock
        return clock

    def _wait(self, clock: MediaClock, media_s: float, ahead_s: float) -> None:
        """Until `ahead_s` before `media_s` is played."""
        while True:
            if self._sound is not None:
                self._sound.look()
            left_s = (clock.host_ns(media_s) - time.monotonic_ns()) / 1e9 - ahead_s
            if left_s <= 0:
                return
            if left_s > _SPIN_S:
                time.sleep(min(left_s - _SPIN_S, _LOOK_S))

    def _note(self, picture: Picture, planned_ns: int, shown_ns: int) -> None:
        dropped = shown_ns == 0
        late = not dropped and shown_ns - planned_ns > self._frame_s * 0.5e9
        self.frames += 1
        self.dropped += dropped
        self.late += late
        self._flips.append(Flip(picture.index, picture.media_s, planned_ns, shown_ns, late, dropped))
        if len(self._flips) >= _WRITE_EVERY:
            self.write()
