# SPDX-License-Identifier: Apache-2.0
"""How recognisers write spoken digits: joined, dotted, half in words, or with one lost."""

from __future__ import annotations

import random

HOMOPHONES = {
    "zero": ("zero", "0", "oh", "zeros", "o"),
    "one": ("one", "1", "won", "wan"),
    "two": ("two", "2", "to", "too", "to"),
    "three": ("three", "3", "tree", "free"),
    "four": ("four", "4", "for", "fore", "for"),
    "five": ("five", "5", "fiver", "fine", "file"),
    "six": ("six", "6", "sex", "sick", "sicks"),
    "seven": ("seven", "7", "sever", "7"),
    "eight": ("eight", "8", "ate", "8"),
    "niner": ("niner", "9", "nine", "9er", "minor", "nina"),
    "nine": ("nine", "9", "nine", "line"),
}
VALUE = {word: str(i) for i, word in enumerate(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)} | {"niner": "9"}  # fmt: skip

STYLES = {
    "words": 0.0,
    "joined": 0.42,
    "spaced": 0.13,
    "hyphens": 0.1,
    "dots": 0.04,
    "mixed": 0.14,
    "leading to": 0.07,
    "lost": 0.05,
    "extra": 0.03,
    "homophone": 0.12,
}
"""How three digits are written when they are not written as words; shares, about."""


def write(words: list[str], rng: random.Random) -> list[str]:
    """A run of spoken digits as a recogniser may write it."""
    digits = [VALUE[word] for word in words]
    style = rng.choices(list(STYLES), weights=list(STYLES.values()))[0]
    if style == "joined":
        text = "".join(digits)
        if len(digits) == 3 and digits[0] == "0" and rng.random() < 0.25:
            text = text[1:]
        return [text]
    if style == "spaced":
        return digits
    if style == "hyphens":
        cut = rng.choice((1, 2)) if len(digits) > 2 else 1
        whole = "-".join(digits)
        return [
            whole if rng.random() < 0.6 else "".join(digits[:cut]) + "-" + "".join(digits[cut:])
        ]
    if style == "dots":
        return [".".join(digits)]
    if style == "mixed":
        return [rng.choice(HOMOPHONES[w][:2]) for w in words]
    if style == "leading to" and len(digits) > 1:
        head = HOMOPHONES[words[0]][2] if digits[0] in "248" else words[0]
        return [head, "".join(digits[1:])]
    if style == "lost" and len(digits) > 1:
        gone = rng.randrange(len(digits))
        kept = digits[:gone] + digits[gone + 1 :]
        return ["".join(kept)] if rng.random() < 0.6 else kept
    if style == "extra":
        at = rng.randrange(len(digits) + 1)
        more = rng.choice((*digits, "0"))
        return ["".join([*digits[:at], more, *digits[at:]])]
    return [rng.choice(HOMOPHONES[w]) if rng.random() < 0.5 else w for w in words]
