# SPDX-License-Identifier: Apache-2.0
"""The files of a rosbag2 folder: their order, their compression, and what metadata.yaml lists."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from rosbags.rosbag2.reader import DirectoryReader

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIXES = (".mcap", ".db3")
PACKED = (".zstd", ".zst")
_FRAME = b"\x28\xb5\x2f\xfd"
"""How Zstandard data begin (RFC 8878, 3.1.1); CDR data begin with a zero."""


def natural(path: Path) -> tuple[tuple[int, int | str], ...]:
    """A key that sorts bag_2 before bag_10."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts)


def within(folder: Path) -> list[Path]:
    """The storage files in a folder by their numbers; a packed one only where it is alone."""
    names = {file.name for file in folder.iterdir()}
    found = []
    for file in folder.iterdir():
        packed = is_packed(file) and Path(file.stem).suffix in SUFFIXES
        if file.suffix in SUFFIXES or (packed and file.stem not in names):
            found.append(file)
    return sorted(found, key=natural)


def is_packed(file: Path) -> bool:
    """Whether a file's name says that it is compressed as a whole."""
    return file.suffix in PACKED


def unpack_file(file: Path, folder: Path) -> tuple[Path, str]:
    """A compressed storage file, unpacked into a folder as far as it goes.

    Returns:
        (the unpacked file, what was lost or "").
    """
    target = folder / file.stem
    with target.open("wb") as out:
        try:
            with zstd.open(file, "rb") as packed:
                shutil.copyfileobj(packed, out)
        except (zstd.ZstdError, EOFError) as error:
            return target, f"the zstd compression breaks off ({error})"
    return target, ""


def unpack_message(raw: bytes) -> bytes:
    """A recorded message, unpacked if it was compressed by itself.

    Raises:
        ValueError: it is damaged.
    """
    if not raw.startswith(_FRAME):
        return raw
    try:
        return zstd.decompress(raw)
    except (zstd.ZstdError, EOFError) as error:
        raise ValueError(f"a damaged zstd message ({error})") from error


class Folder(DirectoryReader):
    """A closed recording: its metadata.yaml, and its storages one by one.

    Messages are read from the storages by topic. rosbags' own reading matches the connections of
    both by their QoS too, and drops what differs without a word; recordings whose metadata.yaml
    was edited or written by another tool differ.
    """

    def parts(self) -> list[tuple[Any, Path]]:
        """Each storage, and its file."""
        return [(each, Path(str(getattr(each, "path", self.path)))) for each in self.storages]

    def listed(self) -> dict[str, int]:
        """topic -> how many messages metadata.yaml lists."""
        counts: dict[str, int] = {}
        for connection in self.connections:
            counts[connection.topic] = counts.get(connection.topic, 0) + connection.msgcount
        return counts
