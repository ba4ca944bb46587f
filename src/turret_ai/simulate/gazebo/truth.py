# SPDX-License-Identifier: Apache-2.0
"""From the boxes that Gazebo's bounding-box camera reports to boxes with captions and directions.

A world's craft carry Gazebo's Label system; beside the number that the camera reports, each names
the caption of its craft, which Gazebo itself leaves alone.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from turret_ai.aim.camera import Camera, direction_to_angles, pixels_to_directions
from turret_ai.errors import InputError
from turret_ai.simulate.world import Truth
from turret_ai.types import Box

LABEL_SYSTEM = "gz::sim::systems::Label"
CAPTION = "caption"
"""The element of ours within the Label system's."""

HIGHEST_LABEL = 254
"""A label is a byte, and 255 is the background's."""


def captions(world: Path) -> dict[int, str]:
    """The captions of a world's craft by their labels.

    Raises:
        InputError: the file can't be read, isn't XML, or has a label without number or caption.
    """
    try:
        root = ElementTree.parse(world).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise InputError(f"world {world} can't be read: {error}") from None
    found: dict[int, str] = {}
    for plugin in root.iter("plugin"):
        if plugin.get("name") != LABEL_SYSTEM:
            continue
        number, caption = plugin.findtext("label", ""), plugin.findtext(CAPTION, "")
        if not number.strip().isdigit() or not caption:
            raise InputError(f"world {world} has a label without number or caption")
        found[int(number)] = caption
    return found


def locate(
    caption: str, box: Box, camera: Camera, yaw: float, pitch: float, edge: float = 0.5
) -> Truth:
    """Where a box's middle lies, seen by the camera at these joint angles (rad).

    edge: pixels; a box that comes as near to the image's edge counts as cut off. What share of the
    craft it shows is then not known: `visible` is nan.
    """
    middle = np.array(box.centre)
    angles = direction_to_angles(pixels_to_directions(middle, camera, yaw, pitch))
    cut = (
        box.left <= edge
        or box.top <= edge
        or box.left + box.width >= camera.width - edge
        or box.top + box.height >= camera.height - edge
    )
    return Truth(caption, box, *angles, math.nan if cut else 1.0)
