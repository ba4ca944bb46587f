# SPDX-License-Identifier: Apache-2.0
"""What the phone model's phones say of where somebody speaks.

The voice activity detector judges sound; over narrow radio bands it begins late, begins with noise,
or stays deaf for seconds. A phone model that was trained on radio speech hears phones there, in
steady noise none, and tells when each began.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from turret_ai.types import FloatArray

PhoneTimes = Callable[[FloatArray], FloatArray | None]
"""Mono float32 at 16 kHz to the seconds at which phones begin, in order; None: can't be told."""

BRIDGE_S = 0.5
"""Phones this close belong to the same words: between two in running speech lie some 80 ms, and
plosives, commas and drop-outs need room."""
_RUN = 4
"""Phones in a row that are speech: a click or a squeal may be taken for one or two."""
_LATEST_S = 1.0
"""How far the last of them may be from the present."""
_EDGE_S = 0.1
"""Phones this shortly after the last sure speech are the end of it."""


def run_start(times: FloatArray, anchor: float) -> float | None:
    """Where the run of phones begins that is under way at `anchor`, or that comes next.

    Args:
        times: s, in order.
        anchor: s; where speech is suspected to begin.
    """
    after = np.flatnonzero(times >= anchor - _EDGE_S)
    if not len(after):
        return None
    first = int(after[0])
    while first > 0 and times[first] - times[first - 1] <= BRIDGE_S:
        first -= 1
    return float(times[first])


def unnoticed(times: FloatArray, length: float) -> float | None:
    """Where speech begins that goes on at the end of `length` s; None: there is none."""
    if len(times) < _RUN or length - times[-1] > _LATEST_S:
        return None
    first = len(times) - 1
    while first > 0 and times[first] - times[first - 1] <= BRIDGE_S:
        first -= 1
    return float(times[first]) if len(times) - first >= _RUN else None


def speaks(times: FloatArray) -> bool:
    """Whether a run of phones is among them that is speech."""
    runs = np.split(times, np.flatnonzero(np.diff(times) > BRIDGE_S) + 1)
    return max(map(len, runs)) >= _RUN


def last_after(times: FloatArray, silence: float, least: int = 2) -> float | None:
    """The last phone after the beginning of what is taken for silence; None: it is silence.

    Args:
        least: fewer phones are a noise.
    """
    later = times[times > silence + _EDGE_S]
    return float(later[-1]) if len(later) >= least else None
