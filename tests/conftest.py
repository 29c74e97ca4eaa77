"""Shared by all tests: a simulated camera of its own, a real browser, and the order in which tests get the machine.

Whole runs have several workers (pytest-xdist). A test whose result depends on how fast the machine is at that moment is
marked `alone`: nothing else of the run goes on beside it, and it comes last. Anything that records, plays or streams at
a rate says so: `pytestmark = pytest.mark.alone`. All of `tests/e2e` has the mark unasked, but for what says that it is
`beside_others`. See docs/testing.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from capture.errors import CameraNotFound
from tests.commands import Commands
from tests.turns import is_alone, turn

# A camera that one process holds is busy for all others, so each test process gets cameras of its own.
os.environ["DFME_SIMULATOR_SERIALS"] = f"T{os.getpid()}A,T{os.getpid()}B"
# Tests of the recording path need no person in front of the camera, and do not wait for one to be rendered.
os.environ["DFME_SIMULATOR_PICTURE"] = "test"
# What somebody has set for this user must change no test, and no test what somebody has set.
os.environ["DFME_CONFIG"] = str(Path(tempfile.gettempdir()) / f"dfme-tests-without-settings-{os.getpid()}")

# How long an example takes is the machine's affair and no property of ours; who draws examples over a fixture's file
# writes that file for each.
_UNCHECKED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("dfme", deadline=None, suppress_health_check=_UNCHECKED)
settings.load_profile("dfme")

END_TO_END = Path(__file__).with_name("e2e")
MOST_WORKERS = 4
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
TURNS = pytest.StashKey[Path]()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None for one file or test by name, or to see what it prints: that is quicker, and debuggers work."""
    named = {Path(argument.split("::")[0]) for argument in config.args}
    one_file = len(named) == 1 and all(path.is_file() for path in named)
    if one_file or config.option.capture == "no" or config.option.update_snapshots:
        return 0
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.numprocesses:
        config.stash[TURNS] = Path(tempfile.mkdtemp(prefix="dfme-turns-"))
    elif hasattr(config, "workerinput"):
        config.stash[TURNS] = Path(config.workerinput["turns"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """The run tells a worker where turns are taken."""
    node.workerinput["turns"] = str(node.config.stash[TURNS])


def pytest_unconfigure(config: pytest.Config) -> None:
    if TURNS in config.stash and not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[TURNS], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if END_TO_END in item.path.parents and not {"alone", "beside_others"} & {
            mark.name for mark in item.iter_markers()
        }:
            item.add_marker("alone")
    # Whole commands come late as well: by then the tests that load the machine most are over.
    items.sort(key=lambda item: (is_alone(item), END_TO_END in item.path.parents))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Outermost, so that waiting counts neither as the test's time nor towards its limit."""
    folder = item.config.stash.get(TURNS, None)
    with turn(folder, alone=is_alone(item)) if folder is not None else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def simulator():
    """Path of the simulated camera's producer; the test is skipped where the package was never built."""
    from capture.simulator.producer_path import producer_path

    try:
        return producer_path()
    except CameraNotFound as error:
        pytest.skip(str(error))


def chromium_program() -> str:
    """Path of a Chromium; the test is skipped where none is installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (program := shutil.which(name)) is not None:
            return program
    pytest.skip("no Chromium is installed")


@pytest.fixture(scope="module")
def chromium():
    """A real Chromium without a window, as Playwright drives it; skipped where there is none.

    For one file of tests: while Playwright is there its event loop runs, and no test that brings another can.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def call_command(capfd: pytest.CaptureFixture[str]) -> Commands:
    """Runs a command in this process: `call_command(app, "ls", folder)`."""
    return Commands(capfd)


@pytest.fixture(scope="session")
def until():
    """Waits until an expression holds in a page, look by look as the page is drawn.

    Playwright's own `wait_for_function` evaluates strings, which the pages' content security policy refuses.
    """

    def wait(page, expression: str, limit_s: float = 60.0) -> None:
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
