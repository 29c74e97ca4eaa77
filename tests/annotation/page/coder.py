"""Somebody who codes in a real browser, with the keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page

from tests.annotation.page.sessions import BITS, BLOCK_PX, HEIGHT_PX, WIDTH_PX, read_number

Until = Callable[..., None]
_NUMBER_ON_CANVAS = f"""() => {{
  const canvas = document.querySelector("canvas.frames");
  const scale = Math.min(canvas.width / {WIDTH_PX}, canvas.height / {HEIGHT_PX});
  const left = (canvas.width - {WIDTH_PX} * scale) / 2;
  const top = (canvas.height - {HEIGHT_PX} * scale) / 2;
  const row = canvas.getContext("2d").getImageData(0, Math.round(top + {BLOCK_PX / 2} * scale), canvas.width, 1).data;
  return Array.from({{length: {BITS}}}, (_, i) => row[4 * Math.round(left + (i + 0.5) * {BLOCK_PX} * scale)]);
}}"""


class Coder:
    """A user at the page: one browser context with its own log-in."""

    def __init__(self, browser: Browser, url: str, until: Until, name: str, password: str) -> None:
        self.name = name
        self.url = url
        self._until = until
        self._context = browser.new_context(viewport={"width": 1280, "height": 720})
        self.errors: list[str] = []
        self.page: Page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)
        self.until("document.activeElement?.name === 'name'")
        self.type(name)
        self.press("Tab")
        self.type(password)
        self.press("Enter")
        self.until("document.querySelector('h1') && !document.querySelector('form.login')")

    def close(self) -> None:
        """Close the browser's window; the page must have had no error."""
        self._context.close()
        assert self.errors == []

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text."""
        self.page.keyboard.type(text)

    def until(self, condition: str) -> None:
        """Wait until a JavaScript expression holds."""
        self._until(self.page, condition)

    @property
    def frame(self) -> int:
        """The frame number that the page shows."""
        return int(self.page.evaluate("document.querySelector('input.number').value"))

    @property
    def number_on_canvas(self) -> int:
        """The number that the pixels on the canvas carry."""
        return read_number(self.page.evaluate(_NUMBER_ON_CANVAS))

    @property
    def message(self) -> str:
        """The line of messages."""
        return self.page.inner_text("#message")

    @property
    def panel(self) -> str:
        """What the panel says."""
        return self.page.inner_text(".panel")

    def go(self, address: str) -> None:
        """Open a screen by its address, loaded anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#/{address}")
        self.until("document.body.dataset.screen === window.location.hash")

    def open_first(self) -> None:
        """Begin with the first piece of work that is not done."""
        self.go("work")
        self.until(
            "document.querySelector('h1')?.textContent === 'Your work' && document.querySelector('button.primary')"
        )
        self.press("Enter")
        self.until("document.querySelector('input.number')?.value")

    def go_to(self, frame: int) -> None:
        """Show a frame by typing its number."""
        self.press("g")
        self.type(str(frame))
        self.press("Enter")
        self.until(
            f"document.querySelector('input.number').value === '{frame}' && document.querySelector('.waiting').hidden"
        )

    def save(self) -> None:
        """Save what is marked, and wait until the page has gone on."""
        before = self.page.evaluate("window.location.hash")
        self.press("Enter")
        # The address changes before the screen does.
        self.until(
            f"document.body.dataset.screen === window.location.hash && window.location.hash !== {json.dumps(before)}"
        )

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What the server answers to this user's own browser."""
        status, text = self.page.evaluate(
            """async ([method, path, body]) => {
              const answer = await fetch(`/api/${path}`, {
                method,
                headers: {"Content-Type": "application/json"},
                body: body === null ? undefined : JSON.stringify(body),
              });
              return [answer.status, await answer.text()];
            }""",
            [method, path, body],
        )
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text
