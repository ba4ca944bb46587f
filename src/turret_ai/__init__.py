"""Speak to a turret: radio speech becomes a transcript, a command, a target box and an aim."""

# A pip-installed copy must find the message modules that a colcon build puts elsewhere.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)

__version__ = "0.1.0"
