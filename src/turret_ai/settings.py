# SPDX-License-Identifier: Apache-2.0
"""What all settings have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of settings, parameters and configurations: immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
