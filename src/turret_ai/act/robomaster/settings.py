# SPDX-License-Identifier: Apache-2.0
"""What a user may set about the robot."""

from __future__ import annotations

import math

from pydantic import Field

from turret_ai.act.robomaster.wire import DIRECT_ADDRESS
from turret_ai.aim.settings import LimitSettings
from turret_ai.settings import Settings

EP_VERTICAL_FOV = 2.0 * math.atan(360.0 / 627.0)
"""rad. The robomaster_ros project calibrated the EP's camera at 1280x720 with f = 627 px
(robomaster_ros/config/rm_camera_calibration_720.yaml); its small distortion is left out."""


class MotionSettings(Settings):
    """How the gimbal is driven."""

    limits: LimitSettings = LimitSettings()
    yaw_rate: float = Field(
        math.radians(180.0), gt=0.0, le=math.radians(540.0), description="rad/s of aimed moves"
    )
    pitch_rate: float = Field(
        math.radians(90.0), gt=0.0, le=math.radians(540.0), description="rad/s of aimed moves"
    )
    tolerance: float = Field(
        math.radians(0.1), ge=math.radians(0.05), le=0.1, description="rad, residual that is let be"
    )
    reaction: float = Field(
        0.08, ge=0.0, le=2.0, description="s until a commanded move shows in the attitude"
    )
    stream_timeout: float = Field(
        0.5, gt=0.0, le=10.0, description="s without a new rate command until the gimbal is stopped"
    )


class DriverSettings(Settings):
    """How the robot is reached and what is fetched from it."""

    address: str = Field(
        DIRECT_ADDRESS,
        description="the robot's address; or direct (its own Wi-Fi), usb, station (looked for)",
    )
    base_port: int = Field(40920, ge=1, le=65529, description="the six ports follow this number")
    discovery_address: str = Field(
        "0.0.0.0", description="where announcements are listened for with address station"
    )
    timeout: float = Field(2.0, gt=0.0, le=60.0, description="s that a reply may take")
    retry_limit: float = Field(5.0, gt=0.0, le=300.0, description="s, longest wait between tries")
    push_rate: int = Field(50, ge=1, le=50, description="attitudes a second: 1 5 10 20 30 50")
    video: bool = Field(True, description="fetch the camera's stream")
    audio: bool = Field(False, description="fetch the microphone's stream")
    stall: float = Field(2.0, gt=0.0, le=60.0, description="s without video until it is reopened")
    attitude_latency: float = Field(
        0.0, ge=0.0, le=1.0, description="s by which attitudes are older than their arrival"
    )
    video_latency: float = Field(
        0.2,
        ge=0.0,
        le=2.0,
        description="s by which pictures are older than their arrival; too much costs that time "
        "in a turn, too little takes pictures of the turning camera for those of the settled one",
    )
    signal_seconds: float = Field(1.5, gt=0.0, le=30.0, description="s that the lights blink")
    motion: MotionSettings = MotionSettings()
