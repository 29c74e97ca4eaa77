"""Who is let in to a page, and what a browser may do there: token cookie, origin check, security headers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENTRANCE: Final = "/enter"
"""`/enter?token=TOKEN` puts the token into a cookie and goes on to `/`."""
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

    The cookie is out of reach for scripts, and requests that change something must come from a page of ours. Everybody
    else gets 403.
    """

    def __init__(self, app: ASGIApp, *, token: str, secure: bool = False) -> None:
        self._app = app
        self._token = token
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
            await self._enter(scope)(scope, receive, send)
        elif not self._known(_cookie(headers, self._cookie)):
            await PlainTextResponse("Open this page by the address that was printed.", 403)(scope, receive, send)
        elif scope["method"] not in _SAFE_METHODS and not same_origin(headers):
            await PlainTextResponse("This request comes from another page.", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _enter(self, scope: Scope) -> ASGIApp:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not self._known(given):
            return PlainTextResponse("This address is not valid any more.", 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="lax", secure=self._secure, path="/")
        return answer

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
