# SPDX-License-Identifier: Apache-2.0
"""Reading rosbag2 recordings (MCAP and SQLite), also damaged ones, without ROS.

A bag that can only be read in part is read in part: what was wrong stands in `problems`.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from turret_ai.errors import InputError
from turret_ai.prove import bag_files
from turret_ai.prove.salvage import CutMcap, CutSqlite


class _Source(Protocol):
    """One storage file, or a folder of them."""

    @property
    def connections(self) -> list[Connection]: ...

    def messages(
        self,
        connections: Collection[Connection],
        start: int | None = None,
        stop: int | None = None,
    ) -> Iterator[tuple[Connection, int, bytes]]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """A recorded topic. problem: why its messages can't be decoded, else ""."""

    name: str
    type: str
    count: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BagRecord:
    """One recorded message. log_ns: when it was received. raw: CDR with its 4-byte header."""

    topic: str
    type: str
    log_ns: int
    raw: bytes = field(repr=False)


class Bag:
    """A recording, opened for reading; use it as a context manager.

    Args:
        path: a bag folder, or a single .mcap or .db3 file.

    Raises:
        InputError: there is no bag, or nothing of it can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.problems: list[str] = []
        self._sources: list[tuple[_Source, Path]] = []
        self._folder: bag_files.Folder | None = None
        self._unpacked: TemporaryDirectory[str] | None = None
        self._stores: dict[str, Typestore] = {}
        if not self.path.exists():
            raise InputError(f"there is no bag at {self.path}")
        self._open()
        self.topics = self._list()

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        if self._folder is not None:
            self._folder.close()  # and its storages
        else:
            for source, _ in self._sources:
                source.close()
        self._folder = None
        self._sources.clear()
        if self._unpacked is not None:
            self._unpacked.cleanup()

    # -- reading ---------------------------------------------------------------------------------

    def records(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[BagRecord]:
        """Messages in the order of their log time, of these topics (None: all).

        What is damaged is left out; `problems` says where.

        Args:
            start_ns, stop_ns: only those logged in [start_ns, stop_ns).
        """
        counts: Counter[str] = Counter()
        for record in self._records(topics, start_ns, stop_ns):
            counts[record.topic] += 1
            yield record
        if start_ns is None and stop_ns is None:
            for name, topic in self.topics.items():
                if (topics is None or name in topics) and counts[name] < topic.count:
                    self._note(f"{name}: listed {topic.count:,}, read {counts[name]:,}")

    def _records(
        self, topics: Collection[str] | None, start_ns: int | None, stop_ns: int | None
    ) -> Iterator[BagRecord]:
        for source, file in self._sources:
            wanted = [c for c in source.connections if topics is None or c.topic in topics]
            if not wanted:
                continue
            read, last_ns, at_last = 0, start_ns, 0
            try:
                for connection, stamp, raw in source.messages(wanted, start_ns, stop_ns):
                    read += 1
                    last_ns, at_last = stamp, at_last + 1 if stamp == last_ns else 1
                    yield from self._record(connection, stamp, raw)
            except GeneratorExit:
                raise
            except Exception as error:  # storage libraries raise whatever their formats do
                self._note(f"damaged after {read} messages: {_reason(error)}")
                yield from self._behind_damage(file, topics, last_ns, at_last, stop_ns)
            if isinstance(source, (CutMcap, CutSqlite)):
                for remark in source.remarks:
                    self._note(f"{file.name}: {remark}")

    def _behind_damage(
        self,
        file: Path,
        topics: Collection[str] | None,
        last_ns: int | None,
        at_last: int,
        stop_ns: int | None,
    ) -> Iterator[BagRecord]:
        """What follows the damage in an MCAP file, without the first `at_last` of `last_ns`."""
        if file.suffix != ".mcap":
            return
        part = CutMcap(file)
        if self._try(lambda: _opened(part), file) is None:
            return
        wanted = [c for c in part.connections if topics is None or c.topic in topics]
        for connection, stamp, raw in part.messages(wanted, last_ns, stop_ns):
            if stamp == last_ns and at_last:
                at_last -= 1
                continue
            yield from self._record(connection, stamp, raw)
        for remark in part.remarks:
            self._note(f"{file.name}: {remark}")
        part.close()

    def _record(self, connection: Connection, stamp: int, raw: bytes) -> Iterator[BagRecord]:
        """The message, or none where it is damaged."""
        try:
            content = bag_files.unpack_message(bytes(raw))
        except ValueError as error:
            self._note(f"{connection.topic}: {error}")
            return
        yield BagRecord(connection.topic, connection.msgtype, stamp, content)

    def decode(self, record: BagRecord) -> Any:
        """The message as an object with the fields of its type.

        Raises:
            InputError: the type is unknown, or the bytes don't fit it.
        """
        store = self._stores.get(record.type)
        if store is None:
            raise InputError(f"{record.topic}: the type {record.type} is unknown")
        try:
            return store.deserialize_cdr(record.raw, record.type)
        except Exception as error:  # generated code: index, struct, decoding errors alike
            raise InputError(
                f"{record.topic}: a message isn't a valid {record.type}: {_reason(error)}"
            ) from error

    def stamp_ns(self, record: BagRecord) -> int | None:
        """The header's stamp in ns, read without decoding; None for a type without header."""
        store = self._stores.get(record.type)
        if store is None or not _begins_with_header(store, record.type) or len(record.raw) < 12:
            return None
        order = "<" if record.raw[1] & 1 else ">"
        seconds, nanoseconds = struct.unpack_from(f"{order}iI", record.raw, 4)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)

    # -- opening ---------------------------------------------------------------------------------

    def _open(self) -> None:
        if self.path.is_dir() and (self.path / "metadata.yaml").is_file():
            folder = bag_files.Folder(self.path)
            if self._try(lambda: _opened(folder), self.path) is not None:
                self._folder = folder
                self._sources = folder.parts()
                return
        elif self.path.is_dir():
            self._note("metadata.yaml is missing: the recording was not closed")
        files = [self.path]
        if self.path.is_dir():
            files = bag_files.within(self.path)
        elif self.path.suffix not in (*bag_files.SUFFIXES, *bag_files.PACKED):
            raise InputError(f"{self.path} is neither a bag folder nor a .mcap or .db3 file")
        for file in files:
            plain = self._unpack(file) if bag_files.is_packed(file) else file
            source = self._open_file(plain)
            if source is not None:
                self._sources.append((source, plain))
        if not self._sources:
            reasons = "; ".join(self.problems) or "it holds no .mcap or .db3 file"
            raise InputError(f"nothing of the bag {self.path} can be read: {reasons}")

    def _unpack(self, file: Path) -> Path:
        if self._unpacked is None:
            self._unpacked = TemporaryDirectory(prefix="turret_ai_bag_")
        plain, lost = bag_files.unpack_file(file, Path(self._unpacked.name))
        if lost:
            self._note(f"{file.name}: {lost}")
        return plain

    def _open_file(self, file: Path) -> _Source | None:
        if file.with_name(f"{file.name}-wal").exists():
            self._note(f"{file.name}: the recording was not closed, its journal is still there")
            return self._try(lambda: _opened(CutSqlite(file)), file)
        whole = self._try(lambda: _opened(Reader(file)), file)
        if whole is not None:
            return whole
        part = CutMcap(file) if file.suffix == ".mcap" else CutSqlite(file)
        source = self._try(lambda: _opened(part), file)
        for remark in part.remarks:
            self._note(f"{file.name}: {remark}")
        return source

    def _try(self, open_it: Callable[[], _Source], file: Path) -> _Source | None:
        try:
            return open_it()
        except Exception as error:  # storage libraries raise whatever their formats do
            self._note(f"{file.name}: {_reason(error)}")
            return None

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _list(self) -> dict[str, Topic]:
        """Every topic, with its type looked up: in the bag first, then among the known ones."""
        problems: dict[str, str] = {}
        counts: dict[tuple[str, str], int] = {}
        listed = self._folder.listed() if self._folder is not None else {}
        connections = list(self._folder.connections) if self._folder is not None else []
        for source, _ in self._sources:
            connections += source.connections
        for connection in connections:
            kind = connection.msgtype
            if kind not in problems:
                problems[kind] = self._learn(connection)
            name = (connection.topic, kind)
            counts[name] = counts.get(name, 0) + connection.msgcount
        found: dict[str, Topic] = {}
        for (topic, kind), count in counts.items():
            if topic in found:
                self._note(f"{topic} has two types, {found[topic].type} and {kind}")
            found[topic] = Topic(topic, kind, listed.get(topic, count), problems[kind])
        return dict(sorted(found.items()))

    def _learn(self, connection: Connection) -> str:
        """Make a type readable; what is wrong with it, else ""."""
        definition = connection.msgdef
        try:
            if definition.format == MessageDefinitionFormat.NONE:
                self._stores[connection.msgtype] = _known(connection.msgtype)
                return ""
            store = get_typestore(Stores.EMPTY)
            if definition.format == MessageDefinitionFormat.MSG:
                store.register(get_types_from_msg(definition.data, connection.msgtype))
            else:
                for part in definition.data.split("=" * 80 + "\n"):
                    text = part.split("\n", 1)[1] if part.startswith("IDL: ") else part
                    if text.strip():
                        store.register(get_types_from_idl(text))
            if connection.msgtype not in store.fielddefs:
                raise InputError("its definition in the bag describes another type")
            self._stores[connection.msgtype] = store
        except Exception as error:  # parsers of definitions raise whatever they meet
            return f"unknown type {connection.msgtype}: {_reason(error)}"
        return ""


def _opened(source: Any) -> Any:
    source.open()
    return source


def _known(kind: str) -> Typestore:
    """The store that knows a type which the bag doesn't describe (bags before Iron)."""
    from turret_ai.ros.dds.messages import store

    found = store()
    if kind not in found.fielddefs:
        raise InputError("the bag has no definition of it, and it is not among the known ones")
    return found


def _begins_with_header(store: Typestore, kind: str) -> bool:
    fields = store.fielddefs[kind][1]
    return bool(fields) and fields[0][1][1] == "std_msgs/msg/Header"


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0].rstrip(".")
