"""How long a coder waits for the next frame: from the press of a key to the drawn pixels, in a real browser.

    python benchmarks/annotation_stepping.py [--steps 300] [--recording REC] [--browser /usr/bin/chromium]

Prints one JSON line. `dfme-annotate`'s application is served in a process of its own on a recording of 1024x768, which
the simulated camera makes unless one is given. The browser opens it as a selector, once the motion curve is measured,
jumps to a far frame six times, each time where nothing has been fetched, and from there presses the arrow key thirty
times a second, in turn on and back.

- `drawn`: from the key event's own time stamp to the moment when the frame that it asks for is on the canvas and its
  number on the page, in ms. `painted` is the first turn of the event loop after the next refresh of the screen.
- `plain` is the whole picture of 1024x768; `magnify` the same with movement magnified against another frame.
- `first_after_jump`: the slowest of the steps that follow a jump at once, whose frames are still on their way.
- `together`: steps whose frame was not drawn by itself, because the next key came before.

A run in which the frame at the end is not as many steps away as keys were pressed does not end. The clock is the
browser's `performance.now`, with a resolution of 0.1 ms. Everything shares this machine's cores: `load` says what else
went on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from capture.session import SESSION_FILE

JUMPS = 6
BETWEEN_S = 1 / 30
FRAMES = 3000
HOOK = """() => {
  window.taps = [];
  document.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) window.taps.push({at: event.timeStamp, jump: window.jumped === true});
    if (event.key.startsWith("Arrow")) window.jumped = false;
  }, true);
  const seen = () => {
    const drawn = performance.now();
    const mine = window.taps.filter((tap) => tap.drawn === undefined);
    for (const tap of mine) tap.drawn = drawn;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => mine.forEach((tap) => (tap.painted = performance.now()));
      channel.port2.postMessage(0);
    });
  };
  const everything = {childList: true, characterData: true, subtree: true};
  new MutationObserver(seen).observe(document.querySelector(".time"), everything);
}"""


MEASURED = """async () => {
  const item = window.location.hash.split("/")[2];
  const look = async () => (await (await fetch(`/api/items/${item}/timeline`)).json()).motion.state === "computing";
  while (await look()) await new Promise((done) => setTimeout(done, 500));
}"""


def serve(root: Path, told: Connection) -> None:
    """Serve `root` to one selector until told to stop."""
    from annotation.api_models import Role, RoundKind
    from annotation.rounds import open_round
    from annotation.server import Context, create_app
    from annotation.study import load_study
    from annotation.users import add_user
    from capture.web import WebServer, checked_address

    context = Context.open(root, load_study(root))
    with context.database.write() as session:
        _, password = add_user(session, "sol", [Role.SELECTOR])
        open_round(session, context.study, context.outcomes, RoundKind.SELECTION, by="sol")
    with WebServer(create_app(context), checked_address("127.0.0.1", 0)) as server:
        told.send((server.url, password))
        told.recv()


def measure(page: Page, frames: int, steps: int) -> dict[str, Any]:
    """Jump and step; returns what was waited for."""
    page.evaluate("window.taps.length = 0")
    each = steps // JUMPS
    for jump in range(JUMPS):
        forward = jump % 2 == 0
        start = (frames // JUMPS) * ((jump * 5) % JUMPS) + frames // (2 * JUMPS)
        page.keyboard.press("g")
        page.keyboard.type(str(start))
        page.keyboard.press("Enter")
        until(page, f"document.querySelector('input.number').value === '{start}'")
        page.evaluate("window.jumped = true")
        due = time.perf_counter()
        for _ in range(each):
            page.keyboard.press("ArrowRight" if forward else "ArrowLeft")
            due += BETWEEN_S
            time.sleep(max(0.0, due - time.perf_counter()))
        end = start + each * (1 if forward else -1)
        until(page, f"document.querySelector('input.number').value === '{end}'")
    page.wait_for_timeout(200)
    taps = page.evaluate("window.taps")
    return {
        "steps": len(taps),
        "drawn": spread([tap["drawn"] - tap["at"] for tap in taps]),
        "painted": spread([tap["painted"] - tap["at"] for tap in taps]),
        "first_after_jump": round(max(tap["drawn"] - tap["at"] for tap in taps if tap["jump"]), 1),
        "together": sum(after["drawn"] == before["drawn"] for before, after in itertools.pairwise(taps)),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest."""
    ordered = sorted(values)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1),
        "max_ms": round(ordered[-1], 1),
    }


def until(page: Page, condition: str) -> None:
    """Wait, in the page, until `condition` holds."""
    page.evaluate(
        f"new Promise((done) => {{ const look = () => {condition} ? done() : setTimeout(look, 5); look(); }})"
    )


def record(folder: Path) -> None:
    """A session with a recording of the simulated camera's test card."""
    command = [sys.executable, "-m", "capture.cli", "--fps", "500", "--frames", str(FRAMES), "--no-tui", "--no-live"]
    environment = {**os.environ, "DFME_SIMULATOR_PICTURE": "test", "DFME_SIMULATOR_SERIALS": f"STEP{os.getpid()}"}
    subprocess.run([*command, "--out", str(folder)], check=True, env=environment, capture_output=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--recording", type=Path, help="a recording, or a session's folder")
    parser.add_argument("--browser", default=shutil.which("chromium") or "chromium")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dfme-stepping-") as folder:
        root = Path(folder)
        if arguments.recording is None:
            record(root)
        else:
            given = arguments.recording.absolute()
            whole = next((one for one in (given, *given.parents) if (one / SESSION_FILE).is_file()), given)
            shutil.copytree(whole, root / whole.name)
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        server = context.Process(target=serve, args=(root, there))
        server.start()
        url, password = here.recv()
        result: dict[str, Any] = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=arguments.browser, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(url)
            page.fill("input[name=name]", "sol")
            page.fill("input[name=password]", password)
            page.keyboard.press("Enter")
            until(page, "document.body.dataset.screen === '#/work'")
            page.keyboard.press("Enter")
            until(page, "document.querySelector('input.number')?.value")
            frames = 1 + page.evaluate("Number(document.querySelector('input.number').ariaLabel.split(' ').pop())")
            page.evaluate(MEASURED)
            page.evaluate(HOOK)
            for name, keys in (("plain", ""), ("magnify", "m")):
                page.keyboard.press(keys) if keys else None
                page.wait_for_timeout(500)
                result[name] = measure(page, frames, arguments.steps)
            browser.close()
        here.send(None)
        server.join()
    print(json.dumps({"benchmark": "annotation_stepping", "frames": frames, "load": os.getloadavg()[0], **result}))


if __name__ == "__main__":
    main()
