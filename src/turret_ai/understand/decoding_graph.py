# SPDX-License-Identifier: Apache-2.0
"""One graph for the whole sentence: words around the fields, heading, tool and target.

Nodes stand between words and remember what was said last; chains of states, one a phone, run from
node to node. Every state exists once for each set of fields already said, so that each field is
said once, in any order. All is flattened into few matrices:

    states(t+1) = emission[phone] * (advance @ states(t)) + insertion[phone] * states(t)
    nodes       = leave @ states                     chains end, trailing phones may be lost
    gates       = route @ nodes                      what is said next, given what was said last
    starts      = enter @ gates                      chains begin
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turret_ai.phonetics import phones as ph
from turret_ai.understand.channel import Channel, articulatory

if TYPE_CHECKING:  # slow to import: only who builds a graph needs it
    from scipy.sparse import csr_matrix

MASKS = 8
HEADING_BIT, TOOL_BIT, TARGET_BIT = 1, 2, 4
Label = tuple[str, str]
"""(kind, value): kind is d1, d2, d3, tool, c1, c2, c3, pattern or type; ("", "") says nothing."""
NOTHING: Label = ("", "")


@dataclass(frozen=True, slots=True)
class ChannelCosts:
    """How a recogniser errs beyond single phones, as probabilities.

    inside: weight of a word beginning amid a heard word, against 1 at its border.
    lost_digit: one of the heading's digits is missing altogether.
    unknown: likelihood of a phone of a word that no clean sentence has.
    known: likelihood of a whole word that clean sentences have.
    alike: the same of a long one that sounds like a word of a field ("intercept").
    rare: prior of a rare tool or type against a usual one.
    missing: prior of none, one, two or three fields not being said.
    """

    inside: float = 0.2
    lost_digit: float = 0.006
    unknown: float = 0.022
    known: float = 2e-3
    alike: float = 1e-4
    rare: float = 0.01
    missing: tuple[float, float, float, float] = (1.0, 1e-3, 3e-4, 0.5)


@dataclass(frozen=True, slots=True)
class Chain:
    """The phones of one word or phrase on its way from node to node.

    enters: gate -> weight. bit: the field that is complete at its end, 0 for none.
    within: the field that it belongs to; it may begin only where that was not said yet.
    """

    phones: tuple[str, ...]
    enters: dict[str, float]
    leaves: str
    label: Label = NOTHING
    bit: int = 0
    within: int = 0
    digit: bool = False
    only_after: int = 0
    """It may begin only where this field was said."""
    cut_short: float = 0.0
    """Probability that the field is left for good at its end, though more is due."""
    cut_to: str = ""
    cut_bit: int = 0


@dataclass(slots=True)
class Outline:
    """Chains under construction."""

    chains: list[Chain] = field(default_factory=list)

    def add(
        self,
        ways: tuple[tuple[str, ...], ...],
        enters: dict[str, float],
        leaves: str,
        label: Label = NOTHING,
        bit: int = 0,
        within: int = 0,
        digit: bool = False,
        cut: tuple[float, str, int] = (0.0, "", 0),
    ) -> None:
        """Add every way to say something; the ways share the weight."""
        distinct = tuple(dict.fromkeys(way for way in ways if way))
        for way in distinct:
            part = {node: w / len(distinct) for node, w in enters.items() if w > 0}
            self.chains.append(Chain(way, part, leaves, label, bit, within, digit, 0, *cut))

    def again(
        self, way: tuple[str, ...], enters: dict[str, float], leaves: str, only_after: int
    ) -> None:
        """Add a phrase that says nothing new, since its field was said before."""
        self.chains.append(Chain(way, enters, leaves, only_after=only_after))


@dataclass(frozen=True, slots=True)
class DecodingGraph:
    """The compiled graph: S states, N nodes, both counted once for each set of fields said.

    advance: (S, S); the phone meant at a state may follow lost ones. emission: P(heard | meant),
    shape (39, S). insertion: P(a phone is heard that was not said), shape (39, S).
    leave: (N, S). enter: (S, G), start states only.
    route: (G / 8, N / 8), for each set of fields alike; G gates, numbered as nodes are.
    starts: the states that begin a chain. noise: the states that swallow any phone.
    labels: what a state's chain says. begin: the node before the first word. ends: P(end | node).
    """

    advance: csr_matrix
    emission: NDArray[np.float64]
    insertion: NDArray[np.float64]
    leave: csr_matrix
    enter: csr_matrix
    route: NDArray[np.float64]
    is_start: NDArray[np.bool_]
    starts: NDArray[np.int64]
    noise: NDArray[np.int64]
    labels: tuple[Label, ...]
    begin: int
    ends: NDArray[np.float64]

    def sources(self, start: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The nodes from which a chain begins, and their weights."""
        row = slice(self.enter.indptr[start], self.enter.indptr[start + 1])
        gates = self.enter.indices[row]
        weights = self.enter.data[row] @ self.route[gates // MASKS]
        mask = int(gates[0]) % MASKS
        return np.arange(self.route.shape[1]) * MASKS + mask, weights

    def predecessors(self, state: int, heard: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The states one phone earlier, and the weights of coming from them."""
        row = slice(self.advance.indptr[state], self.advance.indptr[state + 1])
        weights = self.advance.data[row] * self.emission[heard, state]
        return (
            np.append(self.advance.indices[row], state),
            np.append(weights, self.insertion[heard, state]),
        )


NOISE_GATE = "><other>"
DIGIT_ADDED = 3.0
"""Digits gain phones so much oftener than other words."""


class Compiler:
    """Turns chains into matrices."""

    def __init__(
        self,
        chains: list[Chain],
        routes: dict[str, dict[str, float]],
        ends: dict[str, float],
        costs: ChannelCosts,
        channel: Channel,
    ) -> None:
        """routes: gate -> node -> weight; a gate without a route is the node of that name.
        ends: node -> P(end of the sentence)."""
        self._chains = chains
        self._ends_of = ends
        self._costs = costs
        gates = {gate for chain in chains for gate in chain.enters} | set(routes)
        names = {chain.leaves for chain in chains} | set(ends) | (gates - set(routes))
        self._nodes = {name: i for i, name in enumerate(sorted(names))}
        self._gates = {name: i for i, name in enumerate(sorted(gates))}
        self._route = np.zeros((len(self._gates), len(self._nodes)))
        for gate, i in self._gates.items():
            for node, weight in routes.get(gate, {gate: 1.0}).items():
                self._route[i, self._nodes[node]] = weight
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._weights: list[float] = []
        self._meant: dict[int, int] = {}
        self._digit_states: list[int] = []
        self._insertion: dict[int, float] = {}
        self._enter: list[tuple[int, int, float]] = []
        self._leave: list[tuple[int, int, float]] = []
        self._labels: list[Label] = []
        self._starts: list[int] = []
        self._noise: list[int] = []
        self._channel = channel
        self._plain = articulatory()

    def _state(self, label: Label = NOTHING) -> int:
        self._labels.append(label)
        return len(self._labels) - 1

    def _edge(self, to: int, source: int, weight: float) -> None:
        self._rows.append(to)
        self._columns.append(source)
        self._weights.append(weight)

    def node(self, name: str, mask: int) -> int:
        """The number of a node for a set of fields said."""
        return self._nodes[name] * MASKS + mask

    def _chain(self, chain: Chain, mask: int) -> None:
        meant = [ph.INDEX[phone] for phone in chain.phones]
        states = [self._state(chain.label) for _ in range(len(meant) + 1)]
        self._starts.append(states[0])
        for name, weight in chain.enters.items():
            self._enter.append((states[0], self._gates[name] * MASKS + mask, weight))
        longest = min(3, max(0, len(meant) - 1) // 2 + (len(meant) > 2))
        lost = (self._plain if chain.digit else self._channel).deletion
        if chain.digit:
            self._digit_states += states
        for k in range(1, len(states)):
            weight = 1.0 - lost[meant[k - 1]]
            for skip in range(min(longest, k - 1) + 1):
                self._edge(states[k], states[k - 1 - skip], weight)
                if skip < k - 1:
                    weight *= lost[meant[k - 2 - skip]]
            self._meant[states[k]] = meant[k - 1]
            self._insertion[states[k]] = DIGIT_ADDED if chain.digit else 1.0
        out = self.node(chain.leaves, mask | chain.bit)
        cut = self.node(chain.cut_to, mask | chain.cut_bit) if chain.cut_short else 0
        weight = 1.0
        for back in range(min(longest, len(meant) - 1) + 1):
            self._leave.append((out, states[-1 - back], weight))
            if chain.cut_short:
                self._leave.append((cut, states[-1 - back], weight * chain.cut_short))
            weight *= lost[meant[-1 - back]]

    def _swallow(self, mask: int) -> None:
        """Any words at all: one state, entered from every node, left to the node for others."""
        start, noise = self._state(), self._state()
        self._starts.append(start)
        self._noise.append(noise)
        self._enter.append((start, self._gates[NOISE_GATE] * MASKS + mask, 1.0))
        self._edge(noise, start, 1.0)
        self._leave.append((self.node("<other>", mask), noise, 1.0))

    def compile(self) -> DecodingGraph:
        """Build the matrices."""
        from scipy.sparse import csr_matrix

        for mask in range(MASKS):
            for chain in self._chains:
                if not chain.within & mask and chain.only_after & mask == chain.only_after:
                    self._chain(chain, mask)
            self._swallow(mask)
        count, nodes = len(self._labels), len(self._nodes) * MASKS
        return DecodingGraph(
            advance=csr_matrix((self._weights, (self._rows, self._columns)), shape=(count, count)),
            emission=self._emission(count),
            insertion=self._insertions(count),
            leave=_sparse(self._leave, (nodes, count)),
            enter=_sparse(self._enter, (count, len(self._gates) * MASKS)),
            route=self._route,
            is_start=np.isin(np.arange(count), self._starts),
            starts=np.array(sorted(self._starts)),
            noise=np.array(self._noise),
            labels=tuple(self._labels),
            begin=self.node("<begin>", 0),
            ends=self._ends(nodes),
        )

    def _ends(self, nodes: int) -> NDArray[np.float64]:
        ends = np.zeros(nodes)
        for name, weight in self._ends_of.items():
            for mask in range(MASKS):
                missing = 3 - bin(mask).count("1")
                ends[self.node(name, mask)] = weight * self._costs.missing[missing]
        return ends

    def _insertions(self, count: int) -> NDArray[np.float64]:
        weight = np.array([self._insertion.get(i, 0.0) for i in range(count)])
        out: NDArray[np.float64] = np.outer(self._channel.insertion, weight)
        digits = self._digit_states
        out[:, digits] = np.outer(self._plain.insertion, weight[digits])
        out[:, self._noise] = 1.0
        return out

    def _emission(self, count: int) -> NDArray[np.float64]:
        """A state that swallows anything emits 1 here; its likelihood depends on the heard word."""
        digits = frozenset(self._digit_states)
        learned, plain = self._channel.substitution, self._plain.substitution
        out = np.ones((len(ph.PHONES), count))
        for state, meant in self._meant.items():
            out[:, state] = (plain if state in digits else learned)[meant]
        return out


def _sparse(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    rows, columns, weights = zip(*entries, strict=True)
    return csr_matrix((weights, (rows, columns)), shape=shape)
