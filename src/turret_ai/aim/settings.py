# SPDX-License-Identifier: Apache-2.0
"""The controller's settings: what a turret may do and how long each step may take."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from turret_ai.aim.limits import Limits
from turret_ai.settings import Settings

_ROBOMASTER = Limits()


class LimitSettings(Settings):
    """Joint ranges in radians (REP-103); the defaults are the RoboMaster's."""

    yaw_min: float = Field(_ROBOMASTER.yaw_min, ge=-100.0, le=100.0, description="rad")
    yaw_max: float = Field(_ROBOMASTER.yaw_max, ge=-100.0, le=100.0, description="rad")
    pitch_min: float = Field(
        _ROBOMASTER.pitch_min,
        ge=-math.pi / 2,
        le=math.pi / 2,
        description="rad, the highest elevation",
    )
    pitch_max: float = Field(
        _ROBOMASTER.pitch_max,
        ge=-math.pi / 2,
        le=math.pi / 2,
        description="rad, the lowest elevation",
    )

    def to_limits(self) -> Limits:
        """The same as the geometry's type.

        Raises:
            ConfigError: a minimum is above its maximum.
        """
        return Limits(self.yaw_min, self.yaw_max, self.pitch_min, self.pitch_max)


class SettleSettings(Settings):
    """When the turret counts as standing at its goal."""

    angle: float = Field(0.005, gt=0.0, le=0.2, description="rad, greatest distance from the goal")
    rate: float = Field(0.02, gt=0.0, le=1.0, description="rad/s, greatest speed of either joint")
    hold: float = Field(0.06, ge=0.0, le=2.0, description="s that both must hold")


class DeadlineSettings(Settings):
    """How long a turn waits for each step, in seconds, before it ends in TIMEOUT."""

    command: float = Field(5.0, gt=0.0, le=300.0, description="s, transcript to command")
    slew: float = Field(10.0, gt=0.0, le=300.0, description="s, command to settled camera")
    see: float = Field(10.0, gt=0.0, le=300.0, description="s, settled camera to target box")
    aim: float = Field(5.0, gt=0.0, le=300.0, description="s, target box to settled aim")
    stale: float = Field(
        30.0,
        gt=0.0,
        le=3600.0,
        description="s from the end of speech after which a command is not acted on any more",
    )
    feedback: float = Field(
        1.0, gt=0.0, le=60.0, description="s without joint states until the turret counts as gone"
    )


class FollowSettings(Settings):
    """How the turret follows a target that the tracker has locked."""

    rate: float = Field(25.0, gt=0.0, le=200.0, description="1/s, orders to the gimbal")
    gain: float = Field(
        6.0, ge=0.0, le=50.0, description="1/s, speed for each rad that the joints are off"
    )
    delay: float = Field(
        0.04, ge=0.0, le=1.0, description="s from an order until the gimbal acts on it: the lead"
    )
    valid: float = Field(
        0.3, gt=0.0, le=5.0, description="s after which an order is void and the turret stands"
    )
    silence: float = Field(
        2.0, gt=0.0, le=60.0, description="s without the tracker's word until the lock ends"
    )
    yaw_rate: float = Field(3.0, gt=0.0, le=20.0, description="rad/s, the most while following")
    pitch_rate: float = Field(3.0, gt=0.0, le=20.0, description="rad/s, likewise")


class AimSettings(Settings):
    """Everything that the engagement needs to know beforehand."""

    limits: LimitSettings = LimitSettings()
    settle: SettleSettings = SettleSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    search_pitch: float = Field(
        math.radians(-15.0),
        ge=-math.pi / 2,
        le=math.pi / 2,
        description="rad, pitch while searching, - is up; the default is the competition's camera",
    )
    fixed_camera_pitch: float = Field(
        math.nan,
        description="rad, pitch of a camera that does not follow the pitch joint; nan: it follows",
    )
    yaw_rate: float = Field(
        0.0, ge=0.0, le=20.0, description="rad/s, speed limit asked of the turret; 0: its own"
    )
    pitch_rate: float = Field(0.0, ge=0.0, le=20.0, description="rad/s, likewise")
    aim_when_ambiguous: bool = Field(
        True, description="aim at the better one when two candidates fit about equally"
    )
    tracking: Literal["off", "lock"] = Field(
        "off", description="lock: after the aim the turret follows the target, led by the tracker"
    )
    follow: FollowSettings = FollowSettings()
    recorded_joints: bool = Field(
        False,
        description="the joint states are a recording's: they tell where the camera looked, and "
        "can't follow; an aim counts as reached when it is sent",
    )
    use_partial_heading: bool = Field(
        True, description="start to slew on the heading while the operator still speaks"
    )
