# SPDX-License-Identifier: Apache-2.0
"""What counts as a heading, and how far what was said is believed.

The table is in docs/understand.md. Headings are three digits, degrees clockwise from north.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from turret_ai.vocabulary import Vocabulary

HeadingMode = Literal["grid", "free"]

NORTH = "360"
"""North is 360, as in aviation; 000 is understood as it."""
NORTH_TRUST = 0.9
TWO_DIGITS = 0.5
"""A two-digit heading has lost its leading zero, or another digit altogether."""
ONE_DIGIT = 0.3
NINER_TRUST = 0.8
""" "two nine or five" is "two niner five", as recognisers write it."""
IMPOSSIBLE = 0.5
"""At most this is believed of a repair of a heading that can't be."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A heading as understood: "" where it is left open, for a reason.

    trust: 1.0 where it is just what was said; less where something had to be put right.
    """

    value: str
    trust: float = 1.0
    reason: str = ""


def with_mode(words: Vocabulary, mode: HeadingMode) -> Vocabulary:
    """The vocabulary with the headings that may be ordered: its own grid, or every degree."""
    if mode == "grid":
        return words
    return replace(words, headings=tuple(f"{degrees:03d}" for degrees in range(1, 361)))


def judge(digits: str, allowed: frozenset[str]) -> Judged:
    """What a number beside a word for heading means.

    Args:
        digits: as they would be written: "270", "45", "5".
        allowed: the headings that may be ordered.
    """
    if digits == "000":
        return _if_allowed(NORTH, NORTH_TRUST, allowed)
    if len(digits) == 3:
        if digits in allowed:
            return Judged(digits)
        if int(digits) > 360:
            return Judged("", 0.0, f"{digits} is beyond 360 degrees")
        return Judged("", 0.0, f"{digits} is not on the grid of headings")
    if len(digits) in (1, 2):
        return _if_allowed(digits.zfill(3), TWO_DIGITS if len(digits) == 2 else ONE_DIGIT, allowed)
    return Judged("", 0.0, f"{digits} is no heading of three digits")


def _if_allowed(value: str, trust: float, allowed: frozenset[str]) -> Judged:
    if value in allowed:
        return Judged(value, trust)
    return Judged("", 0.0, f"{value} is not on the grid of headings")
