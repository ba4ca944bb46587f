# SPDX-License-Identifier: Apache-2.0
"""What the head of a picture file says, read before anything is decoded."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from functools import cache

from PIL import Image

from turret_ai.errors import InputError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused: decoding them would take gigabytes."""
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "PPM", "GIF", "AVIF")
"""Without JPEG 2000: OpenCV 4.10 and 4.11, the newest for NumPy 1, die of damaged ones."""
_ORIENTATION = 0x0112
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In the coded data of a JPEG: a marker that neither restarts nor stands for a byte 0xFF."""


@dataclass(frozen=True, slots=True)
class Header:
    """width, height: stored pixels. orientation: the EXIF tag, 1 where there is none."""

    format: str
    width: int
    height: int
    orientation: int


def read(data: bytes, name: str) -> Header:
    """Look at the head of a picture file.

    Raises:
        InputError: not a picture of a known kind, more pixels than MAX_PIXELS, or a JPEG that ends
            before its picture does. The text begins with `name`.
    """
    if not data:
        raise InputError(f"{name} is empty, not a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_formats()) as image:
                width, height = image.size
                if width * height <= MAX_PIXELS:
                    return _checked(image, data, name)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has more than {MAX_PIXELS} pixels: too large") from error
    except Exception as error:  # the readers of the formats raise whatever they meet
        if data[:2] == b"\xff\xd8" and not jpeg_is_whole(data):
            raise InputError(f"{name} is a truncated JPEG") from error
        raise InputError(f"{name} is not a picture that can be decoded") from error
    raise InputError(f"{name} is too large: {width} x {height} pixels")


@cache
def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow was built with."""
    Image.init()
    return tuple(each for each in FORMATS if each in Image.OPEN)


def _checked(image: Image.Image, data: bytes, name: str) -> Header:
    kind = image.format or ""
    if kind in ("JPEG", "MPO") and not jpeg_is_whole(data):
        raise InputError(f"{name} is a truncated JPEG")
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data do no harm to the picture
        orientation = 1
    return Header(kind, *image.size, orientation)


def jpeg_is_whole(data: bytes) -> bool:
    """Whether the first picture of a JPEG reaches its end marker, whatever follows it.

    Segments are stepped over by their lengths (ITU-T T.81, B.1.1), so that neither a thumbnail in
    one of them nor bytes behind the picture are taken for its end.
    """
    place = 2
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            return False
        code = data[place + 1]
        if code == 0xD9:
            return True
        if code in (0x00, 0x01, 0xFF) or 0xD0 <= code <= 0xD8:
            place += 1 if code == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        place += 2 + length
        if code == 0xDA:
            marker = _MARKER.search(data, place)
            if marker is None:
                return False
            place = marker.start()
