"""What a video file is, and whether it can be shown: codecs, rate, length, loudness, beside manifest and screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import av
import av.error
import av.filter
import numpy as np

from elicitation.errors import ManifestInvalid
from elicitation.stimuli import Stimulus

_DURATION_TOLERANCE_S: Final = 0.95
"""Manifests tell whole seconds."""
_UNEVEN_SHARE: Final = 0.02
"""Share of frame durations off by more than a tenth from which a rate counts as variable."""
_LOUDNESS_SPREAD_LU: Final = 6.0
"""Videos of one study that differ by more than this sound wrong one after the other."""
_QUIET_LUFS: Final = -40.0
_LOUD_LUFS: Final = -9.0
_FASTEST_FPS: Final = 120.0


@dataclass(frozen=True)
class VideoFacts:
    """What was found in one file."""

    path: Path
    video_codec: str
    audio_codec: str | None
    width_px: int
    height_px: int
    rate_fps: float
    """Average."""
    frames: int
    duration_s: float
    """From the first picture's time to the end of the last one."""
    variable_rate: bool
    loudness_lufs: float | None
    """Integrated loudness by EBU R 128 (ITU-R BS.1770); None without sound, -inf for silence."""
    damaged: str
    """What could not be decoded; empty where all could."""


@dataclass(frozen=True)
class Finding:
    """One thing that the operator should know of a stimulus."""

    level: Literal["error", "warning"]
    stimulus: str
    text: str


def probe_video(path: Path) -> VideoFacts:
    """Read a video from its first to its last packet, and decode pictures and sound.

    Raises:
        ManifestInvalid: It cannot be opened, or has no pictures.
    """
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ManifestInvalid(
            f"{path} cannot be opened as a video ({getattr(error, 'strerror', None) or error}): copy it again"
        ) from None
    with container:
        if not container.streams.video:
            raise ManifestInvalid(f"{path} has no pictures")
        video = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        meter = _Loudness(sound) if sound is not None else None
        # Decoders that are told to be strict say what they would otherwise paint over.
        video.codec_context.options = {"err_detect": "explode"}
        video.thread_type = "AUTO"
        times_s: list[float] = []
        damaged = ""

        def note(error: Exception | str) -> str:
            why = getattr(error, "strerror", None) or error
            return damaged or f"damaged behind {max(times_s, default=0.0):.1f} s: {why}"

        try:
            for packet in container.demux([stream for stream in (video, sound) if stream is not None]):
                if packet.stream is video and packet.pts is not None and packet.time_base is not None:
                    times_s.append(float(packet.pts * packet.time_base))
                # One that is damaged does not keep those behind it from being counted.
                try:
                    for frame in packet.decode():
                        if meter is not None and packet.stream is sound:
                            meter.add(frame)  # type: ignore[arg-type]
                        elif isinstance(frame, av.VideoFrame) and frame.is_corrupt:
                            damaged = note("its pictures have errors")
                except (av.error.FFmpegError, ValueError) as error:
                    damaged = note(error)
        except (av.error.FFmpegError, ValueError) as error:
            damaged = note(error)
        times = np.sort(np.array(times_s))
        steps = np.diff(times)
        step_s = float(np.median(steps)) if len(steps) else float(1 / (video.average_rate or 25))
        duration_s = float(times[-1] - times[0]) + step_s if len(times) else 0.0
        uneven = float((np.abs(steps - step_s) > 0.1 * step_s).mean()) if len(steps) else 0.0
        return VideoFacts(
            path=path,
            video_codec=video.codec_context.name,
            audio_codec=sound.codec_context.name if sound is not None else None,
            width_px=video.width,
            height_px=video.height,
            rate_fps=len(times) / duration_s if duration_s else 0.0,
            frames=len(times),
            duration_s=duration_s,
            variable_rate=uneven > _UNEVEN_SHARE,
            loudness_lufs=meter.integrated() if meter is not None else None,
            damaged=damaged,
        )


def judge_video(stimulus: Stimulus, facts: VideoFacts, refresh_hz: float | None) -> list[Finding]:
    """What is wrong with one file, as a stimulus and on this screen.

    Args:
        stimulus: What the manifest says of it.
        facts: What was found.
        refresh_hz: Of the participant's screen; None where it is not known.
    """
    found: list[Finding] = []

    def say(level: Literal["error", "warning"], text: str) -> None:
        found.append(Finding(level, stimulus.stim_id, text))

    if facts.damaged:
        say("error", f"{facts.damaged}: copy the file again")
    if abs(facts.duration_s - stimulus.duration_s) >= _DURATION_TOLERANCE_S:
        say(
            "error",
            f"lasts {facts.duration_s:.1f} s, the manifest says {stimulus.duration_s:g} s: is it the right cut?",
        )
    if stimulus.n_frames is not None and stimulus.n_frames != facts.frames:
        say("error", f"has {facts.frames} frames, the manifest says {stimulus.n_frames}")
    if facts.variable_rate:
        say("warning", "its frame rate varies: convert it to a constant one")
    if facts.rate_fps > _FASTEST_FPS:
        say("warning", f"has {facts.rate_fps:.0f} frames a second, more than screens show")
    elif refresh_hz:
        per_frame = refresh_hz / facts.rate_fps if facts.rate_fps else 0.0
        if per_frame < 0.99:
            say(
                "error",
                f"has {facts.rate_fps:.3g} frames a second, the screen shows {refresh_hz:g}: frames would be lost",
            )
        elif abs(per_frame - round(per_frame)) > 0.02:
            say(
                "warning",
                f"{facts.rate_fps:.4g} frames a second do not divide the screen's {refresh_hz:g} Hz: "
                "frames stay for uneven times",
            )
    if facts.loudness_lufs is None:
        say("warning", "has no sound")
    elif facts.loudness_lufs < _QUIET_LUFS:
        loudness = "silent" if math.isinf(facts.loudness_lufs) else f"very quiet ({facts.loudness_lufs:.1f} LUFS)"
        say("warning", f"is {loudness}: check its sound")
    elif facts.loudness_lufs > _LOUD_LUFS:
        say("warning", f"is very loud ({facts.loudness_lufs:.1f} LUFS): lower its sound")
    return found


def judge_loudness(facts: Sequence[tuple[str, VideoFacts]]) -> list[Finding]:
    """Stimuli that are much louder or quieter than the median of all, given as (stimulus id, facts)."""
    levels = {name: one.loudness_lufs for name, one in facts if one.loudness_lufs is not None}
    audible = {name: level for name, level in levels.items() if level > _QUIET_LUFS}
    if len(audible) < 2:
        return []
    middle = float(np.median(list(audible.values())))
    return [
        Finding(
            "warning",
            name,
            f"at {level:.1f} LUFS it is {abs(level - middle):.0f} LU {'louder' if level > middle else 'quieter'} "
            f"than the others ({middle:.1f}): even their sound out",
        )
        for name, level in audible.items()
        if abs(level - middle) > _LOUDNESS_SPREAD_LU
    ]


class _Loudness:
    """FFmpeg's EBU R 128 meter, fed frame by frame."""

    def __init__(self, stream: av.AudioStream) -> None:
        self._graph = av.filter.Graph()
        source = self._graph.add_abuffer(template=stream)
        meter = self._graph.add("ebur128", "metadata=1")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._integrated = -math.inf

    def add(self, frame: av.AudioFrame) -> None:
        """Measure one more frame."""
        self._graph.push(frame)
        while True:
            try:
                measured = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            text = measured.metadata.get("lavfi.r128.I")
            if text is not None:
                self._integrated = float(text)

    def integrated(self) -> float:
        """LUFS of everything so far; -inf where nothing was louder than the meter's gate of -70 LUFS."""
        return self._integrated if self._integrated > -69.9 else -math.inf
