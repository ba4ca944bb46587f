# SPDX-License-Identifier: Apache-2.0
"""Which runtime this process uses: rclpy where it imports, else the plain one over Cyclone DDS."""

from __future__ import annotations

import importlib
import os
from typing import Literal

from turret_ai.errors import ConfigError

VARIABLE = "TURRET_AI_RUNTIME"


def _choose() -> Literal["rclpy", "dds"]:
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted not in ("", "dds", "rclpy"):
        raise ConfigError(f"{VARIABLE}={wanted}: must be rclpy, dds or unset")
    if wanted == "dds":
        return "dds"
    try:
        importlib.import_module("rclpy")
    except ImportError as error:
        if wanted == "rclpy":
            raise ConfigError(
                f"{VARIABLE}=rclpy, but rclpy can't be imported ({error}): source ROS 2 first"
            ) from error
        return "dds"
    return "rclpy"


RUNTIME: Literal["rclpy", "dds"] = _choose()
"""Chosen at the first import, for the whole process."""
