# SPDX-License-Identifier: Apache-2.0
"""What stands before every page and act: host names, origins, the token, and errors said for people.

Reading is open on loopback; from elsewhere it takes the token, and so does every act. The exchange has its
own proof, the signature of a node's key.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import struct
from collections.abc import Awaitable, Callable, Collection
from socket import AF_UNIX, SO_PEERCRED, SOL_SOCKET
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from central.errors import Denied, Unavailable
from central.web.access import Access

COOKIE: Final = "zonegate_center"
SIGNED_IN: Final = web.RequestKey("signed_in", bool)

EXCHANGE: Final = "/api/v1/exchange"

_OPEN: Final = ("/healthz", "/login", "/static/", EXCHANGE)
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers name no origin in a form either
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[web.Request, int, str, str], str]

_PEER: Final = struct.Struct("3i")
"""Process, user and group at the other end of a local socket, as SO_PEERCRED gives them."""

_log = logging.getLogger(__name__)


def install(app: web.Application, access: Access, hosts: Collection[str], error_page: ErrorPage) -> None:
    """Put the guard before every route. `hosts` are names, beside addresses and localhost, that browsers
    and programs may call this center by: others are refused, against DNS rebinding.
    """
    names = {"localhost", *(host.lower().rstrip(".") for host in hosts)}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if "\x00" in request.path or "\x00" in "".join(request.query.values()):
                raise Denied(400, "the address names something with a NUL in it", "Type the name by hand.")
            await _admit(request, access, names)
            response = await handler(request)
        except Denied as error:
            response = refusal(request, error.status, str(error), error.next_step, error_page)
        except Unavailable as error:
            response = refusal(request, 503, str(error), "Try again in a few seconds.", error_page)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = refusal(request, error.status, error.reason, _steps(error.status), error_page)
        except Exception:  # noqa: BLE001 - the last line: people get a sentence, the log the traceback
            _log.exception("%s %s failed", request.method, request.path)
            response = refusal(
                request, 500, "the center could not do this", "Look into its log, then try again.", error_page
            )
        if not response.prepared:
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    app.middlewares.append(guard)


def refusal(
    request: web.Request, status: int, error: str, next_step: str, error_page: ErrorPage
) -> web.Response:
    """An error as JSON for programs, as a page for browsers."""
    if "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/"):
        page = error_page(request, status, error, next_step)
        return web.Response(text=page, status=status, content_type="text/html")
    body = msgspec.json.encode({"error": error, "next": next_step})
    return web.Response(body=body, status=status, content_type="application/json")


async def _admit(request: web.Request, access: Access, names: Collection[str]) -> None:
    if request.path == EXCHANGE:
        return
    host = _host_of(request)
    if not _is_address(host) and host not in names:
        raise Denied(421, f"this center is not called {host[:80]!r}", "Add the name to [central] hosts.")
    signed_in = await _signed_in(request, access)
    request[SIGNED_IN] = signed_in
    if request.method not in ("GET", "HEAD"):
        _check_origin(request)
        if not signed_in and not request.path.startswith(_OPEN):
            raise Denied(
                401, "this takes the center's token", "Sign in, or send Authorization: Bearer TOKEN."
            )
    elif not signed_in and not request.path.startswith(_OPEN) and not _from_loopback(request):
        if "text/html" in request.headers.get("Accept", ""):
            raise web.HTTPSeeOther("/login")
        raise Denied(401, "reading from another machine takes the token", "Send Authorization: Bearer TOKEN.")


async def _signed_in(request: web.Request, access: Access) -> bool:
    if _is_owner(request):
        return True
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and access.in_session(cookie):
        return True
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    if not await access.check(token.strip()):
        raise Denied(401, "this is not the center's token", "Use the token that its first start printed.")
    return True


def _is_owner(request: web.Request) -> bool:
    """Whether the request comes by the socket in the data folder, from the center's own user or root: they
    could read the center's key as well.
    """
    socket = request.transport.get_extra_info("socket") if request.transport else None
    if socket is None or socket.family != AF_UNIX:
        return False
    peer = socket.getsockopt(SOL_SOCKET, SO_PEERCRED, _PEER.size)
    return _PEER.unpack(peer)[1] in (0, os.geteuid())


def _check_origin(request: web.Request) -> None:
    """A browser names the page that sends: it must be this center's own (no request from elsewhere)."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
        raise Denied(403, "the request comes from another site's page", "Open the center's own page.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Denied(403, "the request comes from another site's page", "Open the center's own page.")


def _host_of(request: web.Request) -> str:
    try:
        return (urlsplit("//" + request.host).hostname or "").rstrip(".")
    except ValueError:
        return request.host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _from_loopback(request: web.Request) -> bool:
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False  # a proxy on this machine speaks for somebody else
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _steps(status: int) -> str:
    return {
        404: "Look at the addresses in /api/v1/openapi.json.",
        405: "Use the method that /api/v1/openapi.json names.",
        413: "Send less at once.",
    }.get(status, "Correct the request.")
