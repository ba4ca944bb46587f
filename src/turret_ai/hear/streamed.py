# SPDX-License-Identifier: Apache-2.0
"""WAV files that were written as a stream: the size of their samples was never filled in.

Recorders that write into a pipe put 0 or the largest number there. libsndfile reads on to the end
for sizes that are too large, and takes 0 at its word.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

_HEADER = 12
_KNOWN = (b"LIST", b"fact", b"cue ", b"smpl", b"inst", b"bext", b"id3 ", b"ID3 ", b"PEAK", b"JUNK")
_LARGEST = b"\xff\xff\xff\xff"


def mended(source: BinaryIO) -> BinaryIO:
    """The same file, or a copy in memory whose `data` chunk lasts to the end; at its beginning."""
    place = _unfilled(source)
    source.seek(0)
    if place is None:
        return source
    data = bytearray(source.read())
    data[place : place + 4] = _LARGEST
    return io.BytesIO(data)


def _unfilled(source: BinaryIO) -> int | None:
    """Where the size of the `data` chunk stands, if it is 0 although samples follow."""
    head = source.read(_HEADER)
    if len(head) < _HEADER or head[:4] not in (b"RIFF", b"RIFX") or head[8:] != b"WAVE":
        return None
    order = ">" if head[:4] == b"RIFX" else "<"
    place = _HEADER
    while len(chunk := source.read(8)) == 8:
        (size,) = struct.unpack(f"{order}4xI", chunk)
        if chunk[:4] == b"data":
            following = source.read(4)
            return place + 4 if size == 0 and following and following not in _KNOWN else None
        place += 8 + size + size % 2
        source.seek(place)
    return None
