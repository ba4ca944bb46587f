# SPDX-License-Identifier: Apache-2.0
"""Transcript to command: heading, tool and target, whatever the recogniser heard."""

from turret_ai.understand.settings import UnderstandSettings
from turret_ai.understand.understander import Understander

__all__ = ["UnderstandSettings", "Understander"]
