"""Shared by all tests: a simulated camera of this test run's own, and a real browser."""

from __future__ import annotations

import os
import shutil

import pytest

from capture.errors import CameraNotFound

# A camera that one process holds is busy for all others, so each test process gets cameras of its own.
os.environ["DFME_SIMULATOR_SERIALS"] = f"T{os.getpid()}A,T{os.getpid()}B"
# Tests of the recording path need no person in front of the camera, and do not wait for one to be rendered.
os.environ["DFME_SIMULATOR_PICTURE"] = "test"


@pytest.fixture(scope="session")
def simulator():
    """Path of the simulated camera's producer; the test is skipped where the package was never built."""
    from capture.simulator.producer_path import producer_path

    try:
        return producer_path()
    except CameraNotFound as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chromium():
    """A real Chromium without a window, as Playwright drives it; skipped where there is none."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*quiet, "--disable-sync"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def until():
    """Waits until an expression holds in a page, look by look as the page is drawn.

    Playwright's own `wait_for_function` evaluates strings, which the pages' content security policy refuses.
    """

    def wait(page, expression: str, limit_s: float = 20.0) -> None:
        held = page.evaluate(
            f"""(limit) => new Promise((resolve) => {{
              const end = performance.now() + limit;
              const look = () => {{
                if ({expression}) resolve(true);
                else if (performance.now() > end) resolve(false);
                else setTimeout(look, 10);
              }};
              look();
            }})""",
            limit_s * 1000,
        )
        assert held, f"never came true: {expression}"

    return wait
