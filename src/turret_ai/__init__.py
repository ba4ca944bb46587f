# SPDX-License-Identifier: Apache-2.0
"""Speak to a turret: radio speech becomes a transcript, a command, a target box and an aim."""

# A pip-installed copy must find the message modules that a colcon build puts elsewhere.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)

__version__ = "0.1.0"

__all__ = ["Turret", "__version__"]


def __getattr__(name: str) -> object:
    """`Turret`, imported when it is asked for: most programs need less of the package."""
    if name == "Turret":
        from turret_ai.nodes.client import Turret

        return Turret
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
