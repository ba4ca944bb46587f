"""What a user may set about the competition."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field

from turret_ai.act.competition.actions import TurnSettings


class ClientSettings(BaseModel):
    """How the finals server is reached and answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str = Field("ws://127.0.0.1:8000", description="address of the finals server")
    team: str = Field("turret_ai", description="team name")
    turns: TurnSettings = TurnSettings()
    update_rate: float = Field(20.0, gt=0.0, le=100.0, description="yaw updates a second")
    snapshot_timeout: float = Field(3.0, gt=0.0, le=60.0, description="s that a snapshot may take")
    snapshot_tries: int = Field(2, ge=1, le=10, description="how often a snapshot is asked for")
    retry_limit: float = Field(5.0, gt=0.0, le=300.0, description="s, longest wait between tries")
    vertical_fov: float = Field(
        math.radians(70.0), gt=0.0, lt=math.pi, description="rad, of the snapshots"
    )
