"""Runs a web application: on this machine alone, or to others over TLS."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import uvicorn
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from capture.errors import BadInput, CaptureError

_STATIC = resources.files("capture.web") / "static"
_START_LIMIT_S: Final = 30.0
_STOP_LIMIT_S: Final = 5
"""How long an answer may still take when the server is asked to end."""


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.tls_cert is not None

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)


class WebServer:
    """An application that is served from a thread of its own, from `start` to `stop`."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        """Take the port; a port of 0 becomes one that is free.

        Raises:
            BadInput: The address is not this machine's, or the port is taken or refused.
        """
        self._socket = _listen(address)
        self.port: int = self._socket.getsockname()[1]
        # Everywhere is no address that others could open.
        name = socket.gethostname() if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104
        host = f"[{name}]" if ":" in name else name
        self.url = f"{'https' if address.secure else 'http'}://{host}:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                _HostCheck(app) if address.local else app,
                log_config=None,
                access_log=False,
                ws="none",
                timeout_graceful_shutdown=_STOP_LIMIT_S,
                timeout_keep_alive=30,
                server_header=False,
                ssl_certfile=str(address.tls_cert) if address.tls_cert else None,
                ssl_keyfile=str(address.tls_key) if address.tls_key else None,
            )
        )
        try:
            self._server.config.load()
        except OSError as error:
            self._socket.close()
            raise BadInput(f"cannot use {address.tls_cert} with {address.tls_key}: {error}") from None
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._answers = threading.Event()

    def start(self) -> None:
        """Serve from now on; comes back when requests are answered.

        Raises:
            CaptureError: It does not start.
        """
        self._thread.start()
        if not self._answers.wait(_START_LIMIT_S) or not self._server.started:
            raise CaptureError(f"the web server at {self.url} does not start")

    def stop(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_STOP_LIMIT_S + 5)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        started = self._server.startup

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await started(sockets)
            self._answers.set()

        self._server.startup = startup  # type: ignore[method-assign]  # uvicorn has no other way to say that it is up
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._answers.set()


def checked_address(host: str, port: int, tls_cert: Path | None = None, tls_key: Path | None = None) -> Address:
    """An address that may be served: this machine alone, or any with a certificate.

    Raises:
        BadInput: Others could reach it without TLS, or certificate and key do not come together.
    """
    if (tls_cert is None) != (tls_key is None):
        raise BadInput("--tls-cert and --tls-key belong together: give both")
    for file in (tls_cert, tls_key):
        if file is not None and not file.is_file():
            raise BadInput(f"{file} is not there: give certificate and key as PEM files")
    if not 0 <= port <= 65535:
        raise BadInput(f"--port {port}: give a port from 0 to 65535, 0 for a free one")
    if tls_cert is None and not is_loopback(host):
        raise BadInput(f"--host {host} is open to others: give --tls-cert and --tls-key, or use 127.0.0.1")
    return Address(host, port, tls_cert, tls_key)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def serve_shared(app: FastAPI) -> None:
    """Serve frame viewer and look as `/shared/`."""
    app.mount("/shared", StaticPages(directory=str(_STATIC)), name="shared")


class StaticPages(StaticFiles):
    """Static files that browsers ask for anew each time, so that a page never mixes two versions of us."""

    def file_response(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        """The file, or word that it has not changed."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


class _HostCheck:
    """Refuses names that are not this machine's: a page from elsewhere could have its own name point here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = next((value for key, value in scope["headers"] if key == b"host"), b"").decode("latin-1")
            host = name.rsplit(":", 1)[0] if not name.endswith("]") else name
            if not is_loopback(host):
                await PlainTextResponse("This server is for this machine alone.", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it; without it the end of an answer can wait 40 ms for the other side's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind((address.host, address.port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"cannot listen on {address.host} port {address.port}: {why}; choose another --port or --host"
        ) from None
    return listening
