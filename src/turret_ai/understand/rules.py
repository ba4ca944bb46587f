# SPDX-License-Identifier: Apache-2.0
"""Exact rules for clean text: what is well-formed is read, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from turret_ai.normalise import plain
from turret_ai.understand import headings
from turret_ai.understand.numbers import LINKS, Number, Numbers
from turret_ai.understand.words import Word
from turret_ai.vocabulary import Vocabulary


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOOL_CUES = _set(
    "deploy deploying deployed use using with tool weapon fire firing launch launching activate "
    "activating employ employing arm load is by initiate commence execute ready authorize "
    "authorizing engage prepare of start begin"
)
_STATION_NOUNS = _set(
    "turret turrets unit units crew crews battery batteries team operator operators squadron "
    "station command"
)
_NEGATIONS = frozenset({"not", "ignore", "disregard", "avoid", "friendly", "except", "without"})
_LIKE_DIGITS = _set("to too for fore won ate tree oh")
"""Before a number of two digits they may be its first: "heading to six five"."""
_ARTICLES = frozenset({"a", "an", "the"})
_OPEN_END = _set(
    "heading target at on to against towards toward with using deploy engage bearing over and or "
    "for in by coming tool is immediately now repeat when from approaching of this then direction "
    "spotted detected it as it's via ready prepare intercept set turn"
)
_OPEN_TOOL_CUES = frozenset({"deploy", "deploying", "using", "use", "activate", "employ", "with"})
_NEVER_A_NAME = _set(
    "target targets threat threats it them this that enemy hostile heading tool tools weapon "
    "weapons immediate caution extreme force precision all prejudice when ready fire turret turrets"
)


@dataclass(frozen=True, slots=True)
class Found:
    """One field as read: words [start, end) of the text say `value`."""

    value: str
    start: int
    end: int
    open: bool = False
    """Not in the vocabulary: taken from its place in a well-formed sentence."""
    sure: bool = True
    """False where a rule had to choose between rivals or lacked its cue."""
    weak: bool = False
    """A better mention elsewhere beats it: no colour, or a station that is named by a tool."""
    trust: float = 1.0
    """Below 1 where something had to be put right: at most that is believed of it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rules found; None where a field did not fire."""

    heading: Found | None = None
    tool: Found | None = None
    target: Found | None = None
    problem: str = ""
    """Why a heading that was said is none."""

    @property
    def fields(self) -> tuple[Found | None, Found | None, Found | None]:
        """heading, tool, target"""
        return self.heading, self.tool, self.target

    @property
    def complete(self) -> bool:
        """Whether all three fields fired."""
        return all(self.fields)

    @property
    def sure(self) -> bool:
        """All three fired, in the vocabulary and without a rival."""
        return all(found and found.sure and not found.open for found in self.fields)


Trie = dict[str, "Trie | str"]
_END = ""


def _trie(phrases: Mapping[str, str]) -> Trie:
    root: Trie = {}
    for phrase, value in phrases.items():
        node = root
        for word in phrase.split():
            below = node.setdefault(word, {})
            assert isinstance(below, dict)
            node = below
        node[_END] = value
    return root


def _longest(trie: Trie, words: Sequence[Word], start: int) -> tuple[str, int] | None:
    """(value, end) of the longest phrase that begins at `start`."""
    node, best, i = trie, None, start
    while True:
        value = node.get(_END)
        if isinstance(value, str):
            best = (value, i)
        below = node.get(words[i].text) if i < len(words) else None
        if not isinstance(below, dict):
            return best
        node, i = below, i + 1


class Rules:
    """Reads clean sentences over one vocabulary."""

    def __init__(self, words: Vocabulary) -> None:
        self._vocabulary = words
        self._tools = _trie({plain(s): t.name for t in words.tools for s in t.spoken})
        self._types = _trie({plain(s): t.name for t in words.types for s in t.spoken})
        self._colours = {plain(s): c.name for c in words.colours for s in c.spoken}
        self._patterns = {plain(said): p for said, p in words.pattern_words.items()}
        self._digits = {w: digit for digit, said in words.digits.items() for w in said if w != "oh"}
        self.numbers = Numbers(words.digits, words.headings)
        self._headings = frozenset(words.headings)

    def read(self, words: Sequence[Word], numbers: Sequence[Number]) -> Reading:
        """The fields of one part of a transcript, tidied, with its numbers."""
        tools = self._tool_mentions(words)
        taken = [(found.start, found.end) for found in tools]
        target = self._target(words, taken)
        tool = self._choose_tool(words, tools)
        if tool is None or tool.weak:
            tool = self._open_tool(words, target) or tool
        heading, problem = self._heading(words, numbers)
        return Reading(heading, tool, target, problem)

    def is_colour(self, word: Word) -> bool:
        """Whether a word names a colour."""
        return word.text in self._colours

    def type_at(self, words: Sequence[Word], start: int) -> int:
        """Where the type that is named from `start` on ends; `start` where none is."""
        match = _longest(self._types, words, start)
        return match[1] if match else start

    def tool_at(self, words: Sequence[Word], start: int) -> int:
        """Where the tool that is named from `start` on ends; `start` where none is."""
        match = _longest(self._tools, words, start)
        return match[1] if match else start

    def _heading(
        self, words: Sequence[Word], numbers: Sequence[Number]
    ) -> tuple[Found | None, str]:
        """(the heading, why a number that was called a heading is none)"""
        best: tuple[int, Found] | None = None
        problem = ""
        for number in numbers:
            numeral = any(w.numeral for w in words[number.start : number.end])
            if number.other or (numeral and len(number.digits) != 3):
                continue
            judged = headings.judge(number.digits, self._headings)
            if number.cued and not judged.value and not problem:
                problem = judged.reason
            rank = self._heading_rank(words, number)
            if not judged.value or not rank:
                continue
            start, end, trust = number.start, number.end, judged.trust
            if number.mended:
                trust = min(trust, headings.NINER_TRUST)
            before = words[start - 1].text if start else ""
            lost = len(number.digits) < 3 and before in _LIKE_DIGITS
            found = Found(judged.value, start, end, sure=rank > 1 and not lost, trust=trust)
            if best is None or rank > best[0]:
                best = (rank, found)
        if best is None or (problem and best[0] < 3):
            return None, problem
        return best[1], ""

    @staticmethod
    def _heading_rank(words: Sequence[Word], number: Number) -> int:
        """3 beside a word for heading, 2 by its place, 0 for what is no heading by itself."""
        if number.cued:
            return 3 if len(number.digits) == 3 else 2
        if len(number.digits) != 3:
            return 0
        before = words[number.start - 1].text if number.start else ""
        return 2 if before in LINKS else 1

    def _tool_mentions(self, words: Sequence[Word]) -> list[Found]:
        found, i = [], 0
        while i < len(words):
            match = _longest(self._tools, words, i)
            if match and match[1] > i:
                found.append(Found(match[0], i, match[1]))
                i = match[1]
            else:
                i += 1
        return found

    @staticmethod
    def _choose_tool(words: Sequence[Word], mentions: list[Found]) -> Found | None:
        best: tuple[int, Found] | None = None
        for found in mentions:
            after = words[found.end].text if found.end < len(words) else ""
            i = found.start - 1
            while i >= 0 and words[i].text in _ARTICLES:
                i -= 1
            before = words[i].text if i >= 0 else ""
            rank = 1 + (before in _TOOL_CUES)
            if after in _STATION_NOUNS and not words[found.end].stop:
                rank -= 1
            if before in _NEGATIONS:
                rank = -1
            if best is None or rank > best[0]:
                best = (rank, replace(found, weak=rank < 1))
        return best[1] if best else None

    def _target(self, words: Sequence[Word], taken: list[tuple[int, int]]) -> Found | None:
        inside = {i for start, end in taken for i in range(start, end)}
        best: tuple[int, Found] | None = None
        i = 0
        while i < len(words):
            if i in inside:
                i += 1
                continue
            colours, after = self._colour_run(words, i, inside)
            found = self._noun(words, colours, i, after, inside)
            if found is None:
                i = max(after, i + 1)
                continue
            cue = words[i - 1].text if i else ""
            negated = cue in _NEGATIONS or (i > 1 and words[i - 2].text in _NEGATIONS)
            rank = -1 if negated else (2 if colours and not found.open else 1 if colours else 0)
            if best is None or rank > best[0]:
                best = (rank, replace(found, weak=rank < 1))
            i = found.end
        if best:
            return best[1]
        return self._open_target(words, inside)

    def _colour_run(
        self, words: Sequence[Word], start: int, inside: set[int]
    ) -> tuple[tuple[str, ...], int]:
        colours: list[str] = []
        i = end = start
        while i < len(words) and i not in inside:
            word = words[i].text
            if i > start and words[i].new_sentence:
                break
            colour = self._colours.get(word)
            if colour and colour not in colours and len(colours) < 3:
                colours.append(colour)
                i += 1
                end = i
            elif word in ("and", "with") and colours:
                i += 1
            else:
                break
        return tuple(colours), end

    def _noun(
        self,
        words: Sequence[Word],
        colours: tuple[str, ...],
        start: int,
        i: int,
        inside: set[int],
    ) -> Found | None:
        """The type after the colours; an unseen one only where its end is plain."""
        pattern = ""
        if i < len(words) and words[i].text in self._patterns:
            pattern, i = self._patterns[words[i].text], i + 1
        match = None if i in inside else _longest(self._types, words, i)
        if match and match[1] > i and not inside & set(range(i, match[1])):
            value = self._vocabulary.target(colours, match[0], pattern)
            return Found(value, start, match[1], sure=bool(colours))
        if not colours:
            return None
        end = self._open_end(words, i, inside, most=2)
        if end == i:
            return None
        noun = " ".join(words[j].text for j in range(i, end))
        return Found(
            self._vocabulary.target(colours, _singular(noun), pattern), start, end, open=True
        )

    def _open_target(self, words: Sequence[Word], inside: set[int]) -> Found | None:
        """ "target is X" with neither a colour nor a type that is known."""
        for i, word in enumerate(words):
            if word.text != "target" or i + 1 >= len(words):
                continue
            start = i + 1
            while start < len(words) and words[start].text in _ARTICLES | {"is"}:
                start += 1
            if start == i + 1:
                continue
            end = self._open_end(words, start, inside, most=3)
            if end > start:
                noun = " ".join(words[j].text for j in range(start, end))
                return Found(_singular(noun), start, end, open=True)
        return None

    def _open_tool(self, words: Sequence[Word], target: Found | None) -> Found | None:
        """ "deploy X", "tool to deploy is X" with an X that is not known."""
        inside = set(range(target.start, target.end)) if target else set()
        for i, word in enumerate(words):
            named = word.text in ("tool", "weapon")
            if not named and word.text not in _OPEN_TOOL_CUES:
                continue
            start = i + 1
            skipped = _ARTICLES | (
                {"is", "to", "deploy", "use", "be", "deployed"} if named else set()
            )
            while start < len(words) and words[start].text in skipped:
                start += 1
            if named and "is" not in {words[j].text for j in range(i, start)}:
                continue
            end = self._open_end(words, start, inside, most=3)
            if end > start:
                return Found(
                    " ".join(words[j].text for j in range(start, end)), start, end, open=True
                )
        return None

    def _open_end(self, words: Sequence[Word], start: int, inside: set[int], most: int) -> int:
        """End of a name of unknown words: at a stop, at a word that can't be part of one."""
        i = start
        while i < len(words) and i - start <= most:
            word = words[i]
            if (
                (word.stop and i > start)
                or i in inside
                or word.numeral
                or word.text in _OPEN_END
                or word.text in self._colours
                or word.text in self._digits
            ):
                break
            if word.text in _NEVER_A_NAME or word.text in _ARTICLES:
                return start
            i += 1
        return i if 0 < i - start <= most else start


def _singular(noun: str) -> str:
    """The last word of an unseen noun in the singular: "gliders" -> "glider"."""
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")):
        return noun[:-1]
    return noun
