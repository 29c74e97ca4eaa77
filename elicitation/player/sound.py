"""The sound card through SDL: takes samples as they are decoded, and tells how far it has come."""

from __future__ import annotations

import ctypes
import time

import sdl2

from elicitation.player.canvas import sdl_error
from elicitation.player.media import AUDIO_BYTES_PER_S, AUDIO_CHANNELS, AUDIO_RATE_HZ
from elicitation.player.media_clock import SoundClock

_PERIOD_SAMPLES = 256
"""Samples that the card takes at once: 5 ms, so that its steps say much about its time."""


class Sound:
    """One open audio device. Samples are queued before `begin`, and go on coming while it plays."""

    def __init__(self) -> None:
        self.problem = ""
        self.driver = ""
        self._device = 0
        self._queued = 0
        self._played = 0
        self.clock: SoundClock | None = None
        if sdl2.SDL_InitSubSystem(sdl2.SDL_INIT_AUDIO) != 0:
            self.problem = f"no sound: {sdl_error()}"
            return
        wanted = sdl2.SDL_AudioSpec(AUDIO_RATE_HZ, sdl2.AUDIO_S16SYS, AUDIO_CHANNELS, _PERIOD_SAMPLES)
        self._device = int(sdl2.SDL_OpenAudioDevice(None, 0, wanted, None, 0))
        if not self._device:
            self.problem = f"no sound: {sdl_error()}"
            return
        driver = sdl2.SDL_GetCurrentAudioDriver()
        self.driver = driver.decode() if driver else "unknown"

    @property
    def open(self) -> bool:
        """Whether there is a device to play on."""
        return bool(self._device)

    def reset(self) -> None:
        """Silence, and forget what was queued, before another stimulus."""
        if self._device:
            sdl2.SDL_PauseAudioDevice(self._device, 1)
            sdl2.SDL_ClearQueuedAudio(self._device)
        self._queued = self._played = 0
        self.clock = None

    def put(self, samples: bytes) -> None:
        """Queue interleaved int16 samples; may be called from another thread."""
        if self._device and samples:
            sdl2.SDL_QueueAudio(self._device, ctypes.c_char_p(samples), len(samples))
            self._queued += len(samples)

    def begin(self) -> SoundClock:
        """Start playing what was queued; the clock that is returned follows the device."""
        self.clock = SoundClock(time.monotonic_ns())
        sdl2.SDL_PauseAudioDevice(self._device, 0)
        return self.clock

    def look(self) -> None:
        """Note how far the device has come; call it often."""
        if self.clock is None:
            return
        now_ns = time.monotonic_ns()
        played = self._queued - int(sdl2.SDL_GetQueuedAudioSize(self._device))
        if played > self._played:
            self._played = played
            self.clock.step(now_ns, played / AUDIO_BYTES_PER_S)

    @property
    def exhausted(self) -> bool:
        """Whether the device has taken everything that was queued: it then no longer tells the time."""
        return self._played >= self._queued

    def close(self) -> None:
        """Close the device."""
        if self._device:
            sdl2.SDL_CloseAudioDevice(self._device)
            self._device = 0
