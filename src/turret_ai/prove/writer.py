# SPDX-License-Identifier: Apache-2.0
"""Writing rosbag2 recordings (MCAP by default) from raw CDR bytes, without ROS.

Every type's definition and hash go into the bag, so that any reader can decode it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from turret_ai.errors import InputError
from turret_ai.prove.topics import spec_of

STORAGES = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
_LAST_WRITES_S = 60.0
"""How long a disk may take for what waits in memory when the recording ends."""

_FOREVER = QosTime(9223372036, 854775807)
"""How rosbag2 writes an unlimited duration."""


def offered_qos(reliable: bool, depth: int, latched: bool) -> Qos:
    """The publisher's quality of service as bags keep it, so that a player offers the same."""
    return Qos(
        QosHistory.KEEP_LAST,
        depth,
        QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
        QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        _FOREVER,
        _FOREVER,
        QosLiveliness.AUTOMATIC,
        _FOREVER,
        False,
    )


def _usual_qos(topic: str) -> Qos:
    """What the graph's own publisher of a topic offers."""
    spec = spec_of(topic)
    return offered_qos(spec.reliable if spec else True, 10, spec.latched if spec else False)


class BagWriter:
    """One new bag. Use it as a context manager, which completes it also on errors.

    Topics may be added in one thread while another one writes.

    Args:
        path: the folder to make; it must not exist.
        storage: "mcap" or "sqlite3".
        compress: MCAP chunks by zstd, readable by `ros2 bag`.

    Raises:
        InputError: the folder exists or can't be made, or an unknown storage.
    """

    def __init__(self, path: str | Path, storage: str = "mcap", compress: bool = False) -> None:
        if storage not in STORAGES:
            raise InputError(f"storage must be one of {', '.join(STORAGES)}: got {storage!r}")
        if compress and storage != "mcap":
            raise InputError("only mcap bags can be compressed while they are recorded")
        self.path = Path(path)
        self.counts: dict[str, int] = {}
        self._connections: dict[str, Connection] = {}
        self._lock = threading.Lock()
        if self.path.exists():
            raise InputError(f"{self.path} exists already: choose another name for the bag")
        # Version 9 differs in how quality of service is written, which older readers don't know.
        self._writer = Writer(self.path, version=8, storage_plugin=STORAGES[storage])
        if compress:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise InputError(f"can't make the bag {self.path}: {error.strerror}") from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_topic(self, topic: str, kind: str, qos: Qos | None = None) -> None:
        """Announce a topic; a topic without messages stays in the list with a count of 0.

        Raises:
            InputError: an unknown type, or another type than before.
        """
        from turret_ai.ros.dds.messages import describe

        known = self._connections.get(topic)
        if known is not None:
            if known.msgtype != kind:
                raise InputError(f"{topic} is {known.msgtype}, it can't be {kind} as well")
            return
        text, digest = describe(kind)
        with self._lock:
            self._connections[topic] = self._writer.add_connection(
                topic,
                kind,
                msgdef=text,
                rihs01=digest,
                offered_qos_profiles=[qos or _usual_qos(topic)],
            )
        self.counts[topic] = 0

    def write(self, topic: str, log_ns: int, raw: bytes | memoryview) -> None:
        """Append one message, CDR with its 4-byte header, of a topic that was added."""
        with self._lock:
            self._writer.write(self._connections[topic], log_ns, raw)
        self.counts[topic] += 1

    def write_message(self, topic: str, log_ns: int, message: Any, kind: str) -> None:
        """Append one message object of either runtime; adds its topic."""
        if topic not in self._connections:
            self.add_topic(topic, kind)
        self.write(topic, log_ns, _to_cdr(message, kind))

    def close(self) -> None:
        """Write index and metadata."""
        if self._writer.storage is None:
            return
        if not sum(self.counts.values()):
            self._writer.min_timestamp = 0  # an empty bag begins at 0, not at the end of time
        self._writer.close()


def _to_cdr(message: Any, kind: str) -> bytes | memoryview:
    if hasattr(message, "__msgtype__"):
        from turret_ai.ros.dds.messages import to_cdr

        return to_cdr(message, kind)
    from rclpy.serialization import serialize_message

    return bytes(serialize_message(message))


@dataclass(frozen=True, slots=True)
class _Item:
    topic: str
    log_ns: int
    raw: bytes


class Recorder:
    """Takes messages from any thread and writes them from one of its own.

    Memory is bounded: when `capacity_bytes` wait for the disk, `put` waits up to `patience_s` and
    then counts the message as lost. `convert` (topic, bytes) may change what is written; it runs in
    the writing thread, and a message that it can't convert counts as lost.
    """

    def __init__(
        self,
        writer: BagWriter,
        *,
        capacity_bytes: int = 256 * 2**20,
        patience_s: float = 1.0,
        clock: Callable[[], int] = time.time_ns,
        convert: Callable[[str, bytes], bytes] | None = None,
    ) -> None:
        self.writer = writer
        self.lost: dict[str, int] = {}
        self.error: Exception | None = None
        self._clock = clock
        self._convert = convert
        self._capacity = capacity_bytes
        self._patience = patience_s
        self._waiting = 0
        self._room = threading.Condition()
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """What is held in memory."""
        return self._waiting

    def put(self, topic: str, raw: bytes, log_ns: int | None = None) -> bool:
        """Hand over one message of a topic that the writer knows; False: it was lost."""
        item = _Item(topic, self._clock() if log_ns is None else log_ns, raw)
        size = len(raw)
        with self._room:
            fits = self._room.wait_for(
                lambda: (
                    self._waiting == 0
                    or self._waiting + size <= self._capacity
                    or self.error is not None
                ),
                self._patience,
            )
            if not fits or self.error is not None:
                self.lost[topic] = self.lost.get(topic, 0) + 1
                return False
            self._waiting += size
        self._queue.put(item)
        return True

    def close(self) -> None:
        """Write what waits, then index and metadata.

        Raises:
            InputError: the disk failed; the bag holds what was written before.
        """
        self._queue.put(None)
        self._thread.join(_LAST_WRITES_S)
        if self._thread.is_alive():
            raise InputError(f"the disk under {self.writer.path} doesn't take what is recorded")
        try:
            self.writer.close()
        except OSError as error:
            self.error = self.error or error
        if self.error is not None:
            raise InputError(f"recording to {self.writer.path} failed: {self.error}")

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if self.error is None:
                    raw = item.raw
                    if self._convert is not None:
                        raw = self._convert(item.topic, raw)
                    self.writer.write(item.topic, item.log_ns, raw)
            except InputError:  # of the conversion: this message can't be used
                self.lost[item.topic] = self.lost.get(item.topic, 0) + 1
            except Exception as error:  # a full disk, or a storage library's own error
                self.error = error
            finally:
                with self._room:
                    self._waiting -= len(item.raw)
                    self._room.notify_all()
