# SPDX-License-Identifier: Apache-2.0
"""Which part of a picture is searched: as small as the prediction allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from turret_ai.aim.camera import Camera
from turret_ai.track.kalman import Gaussian
from turret_ai.track.settings import LookSettings
from turret_ai.track.sight import Pose, box_at
from turret_ai.types import Box, ImageArray

_GROWTH = 1.5
"""Sides are few, each so much larger than the one before: models of free input size plan their
memory for each."""
_STEP = 32


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, pixels. full: it is the whole picture."""

    left: int
    top: int
    width: int
    height: int
    full: bool = False

    @classmethod
    def whole(cls, camera: Camera) -> Window:
        """All of the picture."""
        return cls(0, 0, camera.width, camera.height, full=True)

    def cut(self, image: ImageArray) -> ImageArray:
        """This part of an image (H, W, 3), a view."""
        bottom, right = self.top + self.height, self.left + self.width
        return image[self.top : bottom, self.left : right]


def window_round(
    state: Gaussian,
    size: tuple[float, float],
    gate: float,
    camera: Camera,
    pose: Pose,
    settings: LookSettings,
    *,
    first: bool,
) -> Window | None:
    """The part of a picture in which a craft is expected.

    Args:
        state: where it is at the picture's stamp. size: its width and height, rad.
        gate: how many standard deviations are believed. first: its speed isn't known yet.

    Returns:
        None where the craft is expected outside of the picture. A part that would be larger than
        the settings' largest has that size; at first it is the whole picture.
    """
    box = box_at(state.angles, size, camera, pose)
    if box is None:
        return None
    yaw, pitch = state.deviation
    spread = gate * max(yaw * camera.fx * math.cos(state.angles[1]), pitch * camera.fy)
    reach = max(box.width, box.height) * (0.5 + settings.round_it) + spread
    if not _near(box, spread, camera):
        return None
    side = _rounded(2.0 * reach, settings.smallest)
    largest = max(settings.smallest, settings.largest)
    if side > largest:
        if first:
            return Window.whole(camera)
        side = largest
    if side >= min(camera.width, camera.height):
        return Window.whole(camera)
    x, y = box.centre
    left = min(max(0, round(x - side / 2)), camera.width - side)
    top = min(max(0, round(y - side / 2)), camera.height - side)
    return Window(left, top, side, side)


def _near(box: Box, spread: float, camera: Camera) -> bool:
    """Whether some of a box may be in the picture, if it is off by `spread` pixels."""
    return (
        box.left - spread < camera.width
        and box.top - spread < camera.height
        and box.left + box.width + spread > 0.0
        and box.top + box.height + spread > 0.0
    )


def _rounded(side: float, smallest: int) -> int:
    """The next larger of a few sides."""
    steps = max(0, math.ceil(math.log(max(side, 1.0) / smallest, _GROWTH) - 1e-9))
    return -(-round(smallest * _GROWTH**steps) // _STEP) * _STEP
