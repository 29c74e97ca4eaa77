"""What the player is told, and what it answers: one JSON object a line, over its standard input and output."""

from __future__ import annotations

import msgspec


class Play(msgspec.Struct, frozen=True, tag="play"):
    """Show a video from its first frame to its last."""

    stimulus: str
    path: str
    flips: str
    """File that gets one line per frame, appended as they are shown."""


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Show a text, such as an instruction, until something else is shown; empty for a blank screen."""

    text: str = ""
    language: str = ""
    """Of the text, such as `zh-CN`."""


class Hide(msgspec.Struct, frozen=True, tag="hide"):
    """Take the window away, so that whatever is behind it can be used."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the video that is being shown."""


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """End the player."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The window is open."""

    display: str
    width_px: int
    height_px: int
    refresh_hz: float
    flip_source: str
    """Where the times of flips come from, such as `swap return (software renderer)`."""
    sound: str
    """The audio driver, or why there is no sound."""


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The first frame of a video is on the screen."""

    stimulus: str
    host_ns: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A video is over."""

    stimulus: str
    frames: int
    """Frames that the video has, as far as it was played."""
    shown: int
    dropped: int
    late: int
    host_ns: int
    complete: bool
    """False where it was stopped, or could not be read to its end."""
    error: str = ""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An order could not be carried out; the player goes on."""

    error: str


Order = Play | Show | Hide | Stop | Quit
Answer = Ready | Began | Ended | Failed
order_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
answer_decoder: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
