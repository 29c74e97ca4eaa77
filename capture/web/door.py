"""Who is let in to a page, and what a browser may do there: token cookie, origin check, security headers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENTRANCE: Final = "/enter"
"""`/enter?token=TOKEN` puts the token into a cookie and goes on to `/`."""
_MOST_FORM_BYTES: Final = 4096
_PAUSE_S: Final = 0.5
_LOOK: Final = "/shared/base.css"
"""What the page that asks for the password looks like; the one thing that strangers get."""
_ASK: Final = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>dfme</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="{_LOOK}">
  </head>
  <body>
    <form class="panel asking" method="post" action="{ENTRANCE}">
      <p class="notice">HINT</p>
      <label for="password">Password</label>
      <input id="password" type="password" name="password" autofocus required>
      <button class="primary">Enter</button>
    </form>
  </body>
</html>
"""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SafeHeaders:
    """Middleware: tells browsers to load nothing from elsewhere, and to keep nothing that does not say it may be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to each answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_safely)


class AccessByToken:
    """Middleware: lets in whoever has the token, first in the address of the entrance and then in a cookie.

    Where there is a password, whoever comes without the token is asked for it, and gets the token in return.
    The cookie is out of reach for scripts, and requests that change something must come from a page of ours. Everybody
    else gets 403.
    """

    def __init__(self, app: ASGIApp, *, token: str, password: str | None = None, secure: bool = False) -> None:
        self._app = app
        self._token = token
        self._password = password
        self._guessing = asyncio.Lock()
        self._secure = secure
        # Cookies do not know ports: two servers on one machine must not overwrite each other's.
        self._cookie = "dfme_" + hashlib.sha256(token.encode()).hexdigest()[:12]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"] == ENTRANCE:
            answer = await self._enter(Request(scope, receive))
            await answer(scope, receive, send)
        elif self._password is not None and scope["path"] == _LOOK:
            await self._app(scope, receive, send)
        elif not self._known(_cookie(headers, self._cookie)):
            await self._stranger(scope)(scope, receive, send)
        elif scope["method"] not in _SAFE_METHODS and not same_origin(headers):
            await PlainTextResponse("This request comes from another page.", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _enter(self, request: Request) -> ASGIApp:
        if request.method == "POST":
            if self._password is None or not same_origin(request.headers):
                return PlainTextResponse("There is no password here.", 403)
            if not await self._right_password(request):
                return HTMLResponse(_ASK.replace("HINT", "That was not the password."), 403)
        elif not self._known(request.query_params.get("token", "")):
            return PlainTextResponse("This address is not valid any more.", 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="lax", secure=self._secure, path="/")
        return answer

    def _stranger(self, scope: Scope) -> ASGIApp:
        if self._password is not None and scope["path"] == "/" and scope["method"] == "GET":
            return HTMLResponse(_ASK.replace("HINT", ""))
        return PlainTextResponse("Open this page by the address that was printed.", 403)

    async def _right_password(self, request: Request) -> bool:
        """Whether the form has the password; one guess after the other, each wrong one with a pause."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_FORM_BYTES:
                return False
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        async with self._guessing:
            right = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), (self._password or "").encode())
            if not right:
                await asyncio.sleep(_PAUSE_S)
        return right

    def _known(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode())


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def same_origin(headers: Headers) -> bool:
    """Whether a request comes from a page that was loaded from the server it goes to, or from no page at all."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold()
    except ValueError:
        return False


def _cookie(headers: Headers, name: str) -> str:
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""
