# SPDX-License-Identifier: Apache-2.0
"""Counts how recognisers mishear phones, on pairs of clean and heard text.

`python -m turret_ai.learn.channel PAIRS.jsonl ...` writes `config/understand_channel.yaml` from the
files of `turret-ai synth transcripts --from-audio`. Said and heard phones are aligned by their
likelihood under the present chances, counted, and counted again with the new ones (Viterbi
training); the articulatory model stands in for what is rare.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from turret_ai import share, vocabulary
from turret_ai.phonetics.lexicon import phrase, ways
from turret_ai.phonetics.phones import INDEX, PHONES
from turret_ai.understand import channel as ch
from turret_ai.understand.channel import Channel
from turret_ai.understand.pronounce import sounds
from turret_ai.understand.words import split

ROUNDS = 3
PRIOR = 40.0
"""Phones' worth of trust in the articulatory model, for each phone."""
MOST_EDITS = 0.55
"""Share of phones misheard above which a pair is a loop or small talk, no pair at all."""
VARIANT_TIMES = 3
"""A variant is kept that was heard so often for a word, by two voices at least."""
KNOWN_VARIANTS = {
    "grey": {"great": 0.06, "free": 0.02}, "brown": {"ground": 0.08}, "black": {"back": 0.02},
    "missile": {"missal": 0.02, "muscle": 0.02}, "missiles": {"muscles": 0.02},
    "drone": {"throne": 0.03, "drawn": 0.02}, "emp": {"emc": 0.03, "the mp": 0.05, "dmb": 0.02},
    "aircraft": {"hair craft": 0.03}, "surface": {"service": 0.06}, "plane": {"playing": 0.03},
    "gun": {"gone": 0.03, "done": 0.03}, "white": {"light": 0.01},
}  # fmt: skip
"""What general recognisers are known to write for words of the fields, at least so often."""
Step = tuple[int, int]
"""(said, heard) places, -1 for none."""


def align(said: NDArray[np.int16], heard: NDArray[np.int16], chances: Channel) -> list[Step]:
    """The likeliest alignment of two rows of phones."""
    n, m = len(said), len(heard)
    sub = -np.log(chances.substitution * (1.0 - chances.deletion[:, None]))
    lost = -np.log(chances.deletion)
    added = -np.log(chances.insertion)
    ahead = np.concatenate([[0.0], np.cumsum(added[heard])])
    cost = np.empty((n + 1, m + 1))
    cost[0] = ahead
    for i in range(1, n + 1):
        s = said[i - 1]
        best = cost[i - 1] + lost[s]
        best[1:] = np.minimum(best[1:], cost[i - 1, :-1] + sub[s, heard])
        cost[i] = np.minimum.accumulate(best - ahead) + ahead
    steps: list[Step] = []
    i, j = n, m
    while i or j:
        here = cost[i, j]
        if i and j and np.isclose(here, cost[i - 1, j - 1] + sub[said[i - 1], heard[j - 1]]):
            i, j = i - 1, j - 1
            steps.append((i, j))
        elif i and np.isclose(here, cost[i - 1, j] + lost[said[i - 1]]):
            i -= 1
            steps.append((i, -1))
        else:
            j -= 1
            steps.append((-1, j))
    return steps[::-1]


def _said(clean: str, words: vocabulary.Vocabulary) -> tuple[NDArray[np.int16], list[str]]:
    """The phones of a clean sentence, and the word that each belongs to ("word#place")."""
    parts = split(clean)
    heard = sounds(parts, words)
    return heard.phones, [f"{parts[k].text}#{k}" for k in heard.word]


def count(
    rows: Sequence[dict[str, Any]], chances: Channel
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], dict[str, Counter[Any]]]:
    """(confusions (39, 39), lost (39,), added (39,), word -> (heard phones, voice) -> times)."""
    words = vocabulary.load()
    size = len(PHONES)
    pairs, lost, added = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    variants: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in rows:
        said, owner = _said(row["clean"], words)
        heard = sounds(split(row["transcript"]), words).phones
        if not len(said) or not len(heard):
            continue
        steps = align(said, heard, chances)
        wrong = sum(i < 0 or j < 0 or said[i] != heard[j] for i, j in steps)
        if wrong > MOST_EDITS * len(said):
            continue
        spans: dict[str, list[str]] = defaultdict(list)
        last = ""
        for i, j in steps:
            if i >= 0:
                last = owner[i]
                spans.setdefault(last, [])
            if i >= 0 and j >= 0:
                pairs[said[i], heard[j]] += 1
            elif i >= 0:
                lost[said[i]] += 1
            else:
                added[heard[j]] += 1
            if j >= 0 and last:
                spans[last].append(PHONES[heard[j]])
        for word, span in spans.items():
            variants[word.split("#")[0]][tuple(span), row.get("voice", "")] += 1
    return pairs, lost, added, variants


def fit(rows: Sequence[dict[str, Any]], rounds: int = ROUNDS, prior: float = PRIOR) -> Channel:
    """The chances that explain the pairs best, drawn towards the articulatory model."""
    base = ch.articulatory()
    chances = base
    for _ in range(rounds):
        pairs, lost, added, variants = count(rows, chances)
        kept = pairs + prior * base.substitution
        table = kept / kept.sum(axis=1, keepdims=True)
        times = pairs.sum(axis=1) + lost
        gone = (lost + prior * base.deletion) / (times + prior)
        extra = (added + prior * base.insertion) / (times.sum() + prior)
        chances = Channel(table, gone, extra, {})
    return Channel(
        chances.substitution, chances.deletion, chances.insertion, _variants(variants, chances)
    )


def _variants(
    heard: dict[str, Counter[Any]], chances: Channel
) -> dict[str, dict[tuple[str, ...], float]]:
    """The ways in which words of the fields are heard that the phones' chances don't explain."""
    words = vocabulary.load()
    own = {w for t in words.tools for s in t.spoken for w in s.lower().replace("-", " ").split()}
    own |= {w for t in words.types for s in t.spoken for w in s.split()}
    own |= {c.name for c in words.colours} | {w for said in words.digits.values() for w in said}
    out: dict[str, dict[tuple[str, ...], float]] = {}
    for word in sorted(own):
        seen = heard.get(word, Counter())
        total = sum(seen.values())
        times: Counter[tuple[str, ...]] = Counter()
        voices: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for (way, voice), n in seen.items():
            times[way] += n
            voices[way].add(voice)
        for way, n in times.items():
            if n < VARIANT_TIMES or len(voices[way]) < 2 or len(way) < 2 or way in ways(word):
                continue
            expected = max(_likelihood(said, way, chances) for said in ways(word))
            if n / total > 4.0 * expected:
                out.setdefault(word, {})[way] = n / total
        for text, share_ in KNOWN_VARIANTS.get(word, {}).items():
            for way in phrase(text)[:1]:
                mine = out.setdefault(word, {})
                mine[way] = max(mine.get(way, 0.0), share_)
    return out


def _likelihood(said: Iterable[str], heard: Iterable[str], chances: Channel) -> float:
    """P(heard | said) along the best alignment."""
    a = np.array([INDEX[p] for p in said], np.int16)
    b = np.array([INDEX[p] for p in heard], np.int16)
    total = 0.0
    for i, j in align(a, b, chances):
        if i >= 0 and j >= 0:
            total += np.log(chances.substitution[a[i], b[j]] * (1 - chances.deletion[a[i]]))
        elif i >= 0:
            total += np.log(chances.deletion[a[i]])
        else:
            total += np.log(chances.insertion[b[j]])
    return float(np.exp(total))


def write(chances: Channel, out: Path, source: str) -> None:
    """Write the file of the chances."""
    head = (
        "# How recognisers mishear phones, made by `python -m turret_ai.learn.channel` from\n"
        f"# {source}.\n"
    )
    text = yaml.safe_dump(ch.as_tree(chances), default_flow_style=None, width=100, sort_keys=False)
    out.write_text(head + text, encoding="utf-8")


def main() -> None:
    """Count, and write into the source tree's config folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", type=Path)
    given = parser.parse_args()
    rows = [json.loads(line) for path in given.pairs for line in path.open(encoding="utf-8")]
    chances = fit(rows)
    names = sorted({row["recogniser"] for row in rows})
    source = f"{len(rows)} sentences as {', '.join(names)} heard them"
    write(chances, Path(share.root()) / "config" / "understand_channel.yaml", source)


if __name__ == "__main__":
    main()
