# SPDX-License-Identifier: Apache-2.0
"""Gazebo's transport for tests: topics over ZeroMQ, found by UDP multicast, in protobuf's encoding.

Speaks wire version 10, which Fortress (ign-transport 11) and Harmonic (gz-transport 13) share.
Messages are plain dictionaries from field number to values; what this package needs is few fields.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import zmq

WIRE_VERSION = 10
GROUP, PORT = "239.255.0.7", 10317
HEARTBEAT_S = 1.0
ADVERTISE, SUBSCRIBE, HEARTBEAT, BYE, NEW_CONNECTION = 1, 2, 4, 5, 6
ALL = 2
"""The scope of a publisher that everybody may hear."""

Fields = dict[int, list[Any]]


# -- protobuf ------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(fields: dict[int, Any]) -> bytes:
    """A message: int as varint, float as double, str, bytes and dict (a message) by length.

    A list repeats its field.
    """
    out = bytearray()
    for number, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += _varint(number << 3) + _varint(value)
            elif isinstance(value, float):
                out += _varint(number << 3 | 1) + struct.pack("<d", value)
            else:
                data = encode(value) if isinstance(value, dict) else value
                data = data.encode() if isinstance(data, str) else data
                out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return bytes(out)


def decode(data: bytes | memoryview) -> Fields:
    """The fields of a message: ints, floats and memoryviews (strings, bytes, messages)."""
    view, at, fields = memoryview(data), 0, {}

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = view[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(view):
        key = varint()
        kind, found = key & 7, None
        if kind == 0:
            found = varint()
        elif kind == 1:
            found = struct.unpack_from("<d", view, at)[0]
            at += 8
        elif kind == 5:
            found = struct.unpack_from("<f", view, at)[0]
            at += 4
        elif kind == 2:
            size = varint()
            found = view[at : at + size]
            at += size
        else:
            raise ValueError(f"protobuf's wire type {kind} is not known here")
        fields.setdefault(key >> 3, []).append(found)
    return fields


def doubles(values: list[Any]) -> list[float]:
    """A repeated double, packed or not."""
    found: list[float] = []
    for value in values:
        if isinstance(value, float):
            found.append(value)
        else:
            found += struct.unpack(f"<{len(value) // 8}d", value)
    return found


def inner(fields: Fields, *path: int) -> Fields:
    """The message within a message; empty where it is left out."""
    for number in path:
        fields = decode(fields[number][-1]) if number in fields else {}
    return fields


def text(fields: Fields, number: int) -> str:
    """A string field."""
    return bytes(fields[number][-1]).decode() if number in fields else ""


# -- topics --------------------------------------------------------------------------------------


class Publisher:
    """What `Transport.advertise` gives."""

    def __init__(self, owner: Transport, topic: str, kind: str) -> None:
        self._owner, self._topic, self._kind = owner, topic, kind
        self.subscribers: set[str] = set()
        """Processes that have told that they listen."""

    def publish(self, message: dict[int, Any]) -> None:
        """Send to everybody who listens."""
        self._owner.send(self._topic, encode(message), self._kind)


class Transport:
    """One process among Gazebo's. Close it, or use it as a context manager.

    partition: as in GZ_PARTITION (IGN_PARTITION); "": that, or host and user as Gazebo has it.
    """

    def __init__(self, partition: str = "", address: str = "127.0.0.1") -> None:
        told = os.environ.get("GZ_PARTITION") or os.environ.get("IGN_PARTITION")
        self.partition = partition or told or f"{socket.gethostname()}:{getpass.getuser()}"
        self._address = address
        self._process, self._node = str(uuid.uuid4()), str(uuid.uuid4())
        self._context = zmq.Context()
        self._pub, self._sub = self._context.socket(zmq.PUB), self._context.socket(zmq.SUB)
        self._sub.setsockopt(zmq.RCVHWM, 100)
        self._pub.setsockopt(zmq.LINGER, 0)
        self._pub.bind(f"tcp://{address}:*")
        self._endpoint = self._pub.getsockopt_string(zmq.LAST_ENDPOINT)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._udp.bind(("", PORT))
        here = socket.inet_aton(address)
        member = socket.inet_aton(GROUP) + here
        self._udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        self._udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        self._lock = threading.RLock()
        self._callbacks: dict[str, tuple[str, Callable[[Fields], None]]] = {}
        self._publishers: dict[str, tuple[str, Publisher]] = {}
        self._connected: set[tuple[str, str]] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gz transport", daemon=True)
        self._thread.start()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def subscribe(self, topic: str, callback: Callable[[Fields], None], kind: str = "") -> None:
        """Have a function called, on the transport's thread, with each message's fields.

        kind: such as "gz.msgs.Double"; as in Gazebo, messages of another are dropped unsaid.
        "": all are taken.
        """
        with self._lock:
            self._callbacks[self._full(topic)] = (kind, callback)
        self._tell(SUBSCRIBE, {6: {1: self._full(topic)}})

    def advertise(self, topic: str, kind: str) -> Publisher:
        """A publisher; kind: such as "gz.msgs.Double"."""
        full = self._full(topic)
        publisher = Publisher(self, full, kind)
        with self._lock:
            self._publishers[full] = (kind, publisher)
        self._advertise(full)
        return publisher

    def send(self, topic: str, data: bytes, kind: str) -> None:
        """One message, to a topic's full name."""
        with self._lock:
            parts = [topic.encode(), self._endpoint.encode(), data, kind.encode()]
            self._pub.send_multipart(parts)

    def close(self) -> None:
        """Leave."""
        if self._closing.is_set():
            return
        self._tell(BYE)
        self._closing.set()
        self._thread.join(5.0)
        self._udp.close()
        self._context.destroy(linger=0)

    # -- discovery -------------------------------------------------------------------------------

    def _full(self, topic: str) -> str:
        return f"@/{self.partition.strip('/')}@{topic}"

    def _tell(self, kind: int, rest: dict[int, Any] | None = None) -> None:
        data = encode({2: WIRE_VERSION, 3: self._process, 4: kind, **(rest or {})})
        with contextlib.suppress(OSError):
            self._udp.sendto(struct.pack("<H", len(data)) + data, (GROUP, PORT))

    def _advertise(self, full: str) -> None:
        kind, _ = self._publishers[full]
        who = {1: full, 2: self._endpoint, 3: self._process, 4: self._node, 5: ALL}
        self._tell(ADVERTISE, {7: {**who, 6: {1: "unused", 2: kind, 4: (1 << 64) - 1}}})

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._sub, zmq.POLLIN)
        poller.register(self._udp, zmq.POLLIN)
        told = 0.0
        while not self._closing.is_set():
            if time.monotonic() - told > HEARTBEAT_S:
                told = time.monotonic()
                self._tell(HEARTBEAT)
                with self._lock:
                    for full in self._publishers:
                        self._advertise(full)
                    for full in self._callbacks:
                        self._tell(SUBSCRIBE, {6: {1: full}})
            for found, _ in poller.poll(100):
                if found is self._sub:
                    topic, _, data, kind = self._sub.recv_multipart()
                    wanted, callback = self._callbacks.get(topic.decode(), ("", None))
                    if callback is not None and wanted in ("", kind.decode()):
                        callback(decode(data))
                else:
                    self._heard(self._udp.recv(65536))

    def _heard(self, packet: bytes) -> None:
        if len(packet) < 2:
            return
        message = decode(packet[2 : 2 + struct.unpack_from("<H", packet)[0]])
        process = text(message, 3)
        if process == self._process or message.get(2, [0])[-1] % 100 != WIRE_VERSION:
            return
        kind, about = message.get(4, [0])[-1], inner(message, 7)
        topic = text(about, 1)
        with self._lock:
            if kind == ADVERTISE and topic in self._callbacks and 6 in about:
                self._connect(process, topic, about)
            elif kind == SUBSCRIBE and text(inner(message, 6), 1) in self._publishers:
                self._advertise(text(inner(message, 6), 1))
            elif kind == NEW_CONNECTION and text(inner(about, 6), 1) == self._process:
                self._publishers[topic][1].subscribers.add(process)

    def _connect(self, process: str, topic: str, about: Fields) -> None:
        """Listen to a publisher, and tell it so: a camera renders only for whom it knows of."""
        address = text(about, 2)
        if not any(known == address for known, _ in self._connected):
            self._sub.connect(address)
        if (address, topic) not in self._connected:
            self._sub.setsockopt_string(zmq.SUBSCRIBE, topic)
            self._connected.add((address, topic))
        mine = {1: topic, 2: address, 3: self._process, 4: self._node, 5: ALL}
        self._tell(NEW_CONNECTION, {7: {**mine, 6: {1: process, 2: text(inner(about, 6), 2)}}})
