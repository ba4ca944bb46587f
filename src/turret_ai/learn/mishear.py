# SPDX-License-Identifier: Apache-2.0
"""What noise does to sounds: phones lost, taken for their neighbours, or added.

A model of its own: classes of phones that listeners confuse in noise, with weak and final sounds
lost first. The decoder's costs come from articulatory distances instead.
"""

from __future__ import annotations

import random

_CLASSES = (
    "P T K", "B D G", "P B", "T D", "K G", "CH JH SH", "F TH S", "V DH Z", "S SH Z", "S F HH",
    "M N NG", "L R W", "L N", "Y IY", "W UW", "B V M", "D DH N", "G NG", "P F", "K HH T", "CH T",
    "IY IH EY", "IH EH AH", "EH AE EY", "AE AA AH", "AH UH ER", "AA AO OW", "AO OW AW", "UW UH OW",
    "AY AA OY", "AW AA AE", "ER AO AH", "AY EY",
)  # fmt: skip
VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())  # noqa: SIM905
_WEAK = {
    "S": 2.2, "Z": 1.6, "T": 2.0, "D": 1.8, "K": 1.5, "P": 1.6, "B": 1.2, "G": 1.2, "HH": 2.2,
    "TH": 1.8, "DH": 1.6, "F": 1.6, "V": 1.3, "L": 1.0, "N": 0.8, "AH": 1.1, "IH": 0.9,
}  # fmt: skip


def _neighbours() -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for group in _CLASSES:
        members = group.split()
        for phone in members:
            out.setdefault(phone, []).extend(other for other in members if other != phone)
    return out


NEIGHBOURS = _neighbours()


def mishear(words: list[tuple[str, ...]], strength: float, rng: random.Random) -> list[str]:
    """The phones of some words as noise leaves them.

    Args:
        words: the phones of each word, upper-case ARPAbet without stress.
        strength: mean share of phones that are hurt, about.
    """
    out: list[str] = []
    for phones in words:
        for k, phone in enumerate(phones):
            last, first = k == len(phones) - 1, k == 0
            lost = strength * 0.3 * _WEAK.get(phone, 0.4) * (1.7 if last else 1.2 if first else 0.8)
            if phone in VOWELS and not last:
                lost *= 0.5
            draw = rng.random()
            if draw < lost:
                continue
            if draw < lost + strength * (0.55 if phone in VOWELS else 0.5):
                out.append(rng.choice(NEIGHBOURS.get(phone, [phone])))
            else:
                out.append(phone)
            if rng.random() < strength * 0.06:
                out.append(rng.choice(("AH", "T", "S", "D", "N", "IH", "R", "L")))
    return out
