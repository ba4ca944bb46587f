"""Sentences of command drawn from the vocabulary, and an n-gram language model of them.

For pocketsphinx. A finite grammar would do as well, but pocketsphinx searches one word by word,
fifty times slower than the lexical tree that it uses with n-grams.

What surrounds the fields comes from `config/speech_templates.txt`, which
`turret-ai export grammar` draws from the grammar of synthetic sentences; the fields themselves
come from the vocabulary, so that a new tool or colour is heard without a rebuild.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from turret_ai import share
from turret_ai.normalise import plain
from turret_ai.vocabulary import Term, Vocabulary

TEMPLATES = "config/speech_templates.txt"
_COUNT = 8000
_START, _END = "<s>", "</s>"
_RARE = 0.1
"""How often a rare term is drawn, beside one that is not."""
_SLOT = re.compile(r"\{([HWTAC])\}")


def templates() -> list[str]:
    """The shipped sentences with {H}, {W}, {T}, {A} (target after an article), {C} (call sign)."""
    lines = share.path(TEMPLATES).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _said(rng: random.Random, terms: Sequence[Term | object]) -> str:
    weights = [_RARE if getattr(term, "rare", False) else 1.0 for term in terms]
    (term,) = rng.choices(list(terms), weights)
    spoken: tuple[str, ...] = getattr(term, "spoken", ())
    return spoken[0] if rng.random() < 0.75 else rng.choice(spoken)


def _heading(vocabulary: Vocabulary, rng: random.Random) -> str:
    said = []
    for digit in rng.choice(vocabulary.headings):
        ways = vocabulary.digits[digit]
        common = rng.random() < 0.9
        said.append(ways[0] if common else rng.choice(ways))
    return " ".join(_PLAIN_DIGITS.get(word, word) for word in said)


_PLAIN_DIGITS = {"tree": "three", "fower": "four", "fife": "five"}
"""Ways to pronounce digits, not other words: the pronouncing dictionary has them."""


def _target(vocabulary: Vocabulary, rng: random.Random) -> str:
    count = min(rng.choice((1, 1, 2, 2, 3)), len(vocabulary.colours))
    colours = tuple(_said(rng, [c]) for c in rng.sample(vocabulary.colours, count))
    pattern = rng.choice(vocabulary.patterns) if vocabulary.patterns and rng.random() < 0.1 else ""
    return vocabulary.target(colours, _said(rng, vocabulary.types), pattern)


def sentence(template: str, vocabulary: Vocabulary, rng: random.Random) -> list[str]:
    """A template with its fields filled in, as plain words."""
    fill = {
        "H": lambda: _heading(vocabulary, rng),
        "W": lambda: _said(rng, vocabulary.tools),
        "T": lambda: _target(vocabulary, rng),
        "A": lambda: f"{rng.choice(('a', 'an'))} {_target(vocabulary, rng)}",
        "C": lambda: rng.choice(vocabulary.call_signs) if vocabulary.call_signs else "",
    }
    return plain(_SLOT.sub(lambda found: fill[found.group(1)](), template)).split()


def sentences(vocabulary: Vocabulary, count: int = _COUNT, seed: int = 0) -> list[list[str]]:
    """That many sentences, always the same ones."""
    rng = random.Random(seed)
    known = templates()
    return [sentence(rng.choice(known), vocabulary, rng) for _ in range(count)]


def arpa(corpus: Iterable[list[str]], order: int = 3) -> str:
    """An n-gram model with Witten-Bell smoothing in back-off form, as an ARPA file.

    Source: Chen and Goodman (1999), "An empirical study of smoothing techniques for language
    modeling", section 2.5.
    """
    counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(order)]
    for words in corpus:
        line = (_START, *words, _END)
        for n in range(order):
            for i in range(len(line) - n):
                counts[n][line[i : i + n + 1]] += 1
    followers: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for n in range(order):
        for gram, count in counts[n].items():
            told = followers[gram[:-1]]
            told[0] += count
            told[1] += 1
    total = sum(c for (w,), c in counts[0].items() if w != _START)
    types = len(counts[0]) - 1  # without <s>, which nothing is followed by
    lower: dict[tuple[str, ...], float] = {}
    levels: list[dict[tuple[str, ...], float]] = []
    for (word,), count in counts[0].items():
        lower[(word,)] = (count + 0.5) / (total + 0.5 * types) if word != _START else 1e-99
    levels.append(lower)
    for n in range(1, order):
        level: dict[tuple[str, ...], float] = {}
        for gram, count in counts[n].items():
            seen, kinds = followers[gram[:-1]]
            level[gram] = (count + kinds * levels[n - 1][gram[1:]]) / (seen + kinds)
        levels.append(level)
    back: dict[tuple[str, ...], float] = {}
    for n in range(1, order):
        kept: dict[tuple[str, ...], float] = defaultdict(float)
        beneath: dict[tuple[str, ...], float] = defaultdict(float)
        for gram, probability in levels[n].items():
            kept[gram[:-1]] += probability
            beneath[gram[:-1]] += levels[n - 1][gram[1:]]
        for context in kept:
            left, rest = max(1e-9, 1 - kept[context]), max(1e-9, 1 - beneath[context])
            back[context] = left / rest
    lines = ["\\data\\"]
    lines += [f"ngram {n + 1}={len(level)}" for n, level in enumerate(levels)]
    for n, level in enumerate(levels):
        lines.append(f"\n\\{n + 1}-grams:")
        for gram in sorted(level):
            text = f"{math.log10(level[gram]):.4f} {' '.join(gram)}"
            if n + 1 < order:
                text += f" {math.log10(back.get(gram, 1.0)):.4f}"
            lines.append(text)
    return "\n".join(lines) + "\n\n\\end\\\n"


def words(corpus: Iterable[list[str]]) -> set[str]:
    """Every word that the model can produce."""
    return {word for line in corpus for word in line}
