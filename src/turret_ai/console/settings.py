# SPDX-License-Identifier: Apache-2.0
"""Every setting of this room. The console node declares them as its parameters."""

from __future__ import annotations

import ipaddress
import math

from pydantic import Field

from turret_ai.settings import Settings

PORT = 8765


class ConsoleSettings(Settings):
    """Where the page is served, and how much of everything."""

    host: str = Field(
        "127.0.0.1",
        description="address to listen on; any other than loopback demands a token",
    )
    port: int = Field(PORT, ge=0, le=65535, description="port to listen on; 0: any free one")
    allowed_hosts: list[str] = Field(
        [],
        description="names under which browsers may address it, beside addresses, localhost and "
        "this machine's own name",
    )
    token_file: str = Field(
        "",
        description="file that holds the token (16 characters or more); empty: the environment's "
        "TURRET_AI_CONSOLE_TOKEN, or beyond loopback a file that is made",
    )
    frame_rate: float = Field(15.0, gt=0.0, le=60.0, description="pictures a second at most")
    frames_in_all: float = Field(
        45.0, gt=0.0, le=2000.0, description="pictures a second to all pages together at most"
    )
    frame_width: int = Field(960, ge=160, le=4096, description="pixels; wider ones are scaled down")
    jpeg_quality: int = Field(70, ge=10, le=95, description="of the pictures")
    viewers: int = Field(32, ge=1, le=256, description="pages that may look at the same time")
    stall: float = Field(
        5.0, ge=0.5, le=60.0, description="s without a sign of life until a page is dropped"
    )
    longest_talk: float = Field(
        25.0, ge=1.0, le=28.0, description="s after which a pressed key counts as released"
    )
    log_turns: int = Field(100, ge=1, le=1000, description="turns that the log keeps")
    fixed_camera_pitch: float = Field(
        math.nan,
        description="rad, + nose down: pitch of a camera that does not follow the turret's; "
        "nan: it does",
    )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
