# SPDX-License-Identifier: Apache-2.0
"""Cutting boxes out of a picture for an image encoder: context, shape, size, sharpness."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from turret_ai.settings import Settings
from turret_ai.types import FloatArray, ImageArray


class CropShape(Settings):
    """What of a picture an image encoder sees of a box."""

    context: float = Field(0.0, ge=0, le=2, description="added on each side, share of the longer")
    margin: float = Field(0.0, ge=0, le=200, description="added on each side, pixels")
    fit: Literal["stretch", "square"] = Field(
        "stretch", description="square: the shorter side is widened, shapes are kept"
    )


def widened(boxes: FloatArray, shape: CropShape) -> FloatArray:
    """(n, 4) corners with context, not cut at the picture's border."""
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T
    width, height = x1 - x0, y1 - y0
    longer = np.maximum(width, height)
    extra = 2 * (shape.context * longer + shape.margin)
    if shape.fit == "square":
        width = height = longer + extra
    else:
        width, height = width + extra, height + extra
    width, height = np.maximum(width, 1.0), np.maximum(height, 1.0)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    corners = np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=1)
    return corners.astype(np.float32)


def crop_boxes(
    image: ImageArray, boxes: FloatArray, size: int, shape: CropShape, sharpen: float = 0.0
) -> ImageArray:
    """(n, size, size, 3) crops; beyond the picture its edge pixels are repeated.

    Args:
        boxes: (n, 4) corners in pixels of the image.
        sharpen: factor of an unsharp mask for blurred pictures; 0 or 1: none, 2 is common.
    """
    out = np.empty((len(boxes), size, size, 3), np.uint8)
    for crop, corners in zip(out, widened(boxes, shape), strict=True):
        x0, y0, x1, y1 = (float(v) for v in corners)
        sx, sy = size / (x1 - x0), size / (y1 - y0)
        source = image
        shrink = min(sx, sy)
        if shrink < 0.6:  # linear sampling would skip pixels: average over them first
            left, top = max(0, int(x0) - 2), max(0, int(y0) - 2)
            right, bottom = min(image.shape[1], int(x1) + 3), min(image.shape[0], int(y1) + 3)
            if right > left and bottom > top:
                source = cv2.GaussianBlur(
                    image[top:bottom, left:right], (0, 0), sigmaX=0.4 / sx, sigmaY=0.4 / sy
                )
                x0, y0 = x0 - left, y0 - top
        matrix = np.array([[sx, 0, -x0 * sx + sx / 2 - 0.5], [0, sy, -y0 * sy + sy / 2 - 0.5]])
        cv2.warpAffine(
            source,
            matrix,
            (size, size),
            dst=crop,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if sharpen > 1.0:
            soft = cv2.GaussianBlur(crop, (0, 0), 1.5)
            cv2.addWeighted(crop, sharpen, soft, 1.0 - sharpen, 0.0, dst=crop)
    return out
