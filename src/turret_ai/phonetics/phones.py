# SPDX-License-Identifier: Apache-2.0
"""The sounds of English, and how likely a recogniser is to take one for another.

Thirty-nine phones in the usual ARPAbet letters, lower case, without stress. The confusion model is
built from articulation (place, manner and voice of consonants; height, backness, rounding and glide
of vowels), not counted on any recogniser's output: the features that differ set the cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CONSONANTS: dict[str, tuple[str, float, bool]] = {
    # phone: (manner, place from the lips (0) to the glottis (7), voiced)
    "p": ("stop", 0, False), "b": ("stop", 0, True), "t": ("stop", 3, False),
    "d": ("stop", 3, True), "k": ("stop", 6, False), "g": ("stop", 6, True),
    "ch": ("affricate", 4, False),
    "jh": ("affricate", 4, True), "f": ("fricative", 1, False), "v": ("fricative", 1, True),
    "th": ("fricative", 2, False), "dh": ("fricative", 2, True), "s": ("fricative", 3, False),
    "z": ("fricative", 3, True), "sh": ("fricative", 4, False), "zh": ("fricative", 4, True),
    "hh": ("fricative", 7, False), "m": ("nasal", 0, True), "n": ("nasal", 3, True),
    "ng": ("nasal", 6, True), "l": ("liquid", 3, True), "r": ("liquid", 4, True),
    "w": ("glide", 0.5, True), "y": ("glide", 5, True),
}  # fmt: skip

_VOWELS: dict[str, tuple[float, float, float, float, float]] = {
    # phone: height and backness of its beginning, the same of its end (0..1), rhotic
    "iy": (1, 0, 1, 0, 0), "ih": (0.8, 0.15, 0.8, 0.15, 0), "ey": (0.6, 0.1, 0.95, 0, 0),
    "eh": (0.5, 0.2, 0.5, 0.2, 0), "ae": (0.15, 0.2, 0.15, 0.2, 0), "aa": (0, 0.7, 0, 0.7, 0),
    "ao": (0.3, 0.95, 0.3, 0.95, 0), "ow": (0.5, 0.9, 0.85, 1, 0), "uh": (0.8, 0.8, 0.8, 0.8, 0),
    "uw": (1, 0.9, 1, 0.95, 0), "ah": (0.4, 0.55, 0.4, 0.55, 0), "er": (0.5, 0.5, 0.5, 0.5, 1),
    "ay": (0.05, 0.5, 0.9, 0.1, 0), "aw": (0.05, 0.5, 0.85, 0.9, 0), "oy": (0.4, 0.95, 0.9, 0.1, 0),
}  # fmt: skip

_MANNER = ("stop", "affricate", "fricative", "nasal", "liquid", "glide")
_MANNER_COST = np.array(
    # stop affr fric nasal liquid glide
    [
        [0.0, 0.7, 1.0, 1.2, 1.7, 1.8],
        [0.7, 0.0, 0.6, 1.7, 1.8, 1.8],
        [1.0, 0.6, 0.0, 1.5, 1.6, 1.6],
        [1.2, 1.7, 1.5, 0.0, 1.0, 1.2],
        [1.7, 1.8, 1.6, 1.0, 0.0, 0.6],
        [1.8, 1.8, 1.6, 1.2, 0.6, 0.0],
    ]
)

PHONES: tuple[str, ...] = (*_CONSONANTS, *_VOWELS)
"""Every phone; a phone's number is its place here."""
INDEX: dict[str, int] = {phone: i for i, phone in enumerate(PHONES)}
VOWELS: frozenset[str] = frozenset(_VOWELS)

_WEAK = frozenset({"s", "z", "t", "d", "k", "p", "b", "g", "hh", "th", "dh", "f", "v", "ah", "ih"})
"""Lost first in noise: hiss, bursts and unstressed vowels."""


def distance(a: str, b: str) -> float:
    """How unlike two phones are: 0 for the same, about 1 for one feature, 4 at most."""
    if a == b:
        return 0.0
    if a in _VOWELS and b in _VOWELS:
        u, v = np.array(_VOWELS[a]), np.array(_VOWELS[b])
        return float(0.35 + 1.6 * np.abs(u - v) @ np.array([0.45, 0.35, 0.45, 0.35, 0.7]))
    if a in _CONSONANTS and b in _CONSONANTS:
        (manner, place, voice), (manner2, place2, voice2) = _CONSONANTS[a], _CONSONANTS[b]
        cost = _MANNER_COST[_MANNER.index(manner), _MANNER.index(manner2)]
        return float(0.3 + cost + 0.22 * abs(place - place2) + 0.3 * (voice != voice2))
    vocalic = {a, b} & {"r", "er"} == {"r", "er"}
    glides = {
        frozenset(x) for x in (("w", "uw"), ("y", "iy"), ("l", "ow"), ("w", "ow"), ("y", "ih"))
    }
    if vocalic or frozenset((a, b)) in glides:
        return 0.8
    return 3.2


def substitution(same: float, sharpness: float) -> NDArray[np.float64]:
    """P(heard | meant), given that something was heard.

    Args:
        same: mean share of phones heard as they were meant.
        sharpness: how fast the likelihood of a confusion falls with the distance.

    Returns:
        shape (39, 39), [meant, heard]; rows sum to 1.
    """
    far = np.array([[distance(a, b) for b in PHONES] for a in PHONES])
    likeness = np.exp(-sharpness * far)
    np.fill_diagonal(likeness, 0.0)
    likeness /= likeness.sum(axis=1, keepdims=True)
    table: NDArray[np.float64] = same * np.eye(len(PHONES)) + (1.0 - same) * likeness
    return table


def deletion(mean: float) -> NDArray[np.float64]:
    """P(nothing heard | meant), shape (39,): weak phones twice as likely to be lost."""
    weak = np.array([2.0 if phone in _WEAK else 1.0 for phone in PHONES])
    table: NDArray[np.float64] = mean * weak / weak.mean()
    return table
