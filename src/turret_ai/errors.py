# SPDX-License-Identifier: Apache-2.0
"""The errors that a user may see: one line, with what to do about it."""

from __future__ import annotations


class TurretError(Exception):
    """Base of every error of this package that is meant to be read by its user."""


class InputError(TurretError):
    """A file, message or argument that can't be used: names it and says why."""


class ConfigError(TurretError):
    """A setting that is unknown, of the wrong type or out of range: names it and its range."""


class ModelError(TurretError):
    """A model file that is missing, broken or of another kind."""


class MissingExtraError(TurretError):
    """An optional dependency that isn't installed: names the extra that brings it."""


class PeerError(TurretError):
    """A server, robot or node that is not there, went away or broke its protocol."""
