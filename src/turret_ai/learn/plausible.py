# SPDX-License-Identifier: Apache-2.0
"""Phones to plausible English words, as a recogniser with a language model writes them.

The pronouncing dictionary and the language model are those of the pocketsphinx wheel (extra
`train`). Nothing here is shared with the decoder of the understand stage, so that what this module
writes is an independent test of it.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from turret_ai.extras import require

Phones = tuple[str, ...]

LEAST_LOG10 = -6.2
"""Words that are rarer in the language model are not written."""
LOG10 = math.log10(1.0001)
"""The language model counts in powers of 1.0001."""
LONGEST = 11
"""Phones of the longest word that is tried."""
EDIT_COST = 1.3
"""log10 of the cost of one phone that differs from a word's own."""
BEAM = 12

_LETTERS = {
    "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "j": "JH EY",
    "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "p": "P IY", "q": "K Y UW", "s": "EH S",
    "t": "T IY", "v": "V IY", "x": "EH K S", "z": "Z IY",
}  # fmt: skip
_LETTER_LOG10 = -4.6


@cache
def writer() -> Writer:
    """The one of this process."""
    return Writer()


class Writer:
    """Writes phones as words. Loading takes about a second.

    Raises (on construction):
        MissingExtraError: pocketsphinx isn't installed.
    """

    def __init__(self) -> None:
        sphinx = require("pocketsphinx", extra="train")
        folder = Path(sphinx.__file__).parent / "model" / "en-us"
        self._model: Any = sphinx.NGramModel(
            sphinx.Config(), sphinx.LogMath(), str(folder / "en-us.lm.bin")
        )
        self.pronunciation: dict[str, Phones] = {}
        self._exact: dict[Phones, list[str]] = defaultdict(list)
        self._near: dict[Phones, list[tuple[str, Phones]]] = defaultdict(list)
        for line in (folder / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines():
            word, *said = line.split()
            phones = tuple(phone.rstrip("012") for phone in said)
            word = word.split("(")[0]
            self.pronunciation.setdefault(word, phones)
            if not word.replace("'", "").isalpha() or len(phones) > LONGEST:
                continue
            if self.log10((word,)) < LEAST_LOG10 or (len(word) == 1 and word not in "ai"):
                continue
            self._index(word, phones)
        for letter, name in _LETTERS.items():
            self._index(letter.upper(), tuple(name.split()))

    def _index(self, word: str, phones: Phones) -> None:
        if word in self._exact[phones]:
            return
        self._exact[phones].append(word)
        if len(phones) > 2:
            for i in range(len(phones)):
                self._near[phones[:i] + phones[i + 1 :]].append((word, phones))

    @lru_cache(maxsize=200_000)  # noqa: B019 - one writer lives as long as the process
    def log10(self, words: tuple[str, ...]) -> float:
        """log10 P(word | the words before), `words` newest first."""
        if words[0].isupper():
            return _LETTER_LOG10 + (1.2 if len(words) > 1 and words[1].isupper() else 0.0)
        known = tuple(word for word in words if not word.isupper())
        return float(self._model.prob(list(known))) * LOG10

    @lru_cache(maxsize=200_000)  # noqa: B019
    def candidates(self, heard: Phones) -> tuple[tuple[str, float], ...]:
        """(word, log10 cost) of words that sound like this, at most one phone off."""
        found: dict[str, float] = dict.fromkeys(self._exact.get(heard, ()), 0.0)
        if len(heard) > 1:
            for word, own in self._near.get(heard, ()):
                found.setdefault(word, EDIT_COST * (0.8 if own[-1] not in heard[-1:] else 1.0))
            for i in range(len(heard)):
                shorter = heard[:i] + heard[i + 1 :]
                for word in self._exact.get(shorter, ()):
                    found.setdefault(word, EDIT_COST)
                for word, own in self._near.get(shorter, ()):
                    if len(own) == len(heard) and _differing(own, heard) == 1:
                        found.setdefault(word, EDIT_COST)
        return tuple(found.items())

    def write(
        self, phones: Sequence[str], before: str, rng: random.Random, temperature: float = 0.5
    ) -> list[str]:
        """A plausible reading of the phones after the word `before`.

        Args:
            temperature: of the random choice between readings, in log10 units.
        """
        heard = tuple(phones)
        beams: list[dict[str, tuple[float, tuple[str, ...]]]] = [{} for _ in range(len(heard) + 1)]
        beams[0][before] = (0.0, ())
        for i in range(len(heard)):
            best = sorted(beams[i].items(), key=lambda item: -item[1][0])[:BEAM]
            for j in range(i + 1, min(len(heard), i + LONGEST) + 1):
                for word, cost in self.candidates(heard[i:j]):
                    noise = -temperature * math.log10(-math.log(rng.random() + 1e-12) + 1e-12)
                    for last, (score, path) in best:
                        after = score + 0.7 * self.log10((word, last)) - cost + noise
                        kept = beams[j].get(word)
                        if kept is None or after > kept[0]:
                            beams[j][word] = (after, (*path, word))
            # a phone that fits nowhere is passed over
            for last, (score, path) in best[:3]:
                skipped = score - 2.0
                kept = beams[i + 1].get(last)
                if kept is None or skipped > kept[0]:
                    beams[i + 1][last] = (skipped, path)
        return list(max(beams[-1].values())[1]) if beams[-1] else []


def _differing(a: Phones, b: Phones) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))
