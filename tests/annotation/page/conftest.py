"""A real browser before the coder's page."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import annotation

STATIC = Path(annotation.__file__).parent / "static"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


@pytest.fixture(scope="module")
def modules(chromium: Browser) -> Iterator[Page]:
    """A blank page that can import the page's modules from `/`, to call their pure functions."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/coding.css")
    yield page
    page.close()
    server.shutdown()
    server.server_close()
