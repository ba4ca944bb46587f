# SPDX-License-Identifier: Apache-2.0
"""What can still be read of a bag whose recording was cut off: files without an end, or damaged.

An MCAP file is a row of self-contained records (https://mcap.dev/spec): everything up to the cut
is usable, and a damaged chunk costs only itself. An SQLite file is read row by row until it fails.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Generator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import apsw
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2.errors import ReaderError
from rosbags.rosbag2.metadata import parse_qos
from rosbags.rosbag2.storage_mcap import (
    Channel,
    ChunkInfo,
    McapReader,
    Schema,
    Statistics,
    decompress,
    get_msgdef,
    get_qos,
    read_bytes,
    read_string,
)

_MAGIC = b"\x89MCAP0\r\n"
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 0x03, 0x04, 0x05, 0x06
_ENDS = (0x02, 0x0F)
"""Footer and end of data: behind them lies only the index."""


class CutMcap(McapReader):
    """An MCAP file read record by record from its beginning, without trusting its end.

    remarks: what was lost, for people.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.remarks: list[str] = []

    def _open(self) -> None:
        """Walk the records and build the index that the file lacks.

        Raises:
            ReaderError: not an MCAP file at all.
        """
        assert self.bio
        if self.bio.read(8) != _MAGIC:
            raise ReaderError("it doesn't begin like an MCAP file")
        self.data_start = self.bio.tell()
        counts: dict[int, int] = defaultdict(int)
        times: list[int] = []
        end = self.data_start
        for op, offset, size in self._walk():
            end = offset + 9 + size
            if op in (_SCHEMA, _CHANNEL):
                self._describe(op, self.bio.read(size))
            elif op == _MESSAGE:
                channel, _, stamp, _ = struct.unpack("<HIQQ", self.bio.read(22))
                counts[channel] += 1
                times.append(stamp)
            elif op == _CHUNK:
                try:
                    self._take_chunk(offset, size, counts, times)
                except Exception as error:  # each compressor has errors of its own
                    self.remarks.append(f"a damaged chunk at byte {offset} was skipped ({error})")
        self.data_end = end
        count = sum(counts.values())
        start, stop = (min(times), max(times)) if times else (2**63 - 1, 0)
        self.statistics = Statistics(
            count,
            len(self.schemas),
            len(self.channels),
            0,
            0,
            len(self.chunks),
            start,
            stop,
            counts,
        )
        self.connections = [c._replace(msgcount=counts.get(c.id, 0)) for c in self.connections]
        self.metadata = self.metadata._replace(
            duration=stop - start + 1 if count else 0,
            start_time=start,
            end_time=stop + 1 if count else 0,
            message_count=count,
        )

    def _walk(self) -> Iterator[tuple[int, int, int]]:
        """(operation, offset, size) of each whole record; the file stands at its content."""
        assert self.bio
        length = self.bio.seek(0, 2)
        offset = self.data_start
        while True:
            self.bio.seek(offset)
            head = self.bio.read(9)
            if len(head) < 9:
                if head or offset <= length:
                    self.remarks.append(f"the file ends without an index, at byte {length}")
                return
            op, size = head[0], int.from_bytes(head[1:], "little")
            if op in _ENDS:
                return
            if op == 0 or offset + 9 + size > length:
                self.remarks.append(f"the file is cut off within a record, at byte {offset}")
                return
            yield op, offset, size
            offset += 9 + size

    def _describe(self, op: int, content: bytes) -> None:
        """Take in a schema or a channel."""
        bio = BytesIO(content)
        (key,) = struct.unpack("<H", bio.read(2))
        if op == _SCHEMA:
            self.schemas[key] = Schema(key, read_string(bio), read_string(bio), read_string(bio))
            return
        if key in self.channels:
            return
        (schema_id,) = struct.unpack("<H", bio.read(2))
        schema = self.schemas.get(schema_id)
        name = schema.name if schema else "__schemaless__"
        channel = Channel(key, name, read_string(bio), read_string(bio), read_bytes(bio))
        self.channels[key] = channel
        ext = ConnectionExtRosbag2(channel.message_encoding, get_qos(channel.metadata))
        self.connections.append(
            Connection(key, channel.topic, name, get_msgdef(schema), "", 0, ext, self)
        )

    def _take_chunk(self, offset: int, size: int, counts: dict[int, int], times: list[int]) -> None:
        assert self.bio
        rec = BytesIO(self.bio.read(size))
        start, end, uncompressed, crc = struct.unpack("<QQQI", rec.read(28))
        compression = read_string(rec)
        (compressed,) = struct.unpack("<Q", rec.read(8))
        raw = decompress(rec.read(compressed), compression, uncompressed, crc)
        inside: dict[int, int] = defaultdict(int)
        stamps = []
        for op, content in _records(BytesIO(raw)):
            if op in (_SCHEMA, _CHANNEL):
                self._describe(op, content)
            elif op == _MESSAGE:
                channel, _, stamp, _ = struct.unpack("<HIQQ", content[:22])
                inside[channel] += 1
                stamps.append(stamp)
        for channel, count in inside.items():
            counts[channel] += count
        times.extend(stamps)
        if stamps:
            start, end = min(stamps), max(stamps)
        self.chunks.append(
            ChunkInfo(
                start, end, offset, 9 + size, {}, 0, compression, compressed, uncompressed, inside
            )
        )


def _records(bio: BinaryIO) -> Iterator[tuple[int, bytes]]:
    while head := bio.read(9):
        content = bio.read(int.from_bytes(head[1:], "little"))
        yield head[0], content


class _PaddedFile(apsw.VFSFile):
    """A database file that pretends to have its full length: what was cut off reads as zeros.

    SQLite refuses a file that is shorter than its header says, although the rows before the cut
    are whole.
    """

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)

    def xFileSize(self) -> int:
        size = super().xFileSize()
        head = super().xRead(100, 0)
        if len(head) < 100 or not head.startswith(b"SQLite format 3"):
            return size
        page = int.from_bytes(head[16:18], "big")
        pages = int.from_bytes(head[28:32], "big")
        return max(size, (65536 if page == 1 else page) * pages)

    def xRead(self, amount: int, offset: int) -> bytes:
        return super().xRead(amount, offset).ljust(amount, b"\0")


class _PaddedFiles(apsw.VFS):
    """Opens every database read-only and padded."""

    NAME = "turret_ai_padded"

    def __init__(self) -> None:
        super().__init__(self.NAME, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _PaddedFile(name, flags)


_padded: _PaddedFiles | None = None


class CutSqlite:
    """An SQLite bag read row by row until it fails; also one with its journal still beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.remarks: list[str] = []
        self.connections: list[Connection] = []
        self._database: apsw.Connection | None = None

    def open(self) -> None:
        """Read the topics.

        Raises:
            ReaderError: not even the list of topics can be read.
        """
        try:
            self._database = _connect(self.path)
            columns = {row[1] for row in self._database.execute("PRAGMA table_info(topics)")}
            wanted = "id, name, type, serialization_format"
            wanted += ", offered_qos_profiles" if "offered_qos_profiles" in columns else ", ''"
            rows: list[Any] = self._database.execute(f"SELECT {wanted} FROM topics").fetchall()
        except apsw.Error as error:
            self.close()
            raise ReaderError(f"its list of topics can't be read ({error})") from error
        definitions = self._definitions()
        none = MessageDefinition(MessageDefinitionFormat.NONE, "")
        self.connections = [
            Connection(
                key,
                topic,
                kind,
                definitions.get(kind, none),
                "",
                0,
                ConnectionExtRosbag2(encoding, parse_qos(qos or "")),
                self,
            )
            for key, topic, kind, encoding, qos in rows
        ]

    def _definitions(self) -> dict[str, MessageDefinition]:
        assert self._database
        formats = {"ros2msg": MessageDefinitionFormat.MSG, "ros2idl": MessageDefinitionFormat.IDL}
        query = "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
        try:
            rows: list[Any] = self._database.execute(query).fetchall()
        except apsw.Error:  # bags before Iron have no such table
            return {}
        return {
            kind: MessageDefinition(formats[encoding], text)
            for kind, encoding, text in rows
            if encoding in formats
        }

    def messages(
        self,
        connections: Collection[Connection],
        start: int | None = None,
        stop: int | None = None,
    ) -> Generator[tuple[Connection, int, bytes], None, None]:
        """Messages in the order in which they were written, until the first unreadable one."""
        assert self._database
        wanted = {connection.id: connection for connection in connections}
        read = 0
        try:
            query = "SELECT topic_id, timestamp, data FROM messages ORDER BY id"
            for topic, stamp, data in self._database.execute(query):
                read += 1
                inside = (start is None or stamp >= start) and (stop is None or stamp < stop)
                if topic in wanted and inside:
                    yield wanted[topic], stamp, bytes(data)
        except apsw.Error as error:
            self.remarks.append(f"reading stopped after {read} messages ({error})")

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None


def _connect(path: Path) -> apsw.Connection:
    global _padded
    if _padded is None:
        _padded = _PaddedFiles()  # registers itself as long as it lives
    # A journal beside the file holds messages that are not in it yet: only SQLite's own file
    # functions read it.
    whole = path.with_name(path.name + "-wal").exists()
    return apsw.Connection(
        f"file:{path}?mode=ro" + ("" if whole else "&immutable=1"),
        flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        vfs=None if whole else _PaddedFiles.NAME,
    )
