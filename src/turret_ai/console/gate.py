# SPDX-License-Identifier: Apache-2.0
"""Who may talk to the server at all: the name it is called by, the page that calls, the headers.

A page of somebody else's in the operator's browser reaches loopback too. It is told by its Origin;
one that made its own name point here (DNS rebinding) is told by the Host.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cache-control": "no-cache",
}


def name_of(host: str) -> str:
    """The name in a Host header, without its port; "" where it is none."""
    host = host.strip().lower()
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        return name if closed and (not port or _is_port(port[1:])) else ""
    name, colon, port = host.partition(":")
    return name if not colon or _is_port(port) else ""


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit()


def allowed_host(host: str, names: Iterable[str]) -> bool:
    """Whether a browser may call the server so: by an address, which nobody can make point
    elsewhere, by localhost, or by one of these names."""
    name = name_of(host)
    if not name:
        return False
    if name == "localhost" or name in {each.lower() for each in names}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(origin: str, host: str) -> bool:
    """Whether a page comes from the server itself; without an Origin it does not."""
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


class Gate:
    """ASGI middleware: refuses foreign hosts, and foreign origins of WebSockets; adds headers."""

    def __init__(self, app: Application, names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = {*names, socket.gethostname()}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        fits = allowed_host(host, self._names)
        if scope["type"] == "websocket":
            if fits and same_origin(origin, host):
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})  # before accept: 403
            return
        if not fits or (origin and not same_origin(origin, host)):
            text = b"this console does not answer to that name, or to that page"
            start = {"type": "http.response.start", "status": 403}
            await send(start | {"headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": text})
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self._app(scope, receive, with_headers)
