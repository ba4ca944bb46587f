# SPDX-License-Identifier: Apache-2.0
"""Counts the neighbours of the fields in clean sentences for the understand stage.

`python -m turret_ai.learn.context` writes `config/understand_context.yaml` anew from the grammar of
clean sentences. Nothing misheard and no recogniser's output goes in.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from pathlib import Path

import yaml

from turret_ai import share, vocabulary
from turret_ai.learn import sentences
from turret_ai.normalise import plain
from turret_ai.understand.context import BEGIN, END, HEADING, OTHER, TARGET, TOOL
from turret_ai.vocabulary import CraftType, Term

_SLOT = {"H": "slotheading", "W": "slottool", "T": "slottarget", "A": "a slottarget", "C": "alpha"}
_BY_THEMSELVES = frozenset({"to"})
"""Words of names ("surface to air") that stand beside fields by themselves, too."""
_FIELD = {"slotheading": HEADING, "slottool": TOOL, "slottarget": TARGET}

MORE_WORDS = """
able about above abort accurate accuracy across action active additional adjacent advance
advancing affirmative afterwards again ahead aiming aircrews airborne airfield alarm alerted
alerts allow along also altogether always amber ammunition angle annihilate another anything
appropriate armed armament arrival arriving as-soon aside asset assets assist assume attacking
attempt authority authorised authorized available avoid await awaiting aware bandit barrage
because become before beginning behind below best between block bogey bogie border both break
breach brief briefing bring brings but calibrate camera can cancel capture carefully carry cease
center ceasefire chance change channel charge check citadel city civilians clearance close
closing coast code-name combat complete completed concentrate conduct confirming contact contain
continue continuous controller convoy coordinate correct could course cover crucial current
danger dangerous deadly decisive decisively defences defenses defensive definitely delay delayed
delivered detect detecting detonate determine deter directed directly disengage dispatch dispose
distress disrupt done due during early east eastern effect effective effectively effort either
electronic eleven eliminating emergency enemies enemy's enforcer ensuring enter entering entry
erase escort establish evade evasive every evening exact exactly executing exercise extra
extremely eye eyes facility fall fast field final find finish firepower firm first fleet fly
flying follow following forces formation forward found friendlies front full fully further gate
general give given going ground-station group guard guardian guns-free halt handle handling hard
harm has he head headed headquarters height help her high high-value highest his hit hitting
holding hostiles hour how however hovering hundred identify if immobilize imminent impact
important including increase infiltrate inform information infrastructure initiating inside
instruction instructed intelligence intended intent interception interceptors intercepting
intruder intruding into invader it's its itself join just key kindly know last later launched
launching lead least leave left less life like likely line live loaded loading location lock-on
locking long look looking loss low main maintaining make making manage maneuvers manner marked
master may mean measures members men might minimum minute mission mobilize moment monitor more
morning most moved movements moving much must name near necessary need needed negative nearest
neutralised neutralising neutralization neutralizing neutralise new next night no no-fly none
north northern nothing notice notify number object objective observe observed off offensive
officer okay old only onward opening operate operational operations operative opposing option
other others outpost overhead own pass passing path perform permission personnel pilot place
plan please plus pm positive post posture potential power precaution precautions precise
precisely precision present press pressing priority probable procedure proceeding progress
promptly proper protecting protection protocol protocols provide pull pursue pursuit put quick
quickly radar radio raise rapid rapidly rate readiness real receive received recognized recon
reconnaissance redirect reference region release remain remaining remember remove reporting
request required requires reset resolve respective response restricted result retaliate return
right risk rogue room route rules run safe safely safety same satellite scan scanning scene
scramble second seconds secured securing security see seen send sending sensor sequence serious
shield ship shooting short should shut side sights signal signals sir site situation skies sky
soldiers some soon source south southern space special specific specified stable stage state
stationed status steady stopping straight strategic strength strikes striking strong submit
success successful successfully such suppress sure surround surveillance suspected swift swiftly
system systems tactical takedown tail target's targeted targets task tasked tell terminate
territory test than their them then these they thing those threaten threatening threatens
threats thrice tight tightly time times today together tonight toward track trace tracked
trajectory transmit transmission travel traveling travelling trigger troops try turning under
understood unfriendly unknown unless until unwanted update upon us used utilize utilizing utmost
vehicle very via vicinity victory vigilance violation violating vital volley wait-for warning
was watching wave way weapon's weaponry weather well west western what where whether which while
who wing within without would yet yes you your zone zoom
"""


def count(number: int = 30_000, seed: int = 11, cues: int = 40) -> dict[str, object]:
    """The counts of that many sentences as the tree of the YAML file."""
    words = vocabulary.load()
    followers: dict[str, Counter[str]] = defaultdict(Counter)
    beside: Counter[str] = Counter()
    every: Counter[str] = Counter()
    lines = []
    for made in sentences.draw(number, seed):
        text = re.sub(r"\{(\w)\}", lambda m: f" {_SLOT[m.group(1)]} ", made.template)
        line = [_FIELD.get(word, word) for word in plain(text).split()]
        if "repeat" in line:
            line = line[: line.index("repeat")]
        lines.append(line)
        every.update(line)
        for i, word in enumerate(line):
            if word in _FIELD.values():
                beside.update(line[max(0, i - 2) : i])
                beside.update(line[i + 1 : i + 2])
    terms: tuple[Term | CraftType, ...] = (*words.tools, *words.types, *words.colours)
    own = {word for term in terms for s in term.spoken for word in plain(s).split()} | {
        w for said in words.digits.values() for w in said
    }
    own -= _BY_THEMSELVES
    chosen = [w for w, _ in beside.most_common() if w not in _FIELD.values() and w not in own]
    kept = tuple(chosen[:cues])
    marked = {*kept, *_FIELD.values()}
    for line in lines:
        path = [BEGIN, *(w if w in marked else OTHER for w in line), END]
        for before, after in itertools.pairwise(path):
            followers[before][after] += 1
    known = {*every, *plain(MORE_WORDS.replace("-", " ")).split(), "repeat", "over"}
    known |= {plain(sign) for sign in words.call_signs} | set(words.stations) | {"ray", "x"}
    known -= own | set(_FIELD.values())
    scale = 1000.0 / number
    return {
        "cues": list(kept),
        "following": {
            before: {what: round(n * scale, 2) for what, n in row.most_common() if n * scale > 0.02}
            for before, row in followers.items()
        },
        "known": " ".join(sorted(known)),
    }


def main() -> None:
    """Write the counts into the source tree's config folder."""
    out = Path(share.root()) / "config" / "understand_context.yaml"
    head = (
        "# Neighbours of the fields in clean sentences, made by\n"
        "# `python -m turret_ai.learn.context` from config/train/sentences.yaml; counts are\n"
        "# per thousand sentences.\n"
    )
    text = yaml.safe_dump(count(), default_flow_style=None, width=100, sort_keys=False)
    out.write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
