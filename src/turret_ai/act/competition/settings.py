# SPDX-License-Identifier: Apache-2.0
"""What a user may set about the competition."""

from __future__ import annotations

import math

from pydantic import Field

from turret_ai.act.competition.actions import TurnSettings
from turret_ai.settings import Settings


class ClientSettings(Settings):
    """How the finals server is reached and answered."""

    server: str = Field("ws://127.0.0.1:8000", description="address of the finals server")
    team: str = Field("turret_ai", description="team name")
    turns: TurnSettings = TurnSettings()
    update_rate: float = Field(20.0, gt=0.0, le=100.0, description="yaw updates a second")
    snapshot_timeout: float = Field(
        5.0,
        gt=0.0,
        le=60.0,
        description="s after which a snapshot is asked for once more; later where the page is "
        "known to be slower. The turn's deadline ends the asking",
    )
    search_time: float = Field(
        1.5,
        ge=0.0,
        le=60.0,
        description="s before the turn's deadline at which a picture comes too late to be "
        "searched; more where searching has taken longer",
    )
    retry_limit: float = Field(5.0, gt=0.0, le=300.0, description="s, longest wait between tries")
    vertical_fov: float = Field(
        math.radians(70.0), gt=0.0, lt=math.pi, description="rad, of the snapshots"
    )
