# SPDX-License-Identifier: Apache-2.0
"""Every setting of this room. The tracker node declares them as its parameters, dots for depth."""

from __future__ import annotations

import math

from pydantic import Field

from turret_ai.execution import ExecutionSettings
from turret_ai.see.settings import DetectionSettings, MatchingSettings
from turret_ai.settings import Settings


class MotionSettings(Settings):
    """How craft move, as seen from the turret."""

    steady: float = Field(
        0.0025, gt=0, le=10, description="rad^2/s^3, density of the acceleration in steady flight"
    )
    manoeuvre: float = Field(0.25, gt=0, le=100, description="rad^2/s^3, the same in a manoeuvre")
    steady_for: float = Field(4.0, gt=0, le=600, description="s, mean length of steady flight")
    manoeuvre_for: float = Field(1.0, gt=0, le=600, description="s, mean length of a manoeuvre")
    speed: float = Field(
        0.25, gt=0, le=10, description="rad/s, usual speed of a craft that was seen once"
    )


class SightSettings(Settings):
    """How exact a sighting is."""

    centre: float = Field(
        0.06, ge=0, le=1, description="standard deviation of a box's middle, share of its side"
    )
    pixel: float = Field(0.7, gt=0, le=100, description="px, the least standard deviation")
    timing: float = Field(
        0.004, ge=0, le=1, description="s, standard deviation between image and joint stamps"
    )


class AssociationSettings(Settings):
    """Which sighting is which craft."""

    gate: float = Field(
        4.0, gt=0, le=20, description="standard deviations from the prediction that are believed"
    )
    likeness: float = Field(
        0.70, ge=-1, le=1, description="least cosine of a sighting's appearance with the track's"
    )
    appearance: float = Field(
        0.06, gt=0, le=1, description="usual distance of appearances of one craft, 1 - cosine"
    )
    size: float = Field(0.35, gt=0, le=5, description="usual change of a box's side, logarithm")
    odds: float = Field(
        3.0, ge=0, le=100, description="log-odds by which a found-again target may fit worse"
    )
    others: int = Field(16, ge=0, le=256, description="most other craft that are followed beside")
    memory: float = Field(
        1.0, gt=0, le=60, description="s after which another craft that is not seen is forgotten"
    )
    new: float = Field(0.3, ge=0, le=1, description="least detection score of another craft")


class LookSettings(Settings):
    """How often, and at how much of the picture, the detector looks."""

    rate: float = Field(15.0, gt=0, le=240, description="1/s, most looks round the prediction")
    full_rate: float = Field(3.0, gt=0, le=240, description="1/s, most looks at whole pictures")
    smallest: int = Field(256, ge=64, le=4096, description="px, least side of the part looked at")
    round_it: float = Field(
        1.0, ge=0, le=10, description="craft's longer sides round the predicted box"
    )
    largest: int = Field(
        576, ge=64, le=8192, description="px, most side of the part until the target is LOST"
    )


class DeadlineSettings(Settings):
    """When a target that is not seen counts as what."""

    coast: float = Field(0.3, gt=0, le=60, description="s unseen until COASTING")
    lost: float = Field(2.0, gt=0, le=600, description="s unseen until LOST")
    give_up: float = Field(10.0, gt=0, le=3600, description="s LOST until the lock is given up")


class TrackSettings(Settings):
    """The tracker's parameters."""

    motion: MotionSettings = MotionSettings()
    sight: SightSettings = SightSettings()
    association: AssociationSettings = AssociationSettings()
    look: LookSettings = LookSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    # The fast one alone: a frame's time counts for more than a box that is missed once.
    detection: DetectionSettings = DetectionSettings(models=["detector_photos"], limit=24)
    matching: MatchingSettings = MatchingSettings(models=["matcher_lite"], cached_images=1)
    # Small parts of pictures gain little by more threads, and the other stages need the cores.
    execution: ExecutionSettings = ExecutionSettings(threads=1)
    fixed_camera_pitch: float = Field(
        math.nan,
        description="rad, pitch of a camera that does not follow the pitch joint; nan: it follows",
    )
