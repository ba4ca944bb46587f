# SPDX-License-Identifier: Apache-2.0
"""Cuts craft from photographs with a plain sky behind them.

The sky is a surface of the second degree in each channel of Lab, fitted to the picture's border;
the craft is what differs from it. Pictures where that doesn't work are turned down, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.types import FloatArray, ImageArray

_BAND = 7
"""Width of the border that the sky is fitted to, pixels of 224."""
_INLIERS = 0.64
"""Least share of the border that is sky."""
_ROUGHEST = 4.4
"""Largest deviation of the border from the fit, Lab units."""
_WARMEST = 9.0
"""Largest mean b* of a sky: warmer are walls, paper and sepia."""
_APART = 11.0
"""Lab units from the sky on that are craft for certain; half as far is its soft edge."""
AREA = (0.02, 0.5)
"""Share of a photograph that the craft has."""
_CRISP = 4.5
"""Least mean gradient across the outline, Lab units a pixel: clouds are softer."""
_DULL_EDGE, _MOST_DULL = 2.2, 0.14
"""Where the gradient is below the first, craft end in shadow or haze: at most this share of the
outline."""
_MOST_HOLES = 0.12
"""Area of holes over that of the craft: more, and its paint is the sky's colour."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """colour (h, w, 3) RGB uint8, as the photograph; cover (h, w) in 0..1; coloured: not a black
    and white photograph."""

    colour: ImageArray
    cover: FloatArray
    coloured: bool


def cut(rgb: ImageArray) -> Cutout | str:
    """Cut the one craft of a photograph; a word on why not, if it can't be done well."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    height, width = lab.shape[:2]
    if min(height, width) < 64:
        return "small"
    sky = _sky(lab)
    if isinstance(sky, str):
        return sky
    background, noise = sky
    difference = lab - background
    distance = np.sqrt(np.square(difference).sum(axis=2)).astype(np.float32)
    distance = cv2.GaussianBlur(distance, (0, 0), 0.6)
    limit = max(_APART, 4.0 * noise)
    solid = _craft(distance > 0.7 * limit)
    if isinstance(solid, str):
        return solid
    outline = cv2.dilate(solid, np.ones((3, 3), np.uint8)) - cv2.erode(
        solid, np.ones((3, 3), np.uint8)
    )
    slope = np.hypot(
        cv2.Sobel(distance, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(distance, cv2.CV_32F, 0, 1, scale=0.125),
    )
    slope = cv2.dilate(slope, np.ones((3, 3), np.uint8))[outline > 0]
    if float(slope.mean()) < _CRISP or float((slope < _DULL_EDGE).mean()) > _MOST_DULL:
        return "soft"
    inner = cv2.erode(solid, np.ones((5, 5), np.uint8))
    near = cv2.dilate(solid, np.ones((3, 3), np.uint8))
    # An edge pixel is as much craft as its colour is on the way from the sky's to the craft's.
    full = np.maximum(cv2.dilate(distance, np.ones((5, 5), np.uint8)), 1.8 * limit)
    ramp = np.clip((distance - 0.6 * limit) / (0.85 * full - 0.6 * limit), 0, 1)
    cover = np.where(inner > 0, 1.0, np.where(near > 0, ramp, 0.0)).astype(np.float32)
    return Cutout(rgb, cover, coloured(rgb))


def coloured(rgb: ImageArray) -> bool:
    """Whether it is no black and white photograph."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.percentile(np.hypot(lab[..., 1], lab[..., 2]), 95)) > 7.0


def _sky(lab: FloatArray) -> tuple[FloatArray, float] | str:
    """The fitted background (h, w, 3), and how far the border strays from it."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2)
    border = np.ones((height, width), bool)
    border[_BAND:-_BAND, _BAND:-_BAND] = False
    rows, values = terms[border][::5], lab[border][::5]
    # Where most of the border agrees on a tone, that is the sky; the rest may be craft.
    near = np.abs(values - np.median(values, axis=0)).sum(axis=1) < 40
    for _ in range(4):
        if near.mean() < _INLIERS:
            return "no plain sky"
        fit = np.linalg.lstsq(rows[near], values[near], rcond=None)[0]
        stray = np.sqrt(np.square(values - rows @ fit).sum(axis=1))
        near = stray < max(5.0, 2.5 * float(np.median(stray)))
    noise = float(np.sqrt(np.square(stray[near]).mean()))
    if near.mean() < _INLIERS or noise > _ROUGHEST:
        return "no plain sky"
    background = np.asarray(terms @ fit, np.float32)
    level, warmth = float(background[..., 0].mean()), float(background[..., 2].mean())
    if warmth > _WARMEST or level < 30 or abs(float(background[..., 1].mean())) > 14:
        return "not the colour of a sky"
    return background, noise


def _craft(apart: NDArray[np.bool_]) -> ImageArray | str:
    """The largest thing that is apart from the sky, with what belongs to it, holes filled."""
    found = cv2.morphologyEx(apart.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    joined = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return "nothing"
    areas = stats[1:, cv2.CC_STAT_AREA].astype(float)
    best = int(areas.argmax()) + 1
    if (np.delete(areas, best - 1) > 0.2 * areas[best - 1]).any():
        return "several things"
    mask = (labels == best).astype(np.uint8)
    share = float(mask.mean())
    if not AREA[0] <= share <= AREA[1]:
        return "too small or too large"
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if edge.mean() > 0.03:
        return "cut by the frame"
    tall, wide = (int(np.ptp(v)) + 1 for v in np.nonzero(mask))
    if float(mask.sum()) > 0.8 * tall * wide:
        return "a frame"
    filled = mask.copy()
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    holes = 0.0
    for number, contour in enumerate(contours):
        if tree[0][number][3] < 0:
            continue
        area = cv2.contourArea(contour)
        holes += area
        # Small holes are paint of the sky's colour; large ones are sky between wing and struts.
        if area < 0.02 * float(mask.sum()):
            cv2.drawContours(filled, contours, number, 1, cv2.FILLED)
    if holes > _MOST_HOLES * float(mask.sum()):
        return "full of holes"
    return np.asarray(filled, np.uint8)
