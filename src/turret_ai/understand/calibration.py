# SPDX-License-Identifier: Apache-2.0
"""From posterior probabilities to confidences that come true as often as they say.

The knots in `config/understand_calibration.yaml` are (posterior, share right) pairs, fitted by
isotonic regression on misheard synthetic sentences (`python -m turret_ai.learn.calibrate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from turret_ai import documents, share
from turret_ai.errors import ConfigError

FIELDS = ("heading", "tool", "target")


@dataclass(frozen=True, slots=True)
class Calibration:
    """knots: field -> (posteriors, confidences), both rising. rules: field -> confidence."""

    knots: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]
    rules: Mapping[str, float]

    def confidence(self, field: str, posterior: float) -> float:
        """The calibrated confidence of a repaired field."""
        xs, ys = self.knots[field]
        return float(np.interp(posterior, xs, ys))


IDENTITY = Calibration(dict.fromkeys(FIELDS, ((0.0, 1.0), (0.0, 1.0))), dict.fromkeys(FIELDS, 1.0))
"""Posteriors as they are."""


@lru_cache(maxsize=2)
def _load(path: str, _changed_ns: int) -> Calibration:
    tree = documents.read_yaml(path)
    try:
        knots = {
            name: (
                tuple(float(x) for x, _ in tree["repair"][name]),
                tuple(float(y) for _, y in tree["repair"][name]),
            )
            for name in FIELDS
        }
        return Calibration(knots, {name: float(tree["rules"][name]) for name in FIELDS})
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is no calibration: {error!r}") from error


def load() -> Calibration:
    """The shipped calibration.

    Raises:
        ConfigError: the file is not one.
        InputError: there is no such file.
    """
    path = share.path("config/understand_calibration.yaml")
    return _load(str(path), path.stat().st_mtime_ns)
