# SPDX-License-Identifier: Apache-2.0
"""The chains of a sentence of command: cue words, the heading on its grid, tools, targets."""

from __future__ import annotations

from collections import Counter

from turret_ai.normalise import plain
from turret_ai.phonetics.lexicon import Pronunciation, phrase
from turret_ai.understand import context as ctx
from turret_ai.understand.channel import Channel
from turret_ai.understand.decoding_graph import (
    HEADING_BIT,
    TARGET_BIT,
    TOOL_BIT,
    ChannelCosts,
    Compiler,
    DecodingGraph,
    Outline,
)
from turret_ai.vocabulary import Vocabulary

TRUST = 0.8
"""How far a neighbour's own counts are believed against those of all neighbours: the neighbour
may itself be misheard."""

_AND: tuple[Pronunciation, ...] = (("ae", "n", "d"), ("ah", "n"))
COLOUR_COUNTS = {"type": 0.4, "and": 0.3, "next": 0.2, "pattern": 0.1}
"""What follows a colour: numbers of colours from one to three are about as frequent."""

LEADING_ZERO = 2.0
"""How often a leading zero is lost, against other digits: where only two digits were said, it is
the one to add (docs/understand.md), though recognisers lose "two" most: they write "to" for it."""

TWO_HEARD: dict[Pronunciation, float] = {("dh", "ah"): 0.03, ("n", "uw"): 0.02, ("ih", "t"): 0.01}
"""What is heard for a leading "two" beside "to": "heading the seven zero", and how often."""

AGAIN = 0.05
"""How often a tool is named a second time, against the first."""

BARE = 0.003
"""How often a target has no colour (or lost them all)."""


def build(
    words: Vocabulary, neighbours: ctx.Context, costs: ChannelCosts, channel: Channel
) -> DecodingGraph:
    """The decoding graph of a vocabulary."""
    outline = Outline()
    nodes = [ctx.BEGIN, ctx.OTHER, *ctx.FIELDS, *neighbours.cues]
    after = {node: neighbours.probability(node, TRUST) for node in nodes}
    said = [*neighbours.cues, *ctx.FIELDS, ctx.OTHER]
    routes = {f">{what}": {n: row.get(what, 0.0) for n, row in after.items()} for what in said}
    for cue in neighbours.cues:
        outline.add(phrase(cue), {f">{cue}": 1.0}, cue)
    _add_heading(outline, words, costs)
    _add_tools(outline, words, costs, channel)
    _add_target(outline, words, costs, channel)
    ends = {node: max(row.get(ctx.END, 0.0), 0.02) for node, row in after.items()}
    return Compiler(outline.chains, routes, ends, costs, channel).compile()


def _add_heading(outline: Outline, words: Vocabulary, costs: ChannelCosts) -> None:
    """A trie of digits over the grid, in which one digit may be missing."""
    lost, total, gate = costs.lost_digit, len(words.headings), f">{ctx.HEADING}"
    ways = {
        digit: tuple(w for s in said for w in phrase(s)) for digit, said in words.digits.items()
    }
    first = Counter(h[0] for h in words.headings)
    second = Counter(h[:2] for h in words.headings)
    bit = HEADING_BIT
    for d1, n in first.items():
        outline.add(ways[d1], {gate: n / total}, f"#{d1}", ("d1", d1), within=bit, digit=True)
        for way, often in TWO_HEARD.items() if d1 == "2" else ():
            label, weight = ("d1", d1), {gate: often * n / total}
            outline.add((way,), weight, f"#{d1}", label, within=bit, digit=True)
    for d12, n in second.items():
        skip = lost * (LEADING_ZERO if d12[0] == "0" else 1.0)
        sources = {f"#{d12[0]}": n / first[d12[0]], gate: skip * n / total}
        ends = (lost, ctx.HEADING, bit)
        outline.add(ways[d12[1]], sources, f"#{d12}", ("d2", d12), within=bit, digit=True, cut=ends)
    for heading in words.headings:
        d12 = heading[:2]
        sources = {f"#{d12}": 1.0 / second[d12], f"#{d12[0]}": lost / first[d12[0]]}
        label = ("heading", heading)
        outline.add(ways[heading[2]], sources, ctx.HEADING, label, bit, bit, digit=True)


def _add_tools(outline: Outline, words: Vocabulary, costs: ChannelCosts, channel: Channel) -> None:
    weights = {t.name: costs.rare if t.rare else 1.0 for t in words.tools}
    total, gate = sum(weights.values()), f">{ctx.TOOL}"
    for tool in words.tools:
        said = list(dict.fromkeys(way for s in tool.spoken for way in phrase(plain(s))))
        for i, way in enumerate(said):
            share = weights[tool.name] / total * (0.8 if i == 0 else 0.2 / (len(said) - 1))
            outline.add(
                (way,), {gate: share}, ctx.TOOL, ("tool", tool.name), TOOL_BIT, within=TOOL_BIT
            )
            # said again, as operators do ("deploy EMP ... launch EMP now")
            if i == 0:
                outline.again(way, {gate: share * AGAIN}, ctx.TOOL, TOOL_BIT)
        if not tool.rare:
            for way, often in heard_as(tool.name, channel):
                share = weights[tool.name] / total * 0.8 * often
                outline.add(
                    (way,), {gate: share}, ctx.TOOL, ("tool", tool.name), TOOL_BIT, within=TOOL_BIT
                )


def heard_as(name: str, channel: Channel) -> list[tuple[Pronunciation, float]]:
    """Other ways in which a name is heard, one of its words heard as another, and how often."""
    said = plain(name).split()
    out = []
    for i, word in enumerate(said):
        before, after = " ".join(said[:i]), " ".join(said[i + 1 :])
        head = phrase(before)[0] if before else ()
        tail = phrase(after)[0] if after else ()
        for way, chance in channel.variants.get(word, {}).items():
            out.append(((*head, *way, *tail), chance))
    return out


def _add_target(outline: Outline, words: Vocabulary, costs: ChannelCosts, channel: Channel) -> None:
    bit = TARGET_BIT
    chance = COLOUR_COUNTS
    gate = f">{ctx.TARGET}"
    sources = {gate: 1.0}
    for slot in (1, 2, 3):
        for colour in words.colours:
            ways = tuple(way for s in colour.spoken for way in phrase(plain(s)))
            part = {k: w / len(words.colours) for k, w in sources.items()}
            label = (f"c{slot}", colour.name)
            outline.add(ways, part, f"@{slot}", label, within=bit)
            for way, often in heard_as(colour.name, channel):
                weighed = {k: w * often for k, w in part.items()}
                outline.add((way,), weighed, f"@{slot}", label, within=bit)
        if slot < 3:
            outline.add(_AND, {f"@{slot}": chance["and"]}, f"@{slot}&", within=bit)
        sources = {f"@{slot}": chance["next"], f"@{slot}&": 1.0}
    ended = {"@1": chance["type"], "@2": chance["type"], "@3": 0.9}
    for pattern in words.patterns:
        sources = {node: chance["pattern"] / len(words.patterns) for node in ("@1", "@2", "@3")}
        sources |= {gate: BARE * 0.1}
        outline.add(phrase(plain(pattern)), sources, "@p", ("pattern", pattern), within=bit)
    weights = {t.name: costs.rare if t.rare else 1.0 for t in words.types}
    total = sum(weights.values())
    for kind in words.types:
        said = list(dict.fromkeys(way for s in kind.spoken for way in phrase(plain(s))))
        for i, way in enumerate(said):
            share = weights[kind.name] / total * (0.85 if i == 0 else 0.15 / (len(said) - 1))
            sources = {k: w * share for k, w in {**ended, "@p": 1.0, gate: BARE}.items()}
            outline.add((way,), sources, ctx.TARGET, ("type", kind.name), bit, bit)
        if not kind.rare:
            for way, often in heard_as(kind.name, channel):
                share = weights[kind.name] / total * often
                sources = {k: w * share for k, w in {**ended, "@p": 1.0, gate: BARE}.items()}
                outline.add((way,), sources, ctx.TARGET, ("type", kind.name), bit, bit)
