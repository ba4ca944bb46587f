# SPDX-License-Identifier: Apache-2.0
"""The likeliest sentences of a decoding graph, given what the acoustic model tells.

Kaldi's lattice decoder (Povey et al., 2012, "Generating exact lattices in the WFST framework") does
the search, through kaldi-decoder, and OpenFst, through kaldifst, sorts the readings out.
"""

from __future__ import annotations

from typing import Any

import kaldi_decoder
import kaldifst
import numpy as np
from numpy.typing import NDArray

from turret_ai.hear.phone_graph import PhoneGraph
from turret_ai.hear.recogniser import Decoded
from turret_ai.types import Hypothesis

_LATTICE_BEAM = 6.0
"""Nats behind the best within which further readings are kept."""
_MOST_STATES = 20_000
"""Of the acceptor of readings: garbage may be said in astronomically many ways."""


def search(
    log_probabilities: NDArray[np.float32],
    graph: PhoneGraph,
    lm_scale: float = 1.0,
    beam: float = 14.0,
    alternatives: int = 3,
) -> Decoded:
    """Find the best readings.

    Args:
        log_probabilities: of the classes of `turret_ai.hear.phone_graph`, natural logarithm, shape
            (frames, phones + 1).
        lm_scale: weight of the language model beside the sound.
        beam: nats behind the best at which a path is given up.
        alternatives: how many readings are wanted.

    Returns:
        the readings with their log-probabilities, and the mean log-probability of the words' sounds
        beside the likeliest sounds of each frame, in nats a word: 0 where the words are what was
        heard anyway.
    """
    scaled = log_probabilities / np.float32(lm_scale)
    decoder = kaldi_decoder.LatticeSimpleDecoder(
        graph.fst,
        kaldi_decoder.LatticeSimpleDecoderConfig(beam=beam, lattice_beam=_LATTICE_BEAM),
    )
    decoder.decode(kaldi_decoder.DecodableCtc(scaled))
    found, best = decoder.get_best_path()
    words, cost = _linear(best) if found else ([], None)
    if not words or cost is None:
        return Decoded((), 0.0)
    freely = float(scaled.max(axis=1).sum())
    fit = min(0.0, (-float(cost.value2) - freely) * lm_scale / len(words))
    _, lattice = decoder.get_raw_lattice()
    return Decoded(_readings(lattice, graph, max(1, alternatives)), fit)


def _readings(lattice: Any, graph: PhoneGraph, count: int) -> tuple[Hypothesis, ...]:
    """The distinct word sequences of a lattice, best first."""
    acceptor = kaldifst.compile(_acceptor(lattice))
    kaldifst.rmepsilon(acceptor)
    distinct = kaldifst.determinize(acceptor, nstate=_MOST_STATES)
    readings = []
    for path in kaldifst.convert_nbest_to_vector(kaldifst.shortest_path(distinct, n=count)):
        words, cost = _linear(path)
        text = " ".join(graph.words[label - 1] for label in words)
        if text:
            readings.append(Hypothesis(text, -float(cost.value)))
    return tuple(sorted(readings, key=lambda reading: -reading.score))


def _linear(path: Any) -> tuple[list[int], Any]:
    """Output labels and weight of a linear transducer."""
    _, _, labels, weight = kaldifst.get_linear_symbol_sequence(path)
    return list(labels), weight


def _acceptor(lattice: Any) -> str:
    """A lattice as the text of a weighted acceptor of its words, as OpenFst prints them.

    Lines of the lattice are "from to input output graph,acoustic[,...]" or "state graph,acoustic".
    """
    lines = []
    for line in lattice.to_str(show_weight_one=True).splitlines():
        parts = line.split()
        if not parts:
            continue
        graph, acoustic = parts[-1].split(",")[:2]
        weight = float(graph) + float(acoustic)
        if len(parts) == 5:
            start, end, _, word = parts[:4]
            lines.append(f"{start} {end} {word} {word} {weight}")
        else:
            lines.append(f"{parts[0]} {weight}")
    return "\n".join(lines) + "\n"
