"""Shows the pages full screen on the participant's display, in a browser that is started anew when it dies."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elicitation.web.messages import BrowserState

_KNOWN: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox", "firefox-esr")
_QUIET_CHROMIUM: Final = (
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    # Faces are kept in memory alone: a browser that is killed leaves none of them behind.
    "--disk-cache-dir=/dev/null",
    "--disable-component-update",
    "--disable-features=Translate,MediaRouter",
    "--disable-infobars",
    "--disable-pinch",
    "--disable-session-crashed-bubble",
    "--disable-sync",
    "--overscroll-history-navigation=0",
    "--password-store=basic",
)
_FIREFOX_SETTINGS: Final = {
    "browser.aboutwelcome.enabled": "false",
    "browser.cache.disk.enable": "false",
    "browser.sessionstore.resume_from_crash": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "toolkit.startup.max_resumed_crashes": "-1",
}
_GIVE_UP_AFTER: Final = 5
_SOON_S: Final = 3.0
"""A browser that ends within this time of its start has failed."""
_ENDS_WITHIN_S: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


@dataclass(frozen=True)
class Place:
    """Where on the desktop the window goes, in pixels; a screen of its own is covered whole."""

    x: int
    y: int
    width_px: int
    height_px: int


class Kiosk:
    """A browser in full screen, watched from `start` to `stop`.

    It has a profile of its own in a temporary folder, so that nothing of one participant is left for the next, and gets
    the address by a file that only this user reads: command lines are open to everybody on the machine.
    """

    def __init__(
        self,
        url: str,
        say: Callable[[BrowserState], None],
        *,
        browser: str = "chromium",
        x_display: str | None = None,
        place: Place | None = None,
        pause_s: float = 0.2,
    ) -> None:
        """Prepare.

        Args:
            url: Address of the pages, with the token.
            say: Told when the browser starts, ends or cannot be found; from the watching thread.
            browser: Program, by name or path; where there is none of that name, another one that is known.
            x_display: Value of DISPLAY for the browser; None for this process's own.
            place: Where the participant's screen lies on the desktop; None to let the window manager choose.
            pause_s: Before the first new start; it doubles with each that fails.
        """
        self._url = url
        self._say = say
        self._program = find_browser(browser)
        self._wanted = browser
        self._display = x_display
        self._place = place
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._thread = threading.Thread(target=self._watch, name="browser", daemon=True)

    def start(self) -> None:
        """Start the browser; where there is none, say where the operator finds the pages."""
        if self._program is None:
            name = self._wanted or "browser"
            self._say(BrowserState("missing", f"no {name} is installed: open {self._url} on the participant's screen"))
            return
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The browser's process; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def wait(self) -> None:
        """Wait until no browser is started any more: it was stopped, or failed too often."""
        if self._thread.ident is not None:
            self._thread.join()

    def stop(self) -> None:
        """End the browser and remove what it wrote."""
        self._stopping.set()
        self._end()
        if self._thread.ident is not None:
            self._thread.join(_ENDS_WITHIN_S + 5)
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.cleanup()

    def _watch(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dfme-browser-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        failures = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._process = self._launch(folder)
            except OSError as error:
                self._say(BrowserState("missing", f"cannot start {self._program}: {error.strerror}; open {self._url}"))
                return
            if self._stopping.is_set():
                self._end()
            self._say(BrowserState("started", str(self._program)))
            status = self._process.wait()
            if self._stopping.is_set():
                return
            failures = failures + 1 if time.monotonic() - began_s < _SOON_S else 1
            if failures >= _GIVE_UP_AFTER:
                text = f"{self._program} ends at once each time (status {status}): open {self._url} by hand"
                self._say(BrowserState("missing", text))
                return
            self._say(BrowserState("ended", f"status {status}; it is started again"))
            # A breath, that a browser which cannot start does not keep the machine busy.
            self._stopping.wait(self._pause_s * 2 ** (failures - 1))

    def _launch(self, folder: Path) -> subprocess.Popen[bytes]:
        start = folder / "start.html"
        start.write_text(f'<meta http-equiv="refresh" content="0;url={self._url}">', encoding="utf-8")
        profile = folder / "profile"
        profile.mkdir(exist_ok=True)
        environment = dict(os.environ)
        if self._display is not None:
            environment["DISPLAY"] = self._display
        return subprocess.Popen(
            browser_command(str(self._program), start.as_uri(), profile, self._place),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # The browser must not outlive a killed server; this one call is safe between fork and exec.
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        for name in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, name)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)
                return


def find_browser(wanted: str) -> str | None:
    """Path of the browser called `wanted`, or of another one that is known; None where there is none."""
    for name in (wanted, *_KNOWN):
        path = shutil.which(name) if name else None
        if path is not None:
            return path
    return None


def browser_command(program: str, url: str, profile: Path, place: Place | None) -> list[str]:
    """The command that shows `url` full screen, with a profile of its own in the folder `profile`."""
    if "firefox" in Path(program).name:
        settings = "".join(f'user_pref("{name}", {value});\n' for name, value in _FIREFOX_SETTINGS.items())
        (profile / "user.js").write_text(settings, encoding="utf-8")
        return [program, "--no-remote", "--profile", str(profile), "--kiosk", url]
    command = [program, *_QUIET_CHROMIUM, f"--user-data-dir={profile}", "--kiosk", f"--app={url}"]
    if place is not None:
        command += [f"--window-position={place.x},{place.y}", f"--window-size={place.width_px},{place.height_px}"]
    # Chromium refuses to run as root with its sandbox.
    return [*command, "--no-sandbox", "--test-type"] if os.geteuid() == 0 else command


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
