# SPDX-License-Identifier: Apache-2.0
"""The words that commands are made of, read from `config/vocabulary.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from pydantic import Field, ValidationError

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.settings import Settings


@dataclass(frozen=True, slots=True)
class Term:
    """A tool or a colour.

    name: what a command carries, such as "surface-to-air missiles".
    spoken: every way to say it, the name first.
    rare: understood, but a misheard word is not pulled towards it.
    """

    name: str
    spoken: tuple[str, ...]
    rare: bool = False


@dataclass(frozen=True, slots=True)
class CraftType:
    """A kind of flying object: its singular is what a command carries."""

    name: str
    plural: str
    spoken: tuple[str, ...]
    """Every way to say it: the name, the plural, then the others."""
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that a sentence of command may name."""

    tools: tuple[Term, ...]
    colours: tuple[Term, ...]
    types: tuple[CraftType, ...]
    patterns: tuple[str, ...]
    call_signs: tuple[str, ...]
    stations: tuple[str, ...]
    digits: Mapping[str, tuple[str, ...]]
    """"0".."9" -> the words for it; the first is how it is said on the radio."""
    headings: tuple[str, ...]
    """Every heading that can be ordered, three digits each: "005".."360"."""
    tool_nouns: tuple[str, ...]
    """How the last word of a tool that is not listed may end."""
    _tool_by_name: Mapping[str, Term] = field(repr=False, compare=False)

    @property
    def tool_names(self) -> tuple[str, ...]:
        """What `Command.tool` can be (rare ones included)."""
        return tuple(tool.name for tool in self.tools)

    @property
    def colour_names(self) -> tuple[str, ...]:
        """The colours' names."""
        return tuple(colour.name for colour in self.colours)

    @property
    def type_names(self) -> tuple[str, ...]:
        """The types' names, singular (rare ones included)."""
        return tuple(kind.name for kind in self.types)

    @property
    def pattern_words(self) -> dict[str, str]:
        """How a pattern may be said -> the pattern: "camouflaged" is camouflage, too."""
        past = {p + ("d" if p.endswith("e") else "ed"): p for p in self.patterns}
        return {**past, **{p: p for p in self.patterns}}

    def tool(self, name: str) -> Term | None:
        """The tool of that name; None where the vocabulary lacks it."""
        return self._tool_by_name.get(name)

    def target(self, colours: tuple[str, ...], kind: str, pattern: str = "") -> str:
        """The target as a command writes it: "red, blue, and green camouflage drone"."""
        head = ", ".join(colours)
        if len(colours) == 2:
            head = " and ".join(colours)
        elif len(colours) > 2:
            head = ", ".join(colours[:-1]) + f", and {colours[-1]}"
        return " ".join(part for part in (head, pattern, kind) if part)


class _TermFile(Settings):
    name: str = Field(min_length=1)
    spoken: tuple[str, ...] = ()
    rare: bool = False


class _TypeFile(_TermFile):
    plural: str = ""


class _HeadingsFile(Settings):
    first: int = Field(ge=0, le=360)
    last: int = Field(ge=0, le=360)
    step: int = Field(ge=1, le=90)


class _File(Settings):
    tools: tuple[_TermFile, ...] = Field(min_length=1)
    colours: tuple[_TermFile, ...] = Field(min_length=1)
    types: tuple[_TypeFile, ...] = Field(min_length=1)
    patterns: tuple[str, ...] = ()
    call_signs: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    digits: dict[str, tuple[str, ...]]
    headings: _HeadingsFile
    tool_nouns: tuple[str, ...] = ()


def _unique(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _build(file: _File, source: str) -> Vocabulary:
    if sorted(file.digits) != list("0123456789") or not all(file.digits.values()):
        raise ConfigError(f"{source}: digits must give words for each of 0..9")
    for kind, terms in (("tools", file.tools), ("colours", file.colours), ("types", file.types)):
        names = [term.name for term in terms]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ConfigError(f"{source}: {kind} names {', '.join(doubled)} more than once")
    tools = tuple(Term(t.name, _unique([t.name, *t.spoken]), t.rare) for t in file.tools)
    types = []
    for t in file.types:
        plural = t.plural or f"{t.name}s"
        types.append(CraftType(t.name, plural, _unique([t.name, plural, *t.spoken]), t.rare))
    grid = range(file.headings.first, file.headings.last + 1, file.headings.step)
    return Vocabulary(
        tools=tools,
        colours=tuple(Term(c.name, _unique([c.name, *c.spoken]), c.rare) for c in file.colours),
        types=tuple(types),
        patterns=file.patterns,
        call_signs=file.call_signs,
        stations=file.stations,
        digits=MappingProxyType(dict(file.digits)),
        headings=tuple(f"{degrees:03d}" for degrees in grid),
        tool_nouns=file.tool_nouns,
        _tool_by_name=MappingProxyType({tool.name: tool for tool in tools}),
    )


@lru_cache(maxsize=8)
def _load(path: str, _changed_ns: int) -> Vocabulary:
    tree = documents.read_yaml(path)
    try:
        file = _File.model_validate(tree)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise ConfigError(f"{path}: " + "; ".join(lines)) from error
    return _build(file, path)


def load(path: str | Path | None = None) -> Vocabulary:
    """Read a vocabulary, the shipped one by default; an unchanged file is read once.

    Raises:
        InputError: there is no such file.
        ConfigError: the file is not YAML or breaks the format; the text names the key.
    """
    found = (
        share.resolve(str(path), "config", ".yaml")
        if path
        else share.path("config/vocabulary.yaml")
    )
    return _load(str(found), found.stat().st_mtime_ns)
