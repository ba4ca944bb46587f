# SPDX-License-Identifier: Apache-2.0
"""Between joint angles (radians, REP-103) and the SDK's (degrees, yaw + clockwise, pitch + up)."""

from __future__ import annotations

from turret_ai.act.robomaster.wire import Attitude
from turret_ai.aim.limits import Goal, Limits
from turret_ai.units import (
    clockwise_deg_to_yaw,
    elevation_deg_to_pitch,
    pitch_to_elevation_deg,
    yaw_to_clockwise_deg,
)

RESOLUTION_DEG = 0.1
"""The protocol's finest step."""


def to_sdk(yaw: float, pitch: float) -> Attitude:
    """Joint angles to the SDK's, rounded to its resolution."""
    return Attitude(round(pitch_to_elevation_deg(pitch), 1), round(yaw_to_clockwise_deg(yaw), 1))


def from_sdk(attitude: Attitude) -> tuple[float, float]:
    """The SDK's angles to joint angles (yaw, pitch)."""
    return clockwise_deg_to_yaw(attitude.yaw), elevation_deg_to_pitch(attitude.pitch)


def rates_to_sdk(yaw_rate: float, pitch_rate: float) -> tuple[float, float]:
    """Joint speeds (rad/s) to the SDK's (pitch, yaw), deg/s."""
    return pitch_to_elevation_deg(pitch_rate), yaw_to_clockwise_deg(yaw_rate)


def within(yaw: float, pitch: float, limits: Limits) -> Goal:
    """The joint angles clamped to the limits, and whether each had to be."""
    reachable_yaw = min(max(yaw, limits.yaw_min), limits.yaw_max)
    reachable_pitch = min(max(pitch, limits.pitch_min), limits.pitch_max)
    return Goal(
        reachable_yaw,
        reachable_pitch,
        abs(reachable_yaw - yaw) > 1e-9,
        abs(reachable_pitch - pitch) > 1e-9,
    )
