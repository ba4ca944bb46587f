# SPDX-License-Identifier: Apache-2.0
"""How a camera was held: the EXIF orientation of a picture, and what it does to boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from turret_ai.types import Box, ImageArray, Location


@dataclass(frozen=True, slots=True)
class Orientation:
    """From the stored picture to the upright one: first the axes swap, then they are mirrored."""

    swap: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of(cls, number: int) -> Orientation:
        """The tag's number 1 to 8 (EXIF 2.3, 4.6.4 A, tag 274); another one is taken as 1."""
        return _NUMBERS.get(number, cls())

    def upright(self, image: ImageArray) -> ImageArray:
        """The stored picture (H, W, 3) as it is to be looked at."""
        turned = image.swapaxes(0, 1) if self.swap else image
        return np.ascontiguousarray(self._mirrored(turned))

    def stored(self, image: ImageArray) -> ImageArray:
        """The inverse of `upright`."""
        turned = self._mirrored(image)
        return np.ascontiguousarray(turned.swapaxes(0, 1) if self.swap else turned)

    def stored_box(self, box: Box, width: int, height: int) -> Box:
        """A box of the upright picture, whose size is given, in pixels of the stored one."""
        left = width - box.left - box.width if self.mirror_x else box.left
        top = height - box.top - box.height if self.mirror_y else box.top
        if self.swap:
            return Box(top, left, box.height, box.width)
        return Box(left, top, box.width, box.height)

    def _mirrored(self, image: ImageArray) -> ImageArray:
        return image[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


_NUMBERS = {
    1: Orientation(),
    2: Orientation(mirror_x=True),
    3: Orientation(mirror_x=True, mirror_y=True),
    4: Orientation(mirror_y=True),
    5: Orientation(swap=True),
    6: Orientation(swap=True, mirror_x=True),
    7: Orientation(swap=True, mirror_x=True, mirror_y=True),
    8: Orientation(swap=True, mirror_y=True),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is to be looked at. rgb: (H, W, 3) uint8, upright."""

    rgb: ImageArray
    orientation: Orientation = Orientation()

    def stored_box(self, box: Box) -> Box:
        """A box of `rgb` in pixels of the stored picture."""
        height, width = self.rgb.shape[:2]
        return self.orientation.stored_box(box, width, height)

    def stored(self, location: Location) -> Location:
        """A location in `rgb` with its boxes in pixels of the stored picture."""
        return replace(
            location,
            box=None if location.box is None else self.stored_box(location.box),
            candidates=tuple((self.stored_box(box), *rest) for box, *rest in location.candidates),
        )
