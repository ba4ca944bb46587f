# SPDX-License-Identifier: Apache-2.0
"""What a real lens does to straight lines, by OpenCV's models.

Points are in units of the focal length, relative to the principal point: x right, y down. Models
and coefficients are those of sensor_msgs/CameraInfo (REP-104).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.errors import InputError

Float64Array = NDArray[np.float64]

_COUNTS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
"""How many coefficients each model takes: k1, k2, p1, p2, k3, ...; equidistant: k1 to k4."""
_IDENTITY = np.eye(3)
_TOLERANCE = 1e-4
"""In units of the focal length, a fraction of a pixel: how well a point must come back."""


@dataclass(frozen=True, slots=True)
class Distortion:
    """A lens. coefficients: in CameraInfo's order."""

    model: str
    coefficients: tuple[float, ...]

    @classmethod
    def of(cls, model: str, coefficients: Sequence[float]) -> Distortion | None:
        """What a CameraInfo says; None for a lens without distortion.

        Raises:
            InputError: a model that is not known, or another number of coefficients than it has.
        """
        values = tuple(float(value) for value in coefficients)
        if not any(values):
            return None
        name = model.strip().lower() or "plumb_bob"
        if name not in _COUNTS:
            raise InputError(f"distortion model {model!r} is none of {', '.join(_COUNTS)}")
        if len(values) not in _COUNTS[name] or not all(map(math.isfinite, values)):
            counts = " or ".join(map(str, _COUNTS[name]))
            raise InputError(f"distortion model {name} takes {counts} numbers: got {values}")
        return cls(name, values)

    def undo(self, points: Float64Array) -> Float64Array:
        """Where a pinhole camera would have seen the points (..., 2); nan beyond the model."""
        flat = np.ascontiguousarray(points, np.float64).reshape(-1, 1, 2)
        d = np.array(self.coefficients)
        with np.errstate(all="ignore"):
            if self.model == "equidistant":
                found = cv2.fisheye.undistortPoints(flat, _IDENTITY, d)
            else:
                criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)
                found = cv2.undistortPointsIter(flat, _IDENTITY, d, None, None, criteria)
            straight = np.asarray(found, np.float64).reshape(points.shape)
            # The models fold over far outside: there the iteration ends somewhere else.
            off = np.abs(self.apply(straight) - points).max(axis=-1, keepdims=True)
        return np.where(off < _TOLERANCE, straight, np.nan)

    def apply(self, points: Float64Array) -> Float64Array:
        """Where the lens shows points (..., 2) of a pinhole camera."""
        flat = np.ascontiguousarray(points, np.float64).reshape(-1, 1, 2)
        d = np.array(self.coefficients)
        if self.model == "equidistant":
            shown = cv2.fisheye.distortPoints(flat, _IDENTITY, d)
        else:
            ahead = np.concatenate([flat.reshape(-1, 2), np.ones((len(flat), 1))], axis=1)
            shown, _ = cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), _IDENTITY, d)
        return np.asarray(shown, np.float64).reshape(points.shape)
