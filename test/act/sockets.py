# SPDX-License-Identifier: Apache-2.0
"""Helpers for tests on real sockets of this machine."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable

from turret_ai.act.robomaster.wire import Ports


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Below the system's own range, out of which others' connections are served."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_ports() -> Ports:
    """Ports of the robot that nobody uses."""
    tcp = [free_port() for _ in range(4)]
    udp = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    return Ports(tcp[0], tcp[1], tcp[2], udp[0], tcp[3], udp[1])


async def until(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    """Wait, with a limit, until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.005)
    return True
