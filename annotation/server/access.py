"""Who asks, and whether they may: the log-in cookie, roles, and a brake on guessing passwords."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Annotated, Final

from fastapi import Depends, HTTPException, Request

from annotation.api_models import Role
from annotation.server.context import Context
from annotation.users import LoggedIn, user_of_token

COOKIE: Final = "dfme_token"
_MOST_FAILURES: Final = 10
_IN_SECONDS: Final = 60.0
_MOST_NAMES: Final = 10_000
_AT_ONCE: Final = 2
"""Passwords that are checked at the same time: each takes a core for some 50 ms, which answers of coders need."""
_LONGEST_TURN_S: Final = 15.0


def context_of(request: Request) -> Context:
    """The running application."""
    context: Context = request.app.state.context
    return context


Shared = Annotated[Context, Depends(context_of)]


def logged_in(request: Request, context: Shared) -> LoggedIn:
    """Who asks; 401 where nobody is logged in."""
    token = request.cookies.get(COOKIE, "")
    if token:
        with context.database.read() as session:
            user = user_of_token(session, token)
        if user is not None:
            return user
    raise HTTPException(401, "log in first")


User = Annotated[LoggedIn, Depends(logged_in)]


def lead(user: User) -> LoggedIn:
    """A lead; 403 for everybody else."""
    if Role.LEAD not in user.roles:
        raise HTTPException(403, "this is for leads")
    return user


Lead = Annotated[LoggedIn, Depends(lead)]


class Brake:
    """Refuses further attempts on a name after ten wrong passwords in a minute; lets two be checked at once."""

    def __init__(self) -> None:
        self._turns = BoundedSemaphore(_AT_ONCE)
        self._failures: dict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def check(self, name: str) -> None:
        """429 where there were too many."""
        with self._lock:
            if len(self._recent(name)) >= _MOST_FAILURES:
                raise HTTPException(429, "too many wrong passwords: wait a minute")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until fewer than two passwords are being checked; 429 where that takes too long."""
        if not self._turns.acquire(timeout=_LONGEST_TURN_S):
            raise HTTPException(429, "too many log in at this moment: try again")
        try:
            yield
        finally:
            self._turns.release()

    def failed(self, name: str) -> None:
        """A wrong password was given."""
        with self._lock:
            if len(self._failures) > _MOST_NAMES:
                self._failures.clear()
            self._recent(name).append(time.monotonic())

    def _recent(self, name: str) -> deque[float]:
        failures = self._failures[name.casefold()]
        while failures and failures[0] < time.monotonic() - _IN_SECONDS:
            failures.popleft()
        return failures
