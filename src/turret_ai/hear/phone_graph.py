"""What can be said, as one graph from classes of the acoustic model to words.

The usual composition of finite-state transducers (Mohri, Pereira and Riley, 2008, "Speech
recognition with weighted finite-state transducers"): H (how CTC spells phones, with blanks and
repeats) o min(det(L o G)), L the pronunciations, G the n-gram model. OpenFst does the work, through
kaldifst. Weights are negative natural logarithms of probabilities.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import kaldifst

from turret_ai.errors import ModelError
from turret_ai.hear.ngrams import END, START, Gram, NGrams
from turret_ai.understand.phones import INDEX, PHONES
from turret_ai.understand.pronounce import Pronunciation, ways

BLANK = 0
"""CTC's class of "nothing new"; the class of a phone is its number plus one."""
CLASSES = len(PHONES) + 1
_DISAMBIGUATION = len(PHONES) + 1
"""First label after the phones': #0 marks a back-off, #1 and up tell homophones apart."""


def spell(text: str) -> list[int]:
    """CTC classes of plain words, each in its first pronunciation."""
    said = (ways(word)[:1] for word in text.split())
    return [INDEX[phone] + 1 for way in said for phones in way for phone in phones]


@dataclass(frozen=True, slots=True)
class DecodingGraph:
    """A transducer whose input labels are classes + 1 and whose output labels are words.

    fst: kaldifst.StdVectorFst.
    words: output label k is words[k - 1].
    """

    fst: Any
    words: tuple[str, ...]


def _grammar(model: NGrams, number: dict[str, int], back_off: int) -> Any:
    """The acceptor G: one state a context, back-off arcs that read #0."""
    fst = kaldifst.StdVectorFst()
    states: dict[Gram, int] = {(): fst.add_state()}
    order = len(model.levels)
    for level in model.levels[1:]:
        for gram in level:
            if gram[:-1] not in states:
                states[gram[:-1]] = fst.add_state()
    fst.start = states[(START,)]

    def after(gram: Gram) -> int:
        for first in range(max(0, len(gram) - order + 1), len(gram)):
            if gram[first:] in states:
                return states[gram[first:]]
        return states[()]

    for level in model.levels:
        for gram, probability in level.items():
            weight = -math.log(probability)
            here = states[gram[:-1]]
            if gram[-1] == END:
                fst.set_final(here, weight)
            elif gram[-1] != START:
                label = number[gram[-1]]
                fst.add_arc(here, kaldifst.StdArc(label, label, weight, after(gram)))
    for context, here in states.items():
        if context:
            weight = -math.log(model.back_off.get(context, 1.0))
            fst.add_arc(here, kaldifst.StdArc(back_off, 0, weight, after(context[1:])))
    kaldifst.arcsort(fst, "ilabel")
    return fst


def _lexicon(
    said: Sequence[tuple[str, Pronunciation]], number: dict[str, int], back_off: int
) -> tuple[Any, int]:
    """The transducer L from phones to words, and how many disambiguation labels it reads."""
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
            used[way] += 1
            labels.append(_DISAMBIGUATION + used[way])
        here = home
        for place, label in enumerate(labels):
            there = home if place == len(labels) - 1 else fst.add_state()
            fst.add_arc(here, kaldifst.StdArc(label, 0 if place else number[word], 0.0, there))
            here = there
    fst.add_arc(home, kaldifst.StdArc(_DISAMBIGUATION, back_off, 0.0, home))
    kaldifst.arcsort(fst, "olabel")
    return fst, 1 + max(used.values(), default=0)


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
    model: NGrams, pronounce: Callable[[str], Sequence[Pronunciation]] = ways
) -> DecodingGraph:
    """The graph of a language model.

    Args:
        pronounce: the ways to say a word; a word that has none can't be heard.

    Raises:
        ModelError: no word can be pronounced.
    """
    words = tuple(model.words)
    number = {word: place for place, word in enumerate(words, start=1)}
    said = [(word, way) for word in words for way in dict.fromkeys(pronounce(word)) if way]
    if not said:
        raise ModelError("the language model holds no word that can be pronounced")
    back_off = len(words) + 1
    lexicon, marks = _lexicon(said, number, back_off)
    fst = kaldifst.compose(lexicon, _grammar(model, number, back_off))
    if kaldifst.determinize_star(fst):
        raise ModelError("the decoding graph can't be made deterministic")
    kaldifst.minimize_encoded(fst)
    kaldifst.arcsort(fst, "ilabel")
    return DecodingGraph(kaldifst.compose(_topology(marks), fst), words)
