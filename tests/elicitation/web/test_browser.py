"""The browser on the participant's screen: started with the pages, started anew when it dies, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from pathlib import Path

import psutil
import pytest

from elicitation.web.browser import Kiosk, Place, browser_command
from elicitation.web.messages import BrowserState
from elicitation.web.screens import display_number


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def browser_of(pid: int) -> psutil.Process:
    """The browser that the server with this process id started."""
    (found,) = (one for one in psutil.Process(pid).children() if "--kiosk" in one.cmdline())
    return found


def talks_to(browser: psutil.Process, port: int) -> bool:
    """Whether a browser holds a connection to the server."""
    family = {browser.pid, *(child.pid for child in browser.children(recursive=True))}
    return any(one.pid in family and one.raddr and one.raddr.port == port for one in psutil.net_connections("tcp"))


def test_a_killed_browser_comes_back_to_the_page(tmp_path, serve) -> None:
    """The real browser, without a window: it finds its way in by the file, and a second one does, too."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    headless = program(tmp_path / "chromium-headless", f'exec {chromium} --headless=new --disable-gpu "$@"')
    pages = serve(more=("--browser", str(headless)))
    port, token = pages.port, pages.url.split("token=")[1]
    pages.show("text", step=1, text="Welcome.")

    assert pages.heard("browser")["state"] == "started"
    assert pages.heard("browser")["state"] == "connected"
    browser = browser_of(pages.process.pid)
    assert token not in " ".join(browser.cmdline())

    os.killpg(browser.pid, signal.SIGKILL)
    assert pages.heard("browser")["state"] == "ended"
    assert pages.heard("browser")["state"] == "started"
    again = browser_of(pages.process.pid)
    assert again.pid != browser.pid
    end_s = time.monotonic() + 60
    while not talks_to(again, port):
        assert time.monotonic() < end_s, "the second browser never came to the page"

    pages.order(order="quit")
    assert pages.process.wait(30) == 0
    assert not again.is_running()


def test_a_browser_that_cannot_start_is_named_with_the_address(tmp_path) -> None:
    broken = program(tmp_path / "chromium", "exit 3")
    said: list[BrowserState] = []
    kiosk = Kiosk("http://127.0.0.1:1/enter?token=t", said.append, browser=str(broken), pause_s=0.0)

    kiosk.start()
    kiosk.wait()
    kiosk.stop()

    assert [one.state for one in said][-2:] == ["started", "missing"]
    assert "status 3" in said[-1].text
    assert "http://127.0.0.1:1/enter?token=t" in said[-1].text


def test_without_any_browser_the_operator_is_told_the_address(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[BrowserState] = []
    kiosk = Kiosk("http://127.0.0.1:1/enter?token=t", said.append, browser="chromium")

    kiosk.start()
    kiosk.stop()

    assert said == [
        BrowserState(
            "missing",
            "no chromium is installed: open http://127.0.0.1:1/enter?token=t on the participant's screen",
        )
    ]


def test_the_window_goes_to_the_participants_screen(tmp_path) -> None:
    chromium = browser_command("/usr/bin/chromium", "file:///start.html", tmp_path, Place(1920, 0, 1280, 720))
    firefox = browser_command("/usr/bin/firefox-esr", "file:///start.html", tmp_path, None)

    assert {"--kiosk", "--app=file:///start.html", "--window-position=1920,0"} <= set(chromium)
    assert firefox == [
        "/usr/bin/firefox-esr", "--no-remote", "--profile", str(tmp_path), "--kiosk", "file:///start.html"
    ]  # fmt: skip
    assert "browser.sessionstore.resume_from_crash" in (tmp_path / "user.js").read_text()


def test_a_display_is_named_or_numbered_and_the_last_one_by_default() -> None:
    names = ["HDMI-1", "DP-2"]

    assert [display_number(one, names) for one in ("", "HDMI-1", "1", "0", "7", "VGA")] == [1, 0, 1, 0, None, None]
    assert display_number("", []) is None
