"""A real browser before the coder's page."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import annotation
from annotation.api_models import Role
from annotation.server import Context, create_app
from annotation.study import load_study
from annotation.users import add_user
from capture.web import WebServer, checked_address
from expression.keyframes import KeyFrames
from tests.annotation.page.coder import Coder
from tests.annotation.page.sessions import Shown, write_session

STATIC = Path(annotation.__file__).parent / "static"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


@pytest.fixture(scope="module")
def static_files() -> Iterator[str]:
    """Address of a server that gives the page's own files to anybody: for the server of a study, another origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def modules(chromium: Browser, static_files: str) -> Iterator[Page]:
    """A blank page that can import the page's modules from `/`, to call their pure functions."""
    page = chromium.new_page()
    page.goto(f"{static_files}/coding.css")
    yield page
    page.close()


FRAMES = 700
TRUTH = (
    Shown(KeyFrames(120, 160, 210), "happiness", 4),
    Shown(KeyFrames(400, 452, 530), "anger", 2),
)
"""What the participant of the only recording shows."""
STUDY = """
name = "Smiles and frowns"
repeat_share = 0.0
[coders]
keyframes = 2
units = 2
emotion = 3
"""
USERS = {
    "lea": [Role.LEAD],
    "sol": [Role.SELECTOR],
    "kim": [Role.KEYFRAME, Role.AU, Role.EMOTION],
    "max": [Role.KEYFRAME, Role.AU, Role.EMOTION],
    "eva": [Role.EMOTION],
}


@dataclass
class Study:
    """A served study, and the hands of its users."""

    root: Path
    url: str
    passwords: dict[str, str]
    at_work: Callable[..., Coder]
    """The user of that name at the page; logged in the first time, with another password where it is given."""
    context: Context


@contextmanager
def served_study(
    chromium: Browser, until: Callable[..., None], root: Path, users: Mapping[str, Sequence[Role]]
) -> Iterator[Study]:
    """A study on the folder `root`, served to real browsers."""
    context = Context.open(root, load_study(root))
    with context.database.write() as session:
        passwords = {name: add_user(session, name, roles)[1] for name, roles in users.items()}
    coders: dict[str, Coder] = {}
    with WebServer(create_app(context), checked_address("127.0.0.1", 0)) as server:

        def at_work(name: str, password: str | None = None) -> Coder:
            if name not in coders:
                coders[name] = Coder(chromium, server.url, until, name, password or passwords[name])
            return coders[name]

        yield Study(root, server.url, passwords, at_work, context)
        for coder in coders.values():
            coder.close()


@pytest.fixture(scope="module")
def study(chromium: Browser, until: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """A study with one recording."""
    root = tmp_path_factory.mktemp("study")
    write_session(root, "P07", [(FRAMES, TRUTH)])
    (root / "annotation.toml").write_text(STUDY)
    with served_study(chromium, until, root, USERS) as served:
        yield served
