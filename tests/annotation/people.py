"""A running application, and people who are logged in to it over HTTP."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

import httpx

from annotation.api_models import RoundKind
from annotation.server import Context, create_app
from annotation.study import CoderNumbers, Study
from capture.web import WebServer, checked_address

PASSWORD = "long enough a password"
CODERS = ("ana", "ben", "cem")


class People:
    """One client each, by name."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.app = create_app(context)
        self._stack = ExitStack()
        self._clients: dict[str, httpx.Client] = {}

    def __enter__(self) -> Self:
        self.url = self._stack.enter_context(WebServer(self.app, checked_address("127.0.0.1", 0))).url
        return self

    def __exit__(self, *_error: object) -> None:
        # Clients first: the server waits for connections that are open.
        self._stack.close()

    def __getitem__(self, name: str) -> httpx.Client:
        if name not in self._clients:
            client = self.stranger()
            answer = client.post("/api/login", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            self._clients[name] = client
        return self._clients[name]

    def stranger(self) -> httpx.Client:
        """Somebody who is not logged in."""
        return self._stack.enter_context(httpx.Client(base_url=self.url, timeout=60))

    def open_round(self, kind: str | RoundKind) -> int:
        """Have the lead open a round; gives its number."""
        answer = self["lena"].post("/api/rounds", json={"kind": kind})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def items(self, name: str, round_id: int) -> list[int]:
        """A coder's work of one round, in order."""
        return [one["item"] for one in self[name].get("/api/work").json()["items"] if one["round"] == round_id]


def small_study(**changes: object) -> Study:
    """Three coders for everything, two for units."""
    return Study(name="trial", coders=CoderNumbers(keyframes=3, units=2, emotion=3), **changes)
