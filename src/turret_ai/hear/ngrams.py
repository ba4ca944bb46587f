"""N-gram language models with Witten-Bell smoothing in back-off form.

Source: Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling",
section 2.5.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

START, END = "<s>", "</s>"
Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NGrams:
    """A back-off model.

    levels: for n = 1, 2, ...: n-gram -> probability of its last word after the others. Nothing
        is followed by `START`, whose unigram is there for its back-off only.
    back_off: n-gram -> factor of the shorter context's probabilities; 1 where it is missing.
    """

    levels: tuple[Mapping[Gram, float], ...]
    back_off: Mapping[Gram, float]

    @property
    def words(self) -> list[str]:
        """Every word that the model can produce, sorted."""
        return sorted(word for (word,) in self.levels[0] if word not in (START, END))


def estimate(corpus: Iterable[Sequence[str]], order: int = 3) -> NGrams:
    """The model of some sentences."""
    counts: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for words in corpus:
        line = (START, *words, END)
        for n in range(order):
            for i in range(len(line) - n):
                counts[n][line[i : i + n + 1]] += 1
    followers: dict[Gram, list[int]] = defaultdict(lambda: [0, 0])
    for n in range(order):
        for gram, count in counts[n].items():
            told = followers[gram[:-1]]
            told[0] += count
            told[1] += 1
    total = sum(c for (w,), c in counts[0].items() if w != START)
    types = len(counts[0]) - 1
    lower: dict[Gram, float] = {}
    levels: list[dict[Gram, float]] = []
    for (word,), count in counts[0].items():
        lower[(word,)] = (count + 0.5) / (total + 0.5 * types) if word != START else 1e-99
    levels.append(lower)
    for n in range(1, order):
        level: dict[Gram, float] = {}
        for gram, count in counts[n].items():
            seen, kinds = followers[gram[:-1]]
            level[gram] = (count + kinds * levels[n - 1][gram[1:]]) / (seen + kinds)
        levels.append(level)
    back: dict[Gram, float] = {}
    for n in range(1, order):
        kept: dict[Gram, float] = defaultdict(float)
        beneath: dict[Gram, float] = defaultdict(float)
        for gram, probability in levels[n].items():
            kept[gram[:-1]] += probability
            beneath[gram[:-1]] += levels[n - 1][gram[1:]]
        for context in kept:
            left, rest = max(1e-9, 1 - kept[context]), max(1e-9, 1 - beneath[context])
            back[context] = left / rest
    return NGrams(tuple(levels), back)


def arpa(model: NGrams) -> str:
    """The model as an ARPA file."""
    lines = ["\\data\\"]
    lines += [f"ngram {n + 1}={len(level)}" for n, level in enumerate(model.levels)]
    for n, level in enumerate(model.levels):
        lines.append(f"\n\\{n + 1}-grams:")
        for gram in sorted(level):
            text = f"{math.log10(level[gram]):.4f} {' '.join(gram)}"
            if n + 1 < len(model.levels):
                text += f" {math.log10(model.back_off.get(gram, 1.0)):.4f}"
            lines.append(text)
    return "\n".join(lines) + "\n\n\\end\\\n"
