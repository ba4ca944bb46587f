"""Sentences of command drawn from the vocabulary, and an n-gram language model of them.

For pocketsphinx. A finite grammar would do as well, but pocketsphinx searches one word by word,
fifty times slower than the lexical tree that it uses with n-grams.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable

from turret_ai.normalise import plain
from turret_ai.vocabulary import Term, Vocabulary

HEADING_CUES = (
    "heading", "heading is", "bearing", "direction", "at heading", "to heading", "a heading of",
    "on heading", "", "towards",
)  # fmt: skip
TARGET_CUES = (
    "target is", "target the", "engage the", "engage", "intercept", "destroy", "the", "target",
    "a", "targeting", "shoot down", "shoot down the", "neutralize the", "neutralize", "hostile",
    "take down", "eliminate the", "incoming", "enemy", "bring down", "lock on to", "track", "on",
    "intercept the", "zero in on the", "aim at", "against", "lock onto",
)  # fmt: skip
TOOL_CUES = (
    "tool to deploy is", "deploy", "use", "using", "with", "activate", "employ", "fire",
    "deploy the", "use the", "employ the", "weapon is", "prepare", "ready", "deploying",
    "engage with", "tool is", "using the", "with the", "we will deploy", "recommended tool is",
)  # fmt: skip
FILLERS = (
    # What surrounds the three fields; anything else is heard as the nearest of these words.
    "over", "over", "repeat", "immediately", "now", "at once", "control tower to", "control to",
    "attention all", "air defense turrets", "turrets", "operator", "this is control", "confirm",
    "stand by", "be advised", "engage at will", "when ready", "take it down", "fire at will",
    "command", "alert", "red alert", "neutralize the threat", "hold for further orders", "and out",
    "degrees", "has been sighted", "spotted", "moving", "approaching fast", "set", "turn to", "and",
    "control here", "tower", "base", "request", "clear the base", "ensure it has been neutralized",
    "authorization confirmed", "i repeat", "copy", "acknowledge", "rotate to", "move to", "adjust",
    "from", "in", "position", "full power", "engage", "priority", "urgent", "all units", "for",
)  # fmt: skip
_ACCENTED = frozenset({"tree", "fower", "fife"})
"""Pronunciations of digits, not words: the pronouncing dictionary has them."""
_START, _END = "<s>", "</s>"


def _say(rng: random.Random, terms: Iterable[Term | object]) -> str:
    term = rng.choice(list(terms))
    spoken: tuple[str, ...] = getattr(term, "spoken", ())
    return plain(spoken[0] if rng.random() < 0.75 else rng.choice(spoken))


def sentence(vocabulary: Vocabulary, rng: random.Random) -> list[str]:
    """The words of one sentence: the three fields in any order between fillers."""
    digits = [words[0] for words in vocabulary.digits.values()]
    if rng.random() < 0.15:
        digits = [
            rng.choice([w for w in words if w not in _ACCENTED])
            for words in vocabulary.digits.values()
        ]
    digits[9] = rng.choice(("niner", "niner", "nine"))
    degrees = rng.choice(vocabulary.headings)
    heading = f"{rng.choice(HEADING_CUES)} {' '.join(digits[int(d)] for d in degrees)}"
    if rng.random() < 0.1:
        heading += " degrees"
    colours = rng.sample([_say(rng, [c]) for c in vocabulary.colours], rng.choice((1, 1, 2, 2, 3)))
    pattern = rng.choice(vocabulary.patterns) if vocabulary.patterns and rng.random() < 0.1 else ""
    joined = " and ".join(colours) if len(colours) == 2 else " ".join([*colours[:-1], "and"])
    head = colours[0] if len(colours) == 1 else joined
    if len(colours) > 2:
        head += f" {colours[-1]}"
    target = f"{rng.choice(TARGET_CUES)} {head} {pattern} {_say(rng, vocabulary.types)}"
    tool = f"{rng.choice(TOOL_CUES)} {_say(rng, vocabulary.tools)}"
    parts = [heading, target, tool]
    rng.shuffle(parts)
    said: list[str] = []
    if rng.random() < 0.3:
        said.append(rng.choice(["turret", "", "tower", "control"]))
        said += rng.sample(vocabulary.call_signs, rng.choice((1, 1, 2, 4)))
        if rng.random() < 0.3:
            said.append(rng.choice(digits))
    for part in parts:
        if rng.random() < 0.3:
            said.append(rng.choice(FILLERS))
        said.append(part)
    if rng.random() < 0.5:
        said.append(rng.choice(FILLERS))
    return plain(" ".join(said)).split()


def sentences(vocabulary: Vocabulary, count: int = 6000, seed: int = 0) -> list[list[str]]:
    """That many sentences, always the same ones."""
    rng = random.Random(seed)
    return [sentence(vocabulary, rng) for _ in range(count)]


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
    types = len(counts[0])
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
