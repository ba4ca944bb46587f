# SPDX-License-Identifier: Apache-2.0
"""Clean commands in both of the operators' styles, made from a grammar.

The grammar is `config/train/sentences.yaml`. Everything that learns from what an operator may say
(synthetic speech, the priors of the understand stage, the tuning of a language model) draws here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from turret_ai import documents, share, vocabulary
from turret_ai.errors import ConfigError
from turret_ai.vocabulary import Vocabulary

Style = Literal["novice", "advanced", "mixed"]

MAX_WORDS = 60
"""Longer sentences are drawn again: no operator speaks them in one breath."""

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_RULE = re.compile(r"<(\w+)>")
_SLOT = re.compile(r"\{([HWTAC])\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A clean command and what it means.

    template: the sentence before its fields were filled in, with {H}, {W}, {T} in their places.
    style: "novice", "advanced", or "no_order": called off, asked, on a condition. That commands
        nothing, whatever it names.
    """

    transcript: str
    heading: str
    tool: str
    target: str
    template: str
    style: str

    def as_dict(self, key: int) -> dict[str, str | int]:
        """The competition's line for this sentence."""
        return {
            "key": key,
            "transcript": self.transcript,
            "tool": self.tool,
            "heading": self.heading,
            "target": self.target,
        }


def spoken_heading(heading: str, words: Vocabulary, rng: random.Random | None = None) -> str:
    """ "065" -> "zero six five"; nine is "niner", now and then "nine" where `rng` is given."""
    out = []
    for digit in heading:
        said = words.digits[digit][0]
        if digit == "9" and rng is not None and rng.random() < 0.1:
            said = "nine"
        out.append(said)
    return " ".join(out)


@lru_cache(maxsize=4)
def _grammar(path: str) -> dict[str, tuple[str, ...]]:
    tree = documents.read_yaml(path)
    if not isinstance(tree, dict) or not {"novice", "advanced"} <= set(tree):
        raise ConfigError(f"{path} must give the rules novice and advanced")
    for name, lines in tree.items():
        for line in lines:
            unknown = [rule for rule in _RULE.findall(line) if rule not in tree]
            if unknown:
                raise ConfigError(f"{path}: rule {name} uses the unknown rule {unknown[0]}")
    return {name: tuple(lines) for name, lines in tree.items()}


class SentenceMaker:
    """Draws sentences; the same seed gives the same sentences.

    Args:
        seed: of the random numbers.
        style: "novice", "advanced", or "mixed" (one novice in five).
        rare: also draw tools and types that the vocabulary marks as rare.
        grammar: a file of rules, the shipped one by default.
    """

    def __init__(
        self,
        seed: int = 0,
        style: Style = "mixed",
        *,
        rare: bool = False,
        grammar: str | Path | None = None,
    ) -> None:
        self._rng = random.Random(seed)
        self._style = style
        path = Path(grammar) if grammar else share.path("config/train/sentences.yaml")
        self._rules = _grammar(str(path))
        self._words = vocabulary.load()
        self._tools = [t for t in self._words.tools if rare or not t.rare]
        self._types = [t for t in self._words.types if rare or not t.rare]

    def __iter__(self) -> Iterator[Sentence]:
        while True:
            yield self.draw()

    def draw(self) -> Sentence:
        """One sentence."""
        style = self._style
        if style == "mixed":
            style = "novice" if self._rng.random() < 0.2 else "advanced"
        while True:
            template = self._expand(style)
            if all(template.count(slot) for slot in ("{H}", "{W}")) and (
                "{T}" in template or "{A}" in template
            ):
                made = self._fill(template, style)
                if len(made.transcript.split()) <= MAX_WORDS:
                    return made

    def draw_no_order(self) -> Sentence:
        """A sentence that calls off, asks, or depends on a condition; its fields are empty."""
        while True:
            made = self._fill(self._expand("no_order"), "no_order")
            if len(made.transcript.split()) <= MAX_WORDS:
                return replace(made, heading="", tool="", target="")

    def _expand(self, rule: str) -> str:
        text = self._rng.choice(self._rules[rule])
        while True:
            grown = _RULE.sub(lambda m: self._rng.choice(self._rules[m.group(1)]), text)
            grown = _CHOICE.sub(lambda m: self._rng.choice(m.group(1).split("|")), grown)
            if grown == text:
                return text
            text = grown

    def _target(self) -> tuple[str, str]:
        """(as spoken, as a command writes it)"""
        rng = self._rng
        colours = tuple(rng.sample(self._words.colour_names, rng.choice((1, 1, 2, 2, 3))))
        kind = rng.choice(self._types)
        pattern = self._words.patterns[0] if self._words.patterns and rng.random() < 0.1 else ""
        name = self._words.target(colours, kind.name, pattern)
        said = kind.plural if rng.random() < 0.02 and "aircraft" not in kind.name else kind.name
        return self._words.target(colours, said, pattern), name

    def _fill(self, template: str, style: str) -> Sentence:
        rng = self._rng
        heading = rng.choice(self._words.headings)
        tool = rng.choice(self._tools).name
        said_target, target = self._target()
        said_tool = "electromagnetic pulse (EMP)" if tool == "EMP" and rng.random() < 0.03 else tool
        if tool in ("machine gun", "drone catcher") and rng.random() < 0.03:
            said_tool = f"{tool}s"
        article = "an" if said_target[0] in "aeiou" else "a"

        def slot(match: re.Match[str]) -> str:
            name = match.group(1)
            if name == "H":
                return spoken_heading(heading, self._words, rng)
            if name == "W":
                return said_tool
            if name == "C":
                return rng.choice(self._words.call_signs).capitalize()
            return f"{article} {said_target}" if name == "A" else said_target

        text = tidy(_SLOT.sub(slot, template))
        return Sentence(text, heading, tool, target, tidy(template), style)


def tidy(text: str) -> str:
    """Spaces, commas and capitals as in writing."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,.])", r"\1", text)
    text = re.sub(r",(\s*,)+", ",", text)
    text = re.sub(r"[,.]\.", ".", text)
    text = re.sub(r"\b([Aa]n) (?=[bcdfgjklmnpqrstvwxyz])", lambda m: f"{m.group(1)[0]} ", text)
    text = re.sub(r"\b([Aa]n?) the\b", "the", text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)


def draw(
    count: int, seed: int = 0, style: Style = "mixed", *, rare: bool = False
) -> list[Sentence]:
    """That many sentences."""
    maker = SentenceMaker(seed, style, rare=rare)
    return [maker.draw() for _ in range(count)]
