"""Who may talk to the server: holders of the token, from the server's own page, with bodies of bounded size.

A page on any website can make a person's browser send requests to 127.0.0.1. So a request counts only with
the token (as a cookie that only this origin sends, or in the address when the page is first opened), under a
host name that is ours (against DNS rebinding), and a write only from our own origin. The number at which a
request came in is a name of ours too: no DNS is asked about numbers.
"""

from __future__ import annotations

import ipaddress
import secrets
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pickem.project.settings import LARGEST_PATCH

LARGEST_BODY = LARGEST_PATCH**2  # bytes; one a pixel of the largest mask
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_SAFE = {"GET", "HEAD"}


def new_token() -> str:
    """A random token of 192 bits."""
    return secrets.token_urlsafe(24)


def is_local(host: str) -> bool:
    """Whether only programs of this machine reach a server under this name."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


class Gate:
    """ASGI middleware that lets in what may come in, and refuses all else before the application sees it.

    Parameters
    ----------
    token: the secret; compared in constant time.
    hosts: names under which the server may be addressed, without port.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str], cookie: str) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, hardened = Headers(scope=scope), _hardened(send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, hardened)
            return
        try:
            await self._app(scope, _bounded(receive), hardened)
        except _TooLargeError:
            await _too_large()(scope, receive, hardened)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if _host_name(headers.get("host", "")) not in self._hosts | _own_number(scope):
            return _no(403, "This server is not addressed under that name.")
        if scope["method"] not in _SAFE:
            origin = headers.get("origin")
            if origin is not None and _split(origin).netloc != headers.get("host"):
                return _no(403, "Only pickem's own page may change anything.")
            if headers.get("x-pickem") is None:
                return _no(403, "Only pickem's own page may change anything: the header X-Pickem is missing.")
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if given and scope["path"] == "/" and self._is_token(given):
            return self._welcome()
        if not self._is_token(_cookie(headers, self._cookie) or headers.get("x-pickem-token", "")):
            return _no(401, "Open the address that `pickem label` printed: it holds the token.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return _too_large()
        return None

    def _welcome(self) -> Response:
        """Move the token from the address, where it would stay in the history, into a cookie.

        "lax", as the browser may come from the file that `pickem label` opens, which is another site: it then
        sends the cookie with the page, and still with nothing that a foreign page asks for or writes.
        """
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="lax", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


class _TooLargeError(Exception):
    """More came than any mask is large."""


def _bounded(receive: Receive) -> Receive:
    """Bodies without a length, or with a false one, end at the limit as well."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise _TooLargeError
        return message

    return bounded


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = POLICY
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return hardened


def _own_number(scope: Scope) -> set[str]:
    """The IP address at which a request came in, as a browser writes it; nothing where it is not known."""
    address, _ = scope.get("server") or ("", None)
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return set()
    return {str(getattr(number, "ipv4_mapped", None) or number)}


def _host_name(host: str) -> str:
    return _split(f"//{host}").hostname or ""


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # brackets of a damaged IPv6 address
        return urlsplit("")


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _too_large() -> Response:
    return _no(413, "The request is larger than any mask.")


def _no(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)
