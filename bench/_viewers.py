# SPDX-License-Identifier: Apache-2.0
"""Pages without a browser, in a process of their own: so many WebSockets that read and acknowledge.

    python -m bench._viewers http://127.0.0.1:8765

Each line on stdin is how many shall look from now on. The answer, one line on stdout, is how many
pictures came to how many pages in how many seconds until then, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from types import TracebackType

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


class Viewers:
    """That process, for whoever wants to be looked at. Use as a context manager."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench._viewers", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Viewers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def look(self, count: int) -> float:
        """Let so many pages look; pictures a second that each page got before this, 0 if none."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the pages have gone")
        before = json.loads(line)
        return float(
            before["pictures"] / before["pages"] / before["seconds"] if before["pages"] else 0
        )


class _Page:
    def __init__(self, url: str) -> None:
        self.pictures = 0
        self._url = url
        self._task = asyncio.ensure_future(self._look())

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _look(self) -> None:
        address = self._url.replace("http", "ws", 1) + "/live"
        while True:
            with contextlib.suppress(OSError, ConnectionClosed):
                async with connect(address, origin=self._url, compression=None) as socket:  # type: ignore[arg-type]
                    await socket.send('{"type":"hello","token":""}')
                    count = 0
                    async for message in socket:
                        count += 1
                        self.pictures += isinstance(message, bytes)
                        await socket.send(f'{{"type":"ack","count":{count}}}')
            await asyncio.sleep(0.2)


async def _main(url: str) -> None:
    loop = asyncio.get_running_loop()
    pages: list[_Page] = []
    since = time.monotonic()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        count, now = int(line), time.monotonic()
        told = {
            "pictures": sum(each.pictures for each in pages),
            "pages": len(pages),
            "seconds": now - since,
        }
        print(json.dumps(told), flush=True)
        for each in pages[count:]:
            await each.leave()
        pages = pages[:count] + [_Page(url) for _ in range(count - len(pages))]
        since = now
        for each in pages:
            each.pictures = 0


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
