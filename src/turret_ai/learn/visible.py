# SPDX-License-Identifier: Apache-2.0
"""How much of a craft is still to be seen once the camera has spoiled the picture.

A white wing on a blown-out sky or a dark rotor at night is in the geometry and not in the picture.
What is left of a craft is the difference between the picture with and without it, after exposure
and blur; it can be seen where that difference stands out from the noise.
"""

from __future__ import annotations

import cv2
import numpy as np

from turret_ai.simulate.render import Drawn
from turret_ai.types import Box, FloatArray, ImageArray

FAINTEST_LEVELS = 6.0
"""A difference below this many of 256 levels can't be told from what JPEG and the sky do."""
NOISE_RATIO = 2.0
"""A difference must be this many times the noise. Rose's criterion asks 5 for a single spot
(A. Rose, J. Opt. Soc. Am. 38, 196 (1948)); along an outline the eye sums many spots."""
_SPOT_PX = 1.2
"""Standard deviation of the spot over which differences and noise are averaged, pixels."""
_MARGIN_PX = 4
_COVERED = 0.02


def visible_share(
    seen: ImageArray, empty: ImageArray, noisy: ImageArray, drawn: Drawn, box: Box
) -> float:
    """How much of a craft's box somebody would draw who sees only what stands out.

    Args:
        seen: the picture (H, W, 3) after exposure and blur, without noise.
        empty: the same without any craft. noisy: `empty` with the noise of the final picture.
        drawn: where the craft is. box: its true box in pixels of the picture.

    Returns:
        the IoU, 0..1, of the true box and the one round the pixels within it that can be told from
        what is behind the craft.
    """
    rows, columns, inside = _window(drawn, seen.shape)
    background = empty[rows, columns].astype(np.float32)
    signal = _strength(seen[rows, columns].astype(np.float32) - background)
    noise = _strength(noisy[rows, columns].astype(np.float32) - background)
    rms = float(np.sqrt(np.mean(np.square(noise)))) if noise.size else 0.0
    clear = inside & (signal > max(FAINTEST_LEVELS, NOISE_RATIO * rms))
    if not clear.any():
        return 0.0
    x, y, width, height = cv2.boundingRect(clear.astype(np.uint8))
    left, top = max(box.left, columns.start + x), max(box.top, rows.start + y)
    right = min(box.left + box.width, columns.start + x + width)
    bottom = min(box.top + box.height, rows.start + y + height)
    seen_area = max(0.0, right - left) * max(0.0, bottom - top)
    return float(seen_area / (box.width * box.height))


def erase(image: ImageArray, bare: ImageArray, drawn: Drawn, others: list[Drawn]) -> None:
    """Show what is behind a craft again, in place, but not where another one is drawn."""
    rows, columns, inside = _window(drawn, image.shape)
    for other in others:
        other_rows, other_columns, covered = _window(other, image.shape)
        whole = np.zeros(image.shape[:2], np.bool_)
        whole[other_rows, other_columns] = covered
        inside &= ~whole[rows, columns]
    image[rows, columns][inside] = bare[rows, columns][inside]


def _window(drawn: Drawn, shape: tuple[int, ...]) -> tuple[slice, slice, np.ndarray]:
    """The rows and columns about a craft, and which of their pixels are it or its edge."""
    height, width = drawn.cover.shape
    top, left = max(0, drawn.y - _MARGIN_PX), max(0, drawn.x - _MARGIN_PX)
    rows = slice(top, min(shape[0], drawn.y + height + _MARGIN_PX))
    columns = slice(left, min(shape[1], drawn.x + width + _MARGIN_PX))
    covered = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    part = covered[drawn.y - top :, drawn.x - left :][:height, :width]
    part[:] = drawn.cover[: part.shape[0], : part.shape[1]] > _COVERED
    return rows, columns, cv2.dilate(covered, np.ones((5, 5), np.uint8)) > 0


def _strength(difference: FloatArray) -> FloatArray:
    """Root mean square over the channels of a difference (h, w, 3), averaged over spots."""
    smooth = cv2.GaussianBlur(difference, (0, 0), _SPOT_PX)
    return np.sqrt(np.mean(np.square(smooth), axis=2, dtype=np.float32))
