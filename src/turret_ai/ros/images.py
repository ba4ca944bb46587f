# SPDX-License-Identifier: Apache-2.0
"""Between sensor_msgs/Image and RGB arrays, without work per byte in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError
from turret_ai.pixels import to_8_bit
from turret_ai.ros.interfaces import Header, Image
from turret_ai.ros.time import to_msg
from turret_ai.types import ImageArray

_CHANNELS = {
    "rgb8": 3,
    "bgr8": 3,
    "rgba8": 4,
    "bgra8": 4,
    "mono8": 1,
    "mono16": 1,
    "8uc1": 1,
    "8uc3": 3,
    "8uc4": 4,
    "16uc1": 1,
    "32fc1": 1,
}
_ALIASES = {"8uc1": "mono8", "8uc3": "bgr8", "8uc4": "bgra8", "16uc1": "mono16"}
"""OpenCV's type names say nothing of the order; OpenCV's own order is BGR."""


def to_message(rgb: ImageArray, stamp_ns: int, frame_id: str) -> Image:
    """An rgb8 image message.

    Args:
        rgb: shape (H, W, 3), uint8.
        stamp_ns: exposure, nanoseconds.
        frame_id: the camera's optical frame.

    Raises:
        InputError: the array has another shape or type.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise InputError(f"an RGB image must be (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    height, width = rgb.shape[:2]
    message = Image(
        header=Header(stamp=to_msg(stamp_ns), frame_id=frame_id),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
    )
    set_data(message, np.ascontiguousarray(rgb).reshape(-1))
    return message


def set_data(message: Any, data: NDArray[np.uint8]) -> None:
    """Put bytes (n,) into the `data` of a message of either runtime."""
    if isinstance(message.data, np.ndarray):
        message.data = data
    else:
        # rclpy checks each element of anything but its own array type, and copies that by memory.
        buffer: Any = type(message.data)("B")
        buffer.frombytes(data.data)
        message.data = buffer


def from_message(message: Image) -> ImageArray:
    """The RGB image of a message, shape (H, W, 3), uint8; maybe a read-only view of its bytes.

    Grey becomes equal channels; mono16 is scaled by its depth (`pixels.to_8_bit`); alpha is
    dropped; 8UC3 is taken as BGR, OpenCV's order.

    Raises:
        InputError: encoding, size, step or data can't be an image; a float image holds NaN.
    """
    encoding = message.encoding.lower()
    channels = _CHANNELS.get(encoding)
    if channels is None:
        raise InputError(f"image encoding {message.encoding!r} is none of {', '.join(_CHANNELS)}")
    height, width, step = int(message.height), int(message.width), int(message.step)
    if height < 1 or width < 1:
        raise InputError(f"an image of {width}x{height} pixels")
    depth = 4 if encoding == "32fc1" else 2 if encoding in ("mono16", "16uc1") else 1
    row = width * channels * depth
    if step < row:
        raise InputError(f"image step {step} is below {row}, the bytes of a row of {width} pixels")
    data = np.frombuffer(message.data, np.uint8)
    if data.size < step * (height - 1) + row:
        raise InputError(f"image data has {data.size} bytes, {step * height} are announced")
    if data.size >= step * height:
        rows = data[: step * height].reshape(height, step)[:, :row]
    else:  # the last row may come without its padding
        rows = np.lib.stride_tricks.as_strided(data, (height, row), (step, 1), writeable=False)
    encoding = _ALIASES.get(encoding, encoding)
    if depth > 1:
        rows = _wide(rows, encoding, bool(message.is_bigendian))
    if channels == 1:
        return np.repeat(rows.reshape(height, width, 1), 3, axis=2)
    pixels = rows.reshape(height, width, channels)
    if encoding.startswith("bgr"):
        return np.ascontiguousarray(pixels[:, :, 2::-1])
    return np.ascontiguousarray(pixels[:, :, :3])


def _wide(rows: Any, encoding: str, big_endian: bool) -> Any:
    """Rows of 16-bit or float pixels to 8 bit."""
    order = ">" if big_endian else "<"
    if encoding == "mono16":
        return to_8_bit(np.ascontiguousarray(rows).view(f"{order}u2"))
    values = np.ascontiguousarray(rows).view(f"{order}f4")
    if not np.isfinite(values).all():
        raise InputError("the image holds NaN or infinite values")
    return np.clip(values * 255.0 + 0.5, 0, 255).astype(np.uint8)
