# SPDX-License-Identifier: Apache-2.0
"""What stands before every page and act: host names, origins, tokens, and errors said for people.

Reading is open on loopback; from any other address it takes a token, and so does every act. Knows nothing
of docks.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import web

from edge.errors import JournalError
from edge.view import Refused
from edge.web.access import Access, Grant, TooManyTries

GRANT: Final = web.RequestKey("grant", Grant)
"""Who is asking; absent when nobody has signed in."""

BODY_BYTES_MAX: Final = 128 * 1024
"""A code of 16 KiB written as JSON escapes, and room. Nothing people send here is longer."""

_log = logging.getLogger(__name__)

_OPEN_PATHS: Final = ("/healthz", "/login", "/static/")
_LOCAL_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a form's own POST would carry "Origin: null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

ErrorPage = Callable[[web.Request, int, str, str], str]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Denied(Exception):
    """A request that is not answered: HTTP status, what is wrong, and the next step."""

    def __init__(self, status: int, sentence: str, step: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.step = step


def install(app: web.Application, access: Access, hosts: Collection[str], error_page: ErrorPage) -> None:
    """Put the guard before every handler of `app`. `hosts` are the names, beside addresses and localhost,
    by which this node may be called.
    """
    names = _LOCAL_NAMES | {host.lower().rstrip(".") for host in hosts}

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            _check_host(request, names)
            grant = await _grant(request, access)
            if grant is not None:
                request[GRANT] = grant
            if request.method not in ("GET", "HEAD"):
                _check_origin(request)
            elif grant is None and not _is_loopback(request) and not request.path.startswith(_OPEN_PATHS):
                if _wants_page(request):
                    raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
                raise Denied(401, "Reading from another machine needs a token.", "Sign in, or send a token.")
            return await handler(request)
        except web.HTTPRedirection:
            raise
        except Exception as error:  # noqa: BLE001 - whatever happened, the caller gets a sentence
            return _said(request, error, error_page)

    async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")

    app.middlewares.append(guard)
    app.on_response_prepare.append(add_headers)


def grant_of(request: web.Request) -> Grant | None:
    """Who is asking, None when nobody has signed in."""
    return request.get(GRANT)


def worker_at(request: web.Request, door: str) -> Grant:
    """The grant to scan, enter quantities and undo at `door`. Raises Denied."""
    grant = _signed_in(request)
    if not grant.may_act_at(door):
        raise Denied(
            403,
            f"This screen is signed in for door {grant.door}, not for {door}.",
            "Sign in with this door's token.",
        )
    return grant


def supervisor(request: web.Request) -> Grant:
    """The supervisor's grant. Raises Denied."""
    grant = _signed_in(request)
    if not grant.supervises:
        raise Denied(403, "Only the supervisor may do this.", "Sign in with the supervisor's token.")
    return grant


def _signed_in(request: web.Request) -> Grant:
    grant = grant_of(request)
    if grant is None:
        raise Denied(401, "Nobody is signed in on this screen.", "Sign in with a token.")
    return grant


async def _grant(request: web.Request, access: Access) -> Grant | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        grant = await access.verify(token)
        if grant is None:
            raise Denied(401, "That token is not known here.", "Use a token of this node, or make a new one.")
        return grant
    cookie = request.cookies.get(access.cookie_name)
    return access.read_cookie(cookie) if cookie else None


def _check_host(request: web.Request, names: Collection[str]) -> None:
    """A name that an attacker made to point here (DNS rebinding) is not among ours; an address cannot be."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if host.rstrip(".") in names or _address(host) is not None:
        return
    raise Denied(
        421,
        f"This node is not called {host[:80]!r}.",
        "Call it by its address, or add the name to `hosts` under [web] in zonegate.toml.",
    )


def _check_origin(request: web.Request) -> None:
    """Browsers say where a request comes from; what is no browser has no cookie to abuse."""
    origin = request.headers.get("Origin")
    if origin is not None:
        same = urlsplit(origin).netloc == request.host
    elif "Sec-Fetch-Site" in request.headers:
        same = request.headers["Sec-Fetch-Site"] == "same-origin"
    else:
        same = not request.cookies
    if not same:
        raise Denied(403, "This request was sent by another site's page.", "Use this node's own pages.")


def _is_loopback(request: web.Request) -> bool:
    # Behind a proxy on this machine everybody would look local.
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    address = _address(request.remote or "")
    return address is not None and address.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _wants_page(request: web.Request) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def _said(request: web.Request, error: Exception, error_page: ErrorPage) -> web.StreamResponse:
    status, sentence, step = _words(request, error)
    if _wants_page(request):
        return web.Response(
            text=error_page(request, status, sentence, step), status=status, content_type="text/html"
        )
    body = msgspec.json.encode({"error": sentence, "next": step})
    return web.Response(body=body, status=status, content_type="application/json")


def _words(request: web.Request, error: Exception) -> tuple[int, str, str]:
    match error:
        case Denied():
            return error.status, error.sentence, error.step
        case Refused():
            return 409, str(error), "Look at the door's screen, then try again."
        case JournalError():
            return 503, "This dock cannot record now.", "Nothing may pass. Call the supervisor."
        case TooManyTries():
            return 429, "Too many tokens are being checked.", "Wait a moment and sign in again."
        case web.HTTPRequestEntityTooLarge():
            return 413, f"The request is longer than {BODY_BYTES_MAX} bytes.", "Send less."
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return 405, f"{request.method} is not possible here.", f"Use {allowed}."
        case web.HTTPNotFound():
            return 404, "There is no such page.", "Start at the status page: /"
        case web.HTTPException():
            return error.status, error.reason, "Correct the request and send it again."
    _log.exception("a request failed", extra={"path": request.path[:200]}, exc_info=error)
    return (
        500,
        "The dock service failed to answer this.",
        "Try again; if it stays, look into the service's log.",
    )
