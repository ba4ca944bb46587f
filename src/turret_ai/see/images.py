# SPDX-License-Identifier: Apache-2.0
"""Pictures in and out: the one home of BGR, of odd formats and of what is not a picture.

Everything else sees RGB uint8 arrays (H, W, 3).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.pixels import to_8_bit
from turret_ai.see import headers
from turret_ai.see.orientation import Orientation, Picture
from turret_ai.types import ImageArray


def swap_channels(image: ImageArray) -> ImageArray:
    """RGB to BGR and BGR to RGB, a contiguous copy; (H, W, 3), uint8."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)


def to_rgb(image: NDArray[Any], bgr: bool = False) -> ImageArray:
    """Any usual picture as RGB uint8 (H, W, 3), contiguous.

    Grey is repeated, alpha is dropped, floats in [0, 1] are scaled, and so are 16
    bit (`pixels.to_8_bit`).

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        bgr: the colours of the input are in OpenCV's order.

    Raises:
        InputError: another shape or type, no pixels, or values that are not finite.
    """
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3) or 0 in image.shape:
        shape = getattr(image, "shape", None)
        raise InputError(f"not a picture: an array of shape (H, W, 3) is needed, got {shape}")
    if image.ndim == 2:
        image = image[..., None]
    if image.shape[2] not in (1, 3, 4):
        raise InputError(f"a picture has 1, 3 or 4 channels, not {image.shape[2]}")
    if image.dtype == np.uint16:
        image = to_8_bit(image)
    elif np.issubdtype(image.dtype, np.floating):
        if not np.isfinite(image).all():
            raise InputError("the picture holds values that are not finite")
        image = (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    elif image.dtype == np.bool_:
        image = image.astype(np.uint8) * 255
    elif image.dtype != np.uint8:
        raise InputError(f"pictures of type {image.dtype} are not supported: use 8 bit")
    if image.shape[2] == 1:
        return np.ascontiguousarray(np.repeat(image, 3, axis=2))
    image = image[..., :3]
    return np.ascontiguousarray(image[..., ::-1] if bgr else image)


def decode(data: bytes, name: str = "the data") -> ImageArray:
    """JPEG, PNG, ... bytes to RGB, in the pixels that are stored: an EXIF orientation is ignored.

    Raises:
        InputError: not a picture, truncated, or too large.
    """
    rgb, turn, upright = _decode(data, name)
    return turn.stored(rgb) if upright else rgb


def look(data: bytes, name: str = "the data") -> Picture:
    """JPEG, PNG, ... bytes as a picture that stands upright, as its EXIF orientation says.

    Raises:
        InputError: see `decode`.
    """
    rgb, turn, upright = _decode(data, name)
    return Picture(rgb if upright else turn.upright(rgb), turn)


def _decode(data: bytes, name: str) -> tuple[ImageArray, Orientation, bool]:
    """RGB, how it is to be turned, and whether the decoder has turned it already."""
    header = headers.read(data, name)
    try:
        raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(f"{name} can't be decoded as a picture: {error.err}") from error
    if raw is None:
        raise InputError(f"{name} is not a picture that can be decoded")
    if raw.shape[0] * raw.shape[1] > headers.MAX_PIXELS:
        raise InputError(f"{name} is too large: {raw.shape[1]} x {raw.shape[0]} pixels")
    turn = Orientation.of(header.orientation)
    return to_rgb(raw, bgr=True), turn, header.format == "TIFF"  # OpenCV turns these by itself


def open_upright(path: Path | str) -> Picture:
    """Read a picture file so that it stands upright.

    Raises:
        InputError: see `load`.
    """
    return look(_read(path), str(path))


def load(path: Path | str) -> ImageArray:
    """Read a picture file as RGB, in the pixels that are stored.

    Raises:
        InputError: missing, unreadable, or not a whole picture.
    """
    return decode(_read(path), str(path))


def _read(path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from error


def encode(image: ImageArray, suffix: str = ".jpg", quality: int = 90) -> bytes:
    """RGB to JPEG, PNG, ... bytes."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix in (".jpg", ".jpeg") else []
    try:
        done, coded = cv2.imencode(suffix, swap_channels(to_rgb(image)), options)
    except cv2.error as error:
        raise InputError(f"pictures can't be written as {suffix!r}: {error.err}") from error
    if not done:
        raise InputError(f"pictures can't be written as {suffix!r}")
    return coded.tobytes()


def save(path: Path | str, image: ImageArray, quality: int = 90) -> None:
    """Write RGB as the file's ending says.

    Raises:
        InputError: an unknown ending, or the file can't be written.
    """
    path = Path(path)
    data = encode(image, path.suffix.lower(), quality)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}") from error
