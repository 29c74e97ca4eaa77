"""What all web pages of ours share: frames by number, the look, and who is let in.

Static files of this package are served as `/shared/`: `frame_viewer.js` shows frames, `base.css` is the look.
"""

from capture.web.door import AccessByToken, SafeHeaders, new_token, same_origin
from capture.web.frames import FramesInfo, PictureShelf, frames_router
from capture.web.serving import Address, WebServer, checked_address, serve_shared

__all__ = [
    "AccessByToken",
    "Address",
    "FramesInfo",
    "PictureShelf",
    "SafeHeaders",
    "WebServer",
    "checked_address",
    "frames_router",
    "new_token",
    "same_origin",
    "serve_shared",
]
