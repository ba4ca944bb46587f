# SPDX-License-Identifier: Apache-2.0
"""Decoding of misheard text: a noisy channel from what was said to the phones that were heard.

The forward pass sums over every way in which a command can have become the heard phones; drawing
paths backwards from it gives commands in proportion to their posterior probability. So the answer
can be the one of highest expected score, and its confidence a share of the draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from turret_ai.normalise import plain
from turret_ai.phonetics import lexicon
from turret_ai.understand import channel as channels
from turret_ai.understand import context as ctx
from turret_ai.understand import sentence_graph
from turret_ai.understand.channel import Channel
from turret_ai.understand.decoding_graph import MASKS, ChannelCosts, DecodingGraph, Label
from turret_ai.understand.pronounce import Sounds, sounds
from turret_ai.understand.words import Word
from turret_ai.vocabulary import CraftType, Term, Vocabulary

FloatArray = NDArray[np.float64]
Path = tuple[Label, ...]

TOO_ALIKE = 0.59
"""Likeness in sound (1 - edits / longer length) of words that are taken for one another."""

GARBLED = 0.88
"""Share of numerals and words of clean sentences below which a text is garbled."""
GARBLED_CHANCES = 2.0
"""How often phones of a garbled text are misheard, against all pairs that were counted."""

LONG = 7
"""Phones from which a word that sounds like a field's is believed to be itself ("intercept")."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One command that may have been said; "" where a field was not."""

    heading: str
    tool: str
    colours: tuple[str, ...]
    pattern: str
    kind: str
    share: float
    """Of the posterior probability."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """What may have been said, likeliest first; the shares add up to 1.

    score: mean log-likelihood of a heard phone, nats; low where the text fits no command.
    """

    draws: tuple[Draw, ...] = ()
    score: float = 0.0


class Decoder:
    """Decodes texts over one vocabulary."""

    def __init__(
        self,
        words: Vocabulary,
        neighbours: ctx.Context,
        costs: ChannelCosts | None = None,
        samples: int = 64,
        channel: Channel | None = None,
    ) -> None:
        self._words = words
        self._neighbours = neighbours
        self._costs = costs or ChannelCosts()
        self._channel = channel or channels.load()
        self._samples = samples
        self._graphs: dict[bool, DecodingGraph] = {}
        terms: tuple[Term | CraftType, ...] = (*words.tools, *words.colours, *words.types)
        said = [s for term in terms for s in term.spoken]
        said += [word for digit in words.digits.values() for word in digit]
        own = plain(" ".join((*said, *words.pattern_words))).split()
        self._said = neighbours.known.union(own)
        self._says_nothing = _unlike(neighbours.known, said)
        self._no_colour = _unlike(neighbours.known, [s for c in words.colours for s in c.spoken])

    def may_be_colour(self, word: str) -> bool:
        """Whether a word of clean sentences sounds like a colour: it may be one misheard."""
        return word not in self._no_colour

    def graph(self, garbled: bool) -> DecodingGraph:
        """The graph for garbled text or for other, compiled when first used."""
        if garbled not in self._graphs:
            channel = self._channel
            if garbled:
                channel = channels.worse(channel, GARBLED_CHANCES)
            self._graphs[garbled] = sentence_graph.build(
                self._words, self._neighbours, self._costs, channel
            )
        return self._graphs[garbled]

    def _is_garbled(self, words: Sequence[Word]) -> bool:
        return sum(w.numeral or w.text in self._said for w in words) < GARBLED * len(words)

    def decode(self, words: Sequence[Word]) -> Posterior:
        """The posterior over commands, given the heard words. No draws for a text without sound."""
        heard = sounds(words, self._words)
        if not len(heard.phones):
            return Posterior()
        graph = self.graph(self._is_garbled(words))
        states, nodes, score = self._forward(graph, heard, self._noise(words, heard))
        if states is None:
            return Posterior()
        return Posterior(self._backward(graph, heard, states, nodes), score / len(heard.phones))

    def _noise(self, words: Sequence[Word], heard: Sounds) -> FloatArray:
        """Likelihood of each phone as part of words that say nothing, shape (n,)."""
        out = np.full(len(heard.phones), self._costs.unknown)
        lengths = np.bincount(heard.word, minlength=len(words))
        for i, word in enumerate(words):
            if not lengths[i] or word.text not in self._neighbours.known:
                continue
            alone = word.text in self._says_nothing
            if alone or lengths[i] >= LONG:
                whole = self._costs.known if alone else self._costs.alike
                out[heard.word == i] = whole ** (1.0 / lengths[i])
        return out

    def _forward(
        self, graph: DecodingGraph, heard: Sounds, noise: FloatArray
    ) -> tuple[FloatArray | None, FloatArray, float]:
        """(states (n + 1, S), nodes (n + 1, N), log-likelihood), each row scaled to a sum of 1."""
        count = len(heard.phones)
        states = np.empty((count + 1, graph.leave.shape[1]))
        nodes = np.zeros((count + 1, graph.leave.shape[0]))
        nodes[0, graph.begin] = 1.0
        states[0] = graph.enter @ (graph.route @ nodes[0].reshape(-1, MASKS)).ravel()
        border = np.append(np.where(heard.first, 1.0, self._costs.inside), 1.0)
        score = 0.0
        for t in range(count):
            now = graph.advance @ states[t]
            now *= graph.emission[heard.phones[t]]
            now += graph.insertion[heard.phones[t]] * states[t]
            now[graph.noise] *= noise[t]
            total = now.sum()
            if not total > 0.0:
                return None, nodes, 0.0
            now /= total
            score += float(np.log(total))
            nodes[t + 1] = graph.leave @ now
            gates = graph.route @ nodes[t + 1].reshape(-1, MASKS)
            gates *= border[t + 1]
            np.add(now, graph.enter @ gates.ravel(), out=states[t + 1])
        return states, nodes, score

    def _backward(
        self, graph: DecodingGraph, heard: Sounds, states: FloatArray, nodes: FloatArray
    ) -> tuple[Draw, ...]:
        """Draw paths from the end to the beginning; paths that meet are drawn on together."""
        random = np.random.default_rng(len(heard.phones))
        t = len(heard.phones)
        ends = nodes[t] * graph.ends
        if not ends.sum() > 0.0:
            return ()
        finished: dict[Path, int] = {}
        at_nodes = _scatter(random, ends, np.arange(len(ends)), self._samples, ())
        at_states: dict[tuple[int, Path], int] = {}
        while True:
            # nodes lead to the states that left into them, at the same time
            while at_nodes:
                fresh: dict[tuple[int, Path], int] = {}
                for (node, path), number in at_nodes.items():
                    if t == 0:
                        finished[path] = finished.get(path, 0) + number
                        continue
                    row = slice(graph.leave.indptr[node], graph.leave.indptr[node + 1])
                    columns = graph.leave.indices[row]
                    weights = graph.leave.data[row] * states[t, columns]
                    for (state, _), n in _scatter(random, weights, columns, number, ()).items():
                        label = graph.labels[state]
                        key = (state, (label, *path) if label[0] else path)
                        at_states[key] = at_states.get(key, 0) + n
                at_nodes = fresh
            if t == 0:
                break
            # one phone back
            before: dict[tuple[int, Path], int] = {}
            for (state, path), number in at_states.items():
                sources, weights = graph.predecessors(state, heard.phones[t - 1])
                weights = weights * states[t - 1, sources]
                for key, n in _scatter(random, weights, sources, number, path).items():
                    before[key] = before.get(key, 0) + n
            t -= 1
            at_states = {}
            for (state, path), number in before.items():
                if not graph.is_start[state]:
                    at_states[state, path] = number
                    continue
                origins, weights = graph.sources(state)
                for key, n in _scatter(
                    random, weights * nodes[t, origins], origins, number, path
                ).items():
                    at_nodes[key] = at_nodes.get(key, 0) + n
        return _draws(finished, self._words.headings)


def _unlike(known: Iterable[str], phrases: Iterable[str]) -> frozenset[str]:
    """The known words that sound like no word of the phrases."""
    own = {word for said in phrases for word in plain(said).split()}
    ways = [way for word in own for way in lexicon.ways(word)]
    return frozenset(
        word
        for word in known
        for said in lexicon.ways(word)[:1]
        if not process.extractOne(
            said, ways, scorer=Levenshtein.normalized_similarity, score_cutoff=TOO_ALIKE
        )
    )


def _scatter(
    random: np.random.Generator,
    weights: FloatArray,
    where: NDArray[np.signedinteger[Any]],
    number: int,
    path: Path,
) -> dict[tuple[int, Path], int]:
    """Spread `number` draws over places in proportion to the weights."""
    heap = weights.cumsum()
    total = heap[-1]
    best = int(weights.argmax())
    if number == 1 or weights[best] < 0.9999 * total:
        picks = heap.searchsorted(random.random(number) * total, side="right")
        out: dict[tuple[int, Path], int] = {}
        last = len(where) - 1
        for pick in picks.tolist():
            key = (int(where[min(pick, last)]), path)
            out[key] = out.get(key, 0) + 1
        return out
    return {(int(where[best]), path): number}


def _draws(paths: dict[Path, int], headings: Sequence[str]) -> tuple[Draw, ...]:
    total = sum(paths.values())
    merged: dict[tuple[str, str, tuple[str, ...], str, str], int] = {}
    for path, number in paths.items():
        said: dict[str, str] = {}
        for kind, value in path:
            said.setdefault(kind, value)
        if "heading" not in said and "d2" in said:
            said["heading"] = next((h for h in headings if h.startswith(said["d2"])), "")
        colours = tuple(dict.fromkeys(said[c] for c in ("c1", "c2", "c3") if c in said))
        key = (
            said.get("heading", ""),
            said.get("tool", ""),
            colours,
            said.get("pattern", ""),
            said.get("type", ""),
        )
        merged[key] = merged.get(key, 0) + number
    ranked = sorted(merged.items(), key=lambda item: -item[1])
    return tuple(Draw(*key, share=number / total) for key, number in ranked)
