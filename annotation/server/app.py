"""Puts the application together: routes, static pages, errors as one line, and what is refused for everybody."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from annotation.api_models import Problem
from annotation.rounds import Conflict
from annotation.server.access import Brake
from annotation.server.account_routes import router as account_router
from annotation.server.coder_routes import router as coder_router
from annotation.server.context import Context
from annotation.server.lead_routes import router as lead_router
from capture.errors import BadInput, CaptureError
from capture.version import software
from capture.web import SafeHeaders, same_origin, serve_shared
from capture.web.serving import StaticPages

_STATIC: Final = Path(str(resources.files("annotation") / "static"))
_MOST_BODY: Final = 4 << 20
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_log = logging.getLogger("annotation")

_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": words}
    for status, words in {
        401: "Nobody is logged in",
        403: "Not allowed for this user",
        404: "There is none",
        409: "The round's state, or somebody else's answer, does not allow it",
        422: "What was sent is not right",
        429: "Too many wrong passwords, or log-ins at the same moment",
    }.items()
}


def create_app(context: Context) -> FastAPI:
    """The application; it closes the context at its end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        context.close()

    app = FastAPI(
        title="dfme annotation",
        version=software(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            RequestValidationError: _invalid,
            CaptureError: _failed,
            HTTPException: _refused,
        },
    )
    app.state.context = context
    app.state.brake = Brake()
    for router in (account_router, coder_router, lead_router):
        app.include_router(router, prefix="/api", responses=_PROBLEMS)

    if (_STATIC / "index.html").is_file():

        @app.get("/", include_in_schema=False)
        def page() -> FileResponse:
            return FileResponse(_STATIC / "index.html", headers={"Cache-Control": "no-cache"})

        app.mount("/static", StaticPages(directory=str(_STATIC)), name="static")
    serve_shared(app)
    app.add_middleware(_SameOrigin)
    app.add_middleware(SafeHeaders)
    return app


class _SameOrigin:
    """Middleware: requests that change something come from our own page or from a program, and are of bounded size."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in _SAFE:
            headers = Headers(scope=scope)
            length = headers.get("content-length", "0")
            if not same_origin(headers):
                await _problem(403, "this request comes from another page")(scope, receive, send)
                return
            if not length.isdecimal() or int(length) > _MOST_BODY or "chunked" in headers.get("transfer-encoding", ""):
                await _problem(413, "send at most 4 MB, with their length")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _problem(status: int, text: str) -> JSONResponse:
    printable = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return JSONResponse({"detail": printable.encode("utf-8", "replace").decode()}, status)


async def _invalid(_request: Request, error: Exception) -> Response:
    """What FastAPI says of a body or an address, as one line, and without repeating what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    lines = []
    for problem in error.errors()[:5]:
        where = ".".join(str(part) for part in problem["loc"][1:])
        message = str(problem["msg"]).removeprefix("Value error, ")
        lines.append(f"{where}: {message}" if where else message)
    return _problem(422, "; ".join(lines))


async def _failed(_request: Request, error: Exception) -> Response:
    if isinstance(error, Conflict):
        return _problem(409, str(error))
    if isinstance(error, BadInput):
        return _problem(422, str(error))
    _log.error("%s", error)
    return _problem(503, str(error))


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return _problem(error.status_code, str(error.detail))
