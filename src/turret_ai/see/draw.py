# SPDX-License-Identifier: Apache-2.0
"""A location drawn into its picture, for people."""

from __future__ import annotations

import cv2
import numpy as np

from turret_ai.types import Box, ImageArray, Location, LocationStatus

COLOURS = {
    LocationStatus.FOUND: (40, 220, 60),
    LocationStatus.AMBIGUOUS: (255, 190, 20),
    LocationStatus.NOT_FOUND: (240, 60, 50),
}
OTHERS = (200, 200, 200)


def _label(image: ImageArray, text: str, x: float, y: float, colour: tuple[int, int, int]) -> None:
    # The fonts of OpenCV know ASCII only.
    text = text.encode("ascii", "replace").decode()
    scale = max(0.4, image.shape[1] / 2400)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    left = int(np.clip(x, 0, max(0, image.shape[1] - width)))
    base = int(np.clip(y, height + 2, max(height + 2, image.shape[0] - below)))
    cv2.rectangle(
        image, (left, base - height - 2), (left + width, base + below), (20, 20, 20), cv2.FILLED
    )
    cv2.putText(image, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def _frame(image: ImageArray, box: Box, colour: tuple[int, int, int], thickness: int) -> None:
    low = (round(box.left), round(box.top))
    high = (round(box.left + box.width), round(box.top + box.height))
    cv2.rectangle(image, low, high, colour, thickness)


def annotate(rgb: ImageArray, location: Location, caption: str) -> ImageArray:
    """A copy with every candidate thin, the chosen box thick with its scores, and the status."""
    picture = rgb.copy()
    for box, detected, matched in location.candidates:
        if box != location.box:
            _frame(picture, box, OTHERS, 1)
            _label(picture, f"{detected:.2f} {matched:.2f}", box.left, box.top - 4, OTHERS)
    colour = COLOURS[location.status]
    if location.box is not None:
        _frame(picture, location.box, colour, 2)
        scores = f"{location.detection_score:.2f} {location.match_score:.2f}"
        _label(picture, f"{caption} {scores}", location.box.left, location.box.top - 5, colour)
    told = f"{location.status.name}: {caption}"
    _label(picture, f"{told} ({location.reason})" if location.reason else told, 4, 18, colour)
    return picture


def annotate_all(rgb: ImageArray, locations: list[Location], captions: list[str]) -> ImageArray:
    """A copy with the box of each caption."""
    picture = rgb.copy()
    for row, (location, caption) in enumerate(zip(locations, captions, strict=True)):
        colour = COLOURS[location.status]
        if location.box is None:
            _label(picture, f"{location.status.name}: {caption}", 4, 18 + 22 * row, colour)
            continue
        _frame(picture, location.box, colour, 2)
        text = f"{caption} {location.match_score:.2f}"
        _label(picture, text, location.box.left, location.box.top - 5, colour)
    return picture
