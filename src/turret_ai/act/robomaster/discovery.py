# SPDX-License-Identifier: Apache-2.0
"""Where the robot is: it announces its address once in two seconds in station mode."""

from __future__ import annotations

import asyncio

from turret_ai.act.robomaster.wire import DIRECT_ADDRESS, USB_ADDRESS, parse_broadcast
from turret_ai.errors import PeerError
from turret_ai.waiting import within

NAMED = {"direct": DIRECT_ADDRESS, "usb": USB_ADDRESS}


class _Broadcasts(asyncio.DatagramProtocol):
    def __init__(self, found: asyncio.Future[str]) -> None:
        self._found = found

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        address = parse_broadcast(data)
        if address is not None and not self._found.done():
            self._found.set_result(address)


async def discover(listen_address: str, port: int, timeout: float) -> str:
    """Wait for an announcement; anything else that comes to the port is ignored.

    Raises:
        PeerError: none came in time, or the port can't be listened on.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str] = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Broadcasts(found), local_addr=(listen_address, port), allow_broadcast=True
        )
    except OSError as error:
        raise PeerError(f"can't listen for robots on {listen_address}:{port}: {error}") from error
    try:
        return await within(found, timeout)
    except TimeoutError as error:
        raise PeerError(f"no robot announced itself on port {port} in {timeout:g} s") from error
    finally:
        transport.close()


async def resolve(address: str, listen_address: str, port: int, timeout: float) -> str:
    """The address behind a user's word: direct, usb, station, or an address itself.

    Raises:
        PeerError: see `discover`.
    """
    if address == "station":
        return await discover(listen_address, port, timeout)
    return NAMED.get(address, address)
