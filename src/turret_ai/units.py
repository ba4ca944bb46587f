# SPDX-License-Identifier: Apache-2.0
"""The one home of every conversion between the degrees of people and the radians of the code.

Inside, angles are radians in REP-103 axes (x forward, y left, z up): yaw is positive
counter-clockwise seen from above, pitch is positive nose down
(https://www.ros.org/reps/rep-0103.html).
Outside, a compass heading is in degrees, clockwise from north; SDKs of robots and the server of the
competition count yaw clockwise and elevation upwards. The base frame of the turret looks north.
"""

from __future__ import annotations

import math


def wrap(angle: float) -> float:
    """The same angle in [-pi, pi), radians."""
    wrapped = (angle + math.pi) % (2.0 * math.pi) - math.pi
    return -math.pi if wrapped >= math.pi else wrapped  # rounding may land on +pi


def heading_to_yaw(heading_deg: float) -> float:
    """Compass heading (degrees, clockwise from north) to yaw (radians, counter-clockwise)."""
    return wrap(-math.radians(heading_deg))


def yaw_to_heading(yaw: float) -> float:
    """Yaw (radians, counter-clockwise) to compass heading in [0, 360) degrees."""
    heading = -math.degrees(yaw) % 360.0
    return 0.0 if heading >= 360.0 else heading  # -1e-20 % 360 is 360


def yaw_to_clockwise_deg(yaw: float) -> float:
    """Unwrapped yaw (radians, counter-clockwise) to degrees clockwise, also beyond a full turn."""
    return -math.degrees(yaw)


def clockwise_deg_to_yaw(degrees: float) -> float:
    """Degrees clockwise to unwrapped yaw (radians, counter-clockwise)."""
    return -math.radians(degrees)


def pitch_to_elevation_deg(pitch: float) -> float:
    """Pitch (radians, positive nose down) to elevation (degrees, positive up)."""
    return -math.degrees(pitch)


def elevation_deg_to_pitch(degrees: float) -> float:
    """Elevation (degrees, positive up) to pitch (radians, positive nose down)."""
    return -math.radians(degrees)


def format_heading(heading_deg: float) -> str:
    """The three digits that an operator speaks: 5.0 -> "005"; north is "360", never "000"."""
    whole = round(heading_deg) % 360
    return f"{whole or 360:03d}"


def seconds_to_ns(seconds: float) -> int:
    """Seconds to whole nanoseconds, rounded."""
    return round(seconds * 1e9)


def ns_to_seconds(nanoseconds: int) -> float:
    """Nanoseconds to seconds."""
    return nanoseconds * 1e-9
