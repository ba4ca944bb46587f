# SPDX-License-Identifier: Apache-2.0
"""A limit for the size of request bodies, kept while they arrive."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: more than `most` bytes are answered with status 413, and not kept."""

    def __init__(self, app: Application, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope.get("headers") or []).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._most:
            await self._refuse(send)
            return
        count = 0

        async def counted() -> Message:
            nonlocal count
            if count > self._most:
                return {"type": "http.disconnect"}
            message = await receive()
            count += len(message.get("body", b""))
            # What the application makes of the cut body is thrown away below.
            return message if count <= self._most else {"type": "http.request", "body": b""}

        async def watched(message: Message) -> None:
            if count <= self._most:
                await send(message)

        await self._app(scope, counted, watched)
        if count > self._most:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        body = json.dumps({"error": f"the body is larger than {self._most} bytes"}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
