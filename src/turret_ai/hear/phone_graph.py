# SPDX-License-Identifier: Apache-2.0
"""What can be said, as one graph from classes of the acoustic model to words.

The usual composition of finite-state transducers (Mohri, Pereira and Riley, 2008, "Speech
recognition with weighted finite-state transducers"): H (how CTC spells phones, with blanks and
repeats) o min(det(L o G)), L the pronunciations, G the n-gram model. A class of phrases (headings,
tools, targets) is one token of that model; in G, the n-gram model of its phrases stands in its
place (Brown et al., 1992, "Class-based n-gram models of natural language"). OpenFst does the work,
through kaldifst. Weights are negative natural logarithms of probabilities.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import kaldifst

from turret_ai.errors import ModelError
from turret_ai.hear.ngrams import END, START, Gram, NGrams
from turret_ai.phonetics.lexicon import Pronunciation, ways
from turret_ai.phonetics.phones import INDEX, PHONES

BLANK = 0
"""CTC's class of "nothing new"; the class of a phone is its number plus one."""
CLASSES = len(PHONES) + 1
_DISAMBIGUATION = len(PHONES) + 1
"""First label after the phones': #0 and up mark what G does between words, the rest homophones."""

_CLASS_CONTEXT = 2
"""Longest context that ends with a class, itself included: each takes a copy of its phrases."""


def spell(text: str) -> list[int]:
    """CTC classes of plain words, each in its first pronunciation."""
    said = (ways(word)[:1] for word in text.split())
    return [INDEX[phone] + 1 for way in said for phones in way for phone in phones]


@dataclass(frozen=True, slots=True)
class PhoneGraph:
    """A transducer whose input labels are classes + 1 and whose output labels are words.

    fst: kaldifst.StdVectorFst.
    words: output label k is words[k - 1].
    """

    fst: Any
    words: tuple[str, ...]


class _Grammar:
    """The acceptor G, deterministic.

    Back-off arcs, and arcs into a class and out of it, read marks in the place of words.
    """

    def __init__(
        self, model: NGrams, classes: Mapping[str, NGrams], number: Mapping[str, int]
    ) -> None:
        self._classes, self._number = classes, number
        free = len(number) + 1
        self._back_off, self._leave = free, free + 1
        self._enter = {name: free + 2 + place for place, name in enumerate(classes)}
        self.marks = list(range(free, free + 2 + len(classes)))
        self._entries: dict[tuple[str, int], int] = {}
        self.fst = kaldifst.StdVectorFst()
        self.fst.start = self.fst.add_state()
        self._add(model, self.fst.start, self.fst.set_final)
        kaldifst.arcsort(self.fst, "ilabel")

    def _add(self, model: NGrams, start: int, end: Callable[[int, float], object]) -> None:
        """The states and arcs of a model: one state a context."""
        order = len(model.levels)
        states: dict[Gram, int] = {(START,): start}
        for gram in ((), *(gram[:-1] for level in model.levels[1:] for gram in level)):
            if gram not in states:
                states[gram] = self.fst.add_state()

        def after(gram: Gram) -> int:
            longest = _CLASS_CONTEXT if self._classes.keys() & gram[-1:] else order - 1
            for first in range(max(0, len(gram) - longest), len(gram)):
                if gram[first:] in states:
                    return states[gram[first:]]
            return states[()]

        for level in model.levels:
            for gram, probability in level.items():
                token, here, weight = gram[-1], states[gram[:-1]], -math.log(probability)
                if token == END:
                    end(here, weight)
                elif token in self._classes:
                    self._arc(here, self._enter[token], weight, self._entry(token, after(gram)))
                elif token != START:
                    self._arc(here, self._number[token], weight, after(gram))
        for context, here in states.items():
            if context:
                weight = -math.log(model.back_off.get(context, 1.0))
                self._arc(here, self._back_off, weight, after(context[1:]))

    def _entry(self, name: str, there: int) -> int:
        """Where the phrases of a class begin that end in a state; one copy for each such state."""
        if (name, there) not in self._entries:
            entry = self._entries[name, there] = self.fst.add_state()
            self._add(
                self._classes[name],
                entry,
                lambda here, weight: self._arc(here, self._leave, weight, there),
            )
        return self._entries[name, there]

    def _arc(self, here: int, label: int, weight: float, there: int) -> None:
        said = label if label <= len(self._number) else 0
        self.fst.add_arc(here, kaldifst.StdArc(label, said, weight, there))


def _lexicon(
    said: Sequence[tuple[str, Pronunciation]], number: Mapping[str, int], marks: Sequence[int]
) -> tuple[Any, int]:
    """The transducer L from phones to words and marks, and how many disambiguation labels it
    reads."""
    times = Counter(way for _, way in said)
    beginnings = {way[:count] for _, way in said for count in range(1, len(way))}
    fst = kaldifst.StdVectorFst()
    home = fst.add_state()
    fst.start = home
    fst.set_final(home, 0.0)
    used: Counter[Pronunciation] = Counter()
    for word, way in said:
        labels = [INDEX[phone] + 1 for phone in way]
        if times[way] > 1 or way in beginnings:
            labels.append(_DISAMBIGUATION + len(marks) + used[way])
            used[way] += 1
        here = home
        for place, label in enumerate(labels):
            there = home if place == len(labels) - 1 else fst.add_state()
            fst.add_arc(here, kaldifst.StdArc(label, 0 if place else number[word], 0.0, there))
            here = there
    for place, mark in enumerate(marks):
        fst.add_arc(home, kaldifst.StdArc(_DISAMBIGUATION + place, mark, 0.0, home))
    kaldifst.arcsort(fst, "olabel")
    return fst, len(marks) + max(used.values(), default=0)


def _topology(disambiguation: int) -> Any:
    """The transducer H from classes + 1 to phones: blanks, repeats, and marks that vanish."""
    fst = kaldifst.StdVectorFst()
    silent = fst.add_state()
    fst.start = silent
    sounding = [fst.add_state() for _ in PHONES]
    blank = BLANK + 1
    fst.add_arc(silent, kaldifst.StdArc(blank, 0, 0.0, silent))
    for phone, here in enumerate(sounding):
        label = phone + 2
        fst.add_arc(silent, kaldifst.StdArc(label, phone + 1, 0.0, here))
        fst.add_arc(here, kaldifst.StdArc(label, 0, 0.0, here))
        fst.add_arc(here, kaldifst.StdArc(blank, 0, 0.0, silent))
        for other, there in enumerate(sounding):
            if other != phone:
                fst.add_arc(here, kaldifst.StdArc(other + 2, other + 1, 0.0, there))
    for state in (silent, *sounding):
        fst.set_final(state, 0.0)
        for mark in range(disambiguation):
            fst.add_arc(state, kaldifst.StdArc(0, _DISAMBIGUATION + mark, 0.0, state))
    kaldifst.arcsort(fst, "olabel")
    return fst


def build(
    model: NGrams,
    pronounce: Callable[[str], Sequence[Pronunciation]] = ways,
    classes: Mapping[str, NGrams] | None = None,
) -> PhoneGraph:
    """The graph of a language model.

    Args:
        pronounce: the ways to say a word; a word that has none can't be heard.
        classes: for each token of the model that stands for phrases, the model of those.

    Raises:
        ModelError: no word can be pronounced.
    """
    classes = classes or {}
    words = tuple(
        sorted({word for part in (model, *classes.values()) for word in part.words} - set(classes))
    )
    number = {word: place for place, word in enumerate(words, start=1)}
    said = [(word, way) for word in words for way in dict.fromkeys(pronounce(word)) if way]
    if not said:
        raise ModelError("the language model holds no word that can be pronounced")
    grammar = _Grammar(model, classes, number)
    lexicon, marks = _lexicon(said, number, grammar.marks)
    fst = kaldifst.compose(lexicon, grammar.fst)
    if kaldifst.determinize_star(fst):
        raise ModelError("the decoding graph can't be made deterministic")
    kaldifst.minimize_encoded(fst)
    kaldifst.arcsort(fst, "ilabel")
    return PhoneGraph(kaldifst.compose(_topology(marks), fst), words)
