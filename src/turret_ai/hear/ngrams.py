# SPDX-License-Identifier: Apache-2.0
"""N-gram language models with modified Kneser-Ney smoothing in back-off form.

Source: Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling",
section 3: interpolated, three discounts for each length.
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
    seen: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for words in corpus:
        line = (START, *words, END)
        for n in range(order):
            for i in range(len(line) - n):
                seen[n][line[i : i + n + 1]] += 1
    levels: list[dict[Gram, float]] = []
    back: dict[Gram, float] = {}
    for n in range(order):
        counts = _continuations(seen, n) if n + 1 < order else seen[n]
        discounts = _discounts(counts)
        total: dict[Gram, int] = defaultdict(int)
        saved: dict[Gram, float] = defaultdict(float)
        for gram, count in counts.items():
            if gram != (START,):
                total[gram[:-1]] += count
                saved[gram[:-1]] += discounts[min(count, 3)]
        level = {}
        for gram, count in counts.items():
            context = gram[:-1]
            shorter = levels[n - 1][gram[1:]] if n else 1 / (len(counts) - 1)
            own = count - discounts[min(count, 3)]
            level[gram] = (own + saved[context] * shorter) / total[context]
        if n == 0:
            level[(START,)] = 1e-99
        else:
            back |= {context: saved[context] / total[context] for context in total}
        levels.append(level)
    return NGrams(tuple(levels), back)


def _continuations(seen: Sequence[Counter[Gram]], n: int) -> Counter[Gram]:
    """After how many different words each n-gram was seen; how often where it begins a line."""
    counts = Counter(gram[1:] for gram in seen[n + 1])
    for gram, count in seen[n].items():
        if gram[0] == START:
            counts[gram] = count
    return counts


def _discounts(counts: Counter[Gram]) -> tuple[float, float, float, float]:
    """What is taken from counts of 0, 1, 2 and more (equation 26); 1/2 where too few tell."""
    of = Counter(count for count in counts.values() if count <= 4)
    if not all(of[k] for k in (1, 2, 3, 4)):
        return (0.0, 0.5, 0.5, 0.5)
    share = of[1] / (of[1] + 2 * of[2])
    one, two, more = (k - (k + 1) * share * of[k + 1] / of[k] for k in (1, 2, 3))
    return (0.0, _within(one, 1), _within(two, 2), _within(more, 3))


def _within(discount: float, count: int) -> float:
    return min(max(discount, 0.05), count - 0.05)


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
