# SPDX-License-Identifier: Apache-2.0
"""Transcript to command: rules where the text is clean, repair where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein

from turret_ai import vocabulary
from turret_ai.normalise import plain
from turret_ai.phonetics.lexicon import Pronunciation, phrase
from turret_ai.types import Command, CommandField, CommandStatus, Hypothesis, Source
from turret_ai.understand import (
    calibration,
    context,
    corrections,
    discourse,
    headings,
    pool,
    sound_alikes,
)
from turret_ai.understand.corrections import ReadPart
from turret_ai.understand.decode import Decoder, Posterior
from turret_ai.understand.discourse import Relation, Talk, Verdict
from turret_ai.understand.rules import Found, Rules
from turret_ai.understand.settings import UnderstandSettings
from turret_ai.understand.words import Word, split

if TYPE_CHECKING:
    from turret_ai.understand.llm.fallback import Fallback

NAMES = calibration.FIELDS
OPEN_CONFIDENCE = 0.8
"""Of a name out of the vocabulary that stands where a name must stand."""
CLEAN_SHARE = 0.88
"""Share of known words above which a text counts as well-formed though a word is new."""
RULES_WEIGHT = 0.6
"""Weight of the rules against the decoder in a well-formed text."""
ALIKE = 0.7
"""Likeness in sound above which an unknown name is a misheard known one."""
SHORTEST_OPEN = 5
"""Phones of the shortest unknown name that is believed."""
CANCEL_SHARE = 0.25
"""Share of the readings that call off from which they count, though the best does not."""
CANCEL_SCALE = 0.6
"""Weight of the recogniser's log-probabilities in that share."""
FLAWLESS = 3.0
"""Fit of a reading that the rules read whole, beside a decoder's nats for each phone."""
LEAST_FIT = -6.0
IN_DOUBT = 0.5
"""Confidence below which a target is left open that may as well have been called off."""
SURE = 0.5
"""Posterior from which a second mention changes nothing."""
UNSAID = {"heading": 0.5, "tool": 0.75, "target": 0.5}
"""Posterior of "not said" above which a field is empty. Misheard tools look unsaid: of those with
.5 to .75 most were right, and of tools that nobody named none came below .75."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One reading of an utterance as talk: its parts with what the rules read in each."""

    talk: Talk
    parts: list[ReadPart]
    fields: list[tuple[Found, int] | None]
    """heading, tool, target over all parts, each with the part it was found in."""
    score: float
    clean: bool
    """Rules alone may tell: every word is known, no numeral, all fields read, none in doubt."""
    problem: str = ""
    """Why a heading that was said is none."""
    alike: bool = False
    """A pattern of the target sounds like what calls off."""

    @property
    def calls_off(self) -> bool:
        """Whether it calls the engagement off."""
        return self.talk.verdict is Verdict.CANCELLED

    def found(self, field: int) -> Found | None:
        """What the rules read for a field."""
        pair = self.fields[field]
        return pair[0] if pair else None

    @property
    def found_all(self) -> tuple[Found | None, ...]:
        """What the rules read for each field."""
        return tuple(self.found(i) for i in range(len(NAMES)))


class Understander:
    """Turns transcripts into commands. Not thread-safe; never raises for any text.

    Raises (on construction):
        ConfigError: a vocabulary, context or calibration that is no such file.
        InputError: a file that is missing.
        ModelError: a language model that can't be loaded.
        MissingExtraError: a backend that isn't installed.
    """

    def __init__(self, settings: UnderstandSettings | None = None) -> None:
        self.settings = settings or UnderstandSettings()
        self.vocabulary = headings.with_mode(
            vocabulary.load(self.settings.vocabulary or None), self.settings.headings
        )
        self._context = context.load(self.settings.context or None)
        self._calibration = calibration.load()
        self._rules = Rules(self.vocabulary)
        self._decoder = Decoder(self.vocabulary, self._context, samples=self.settings.samples)
        self._own = self._own_words()
        self._patterns = sound_alikes.patterns(self.vocabulary.patterns)
        self._fallback: Fallback | None = None
        if self.settings.llm_backend:
            from turret_ai.understand.llm.fallback import Fallback

            self._fallback = Fallback(self.settings, self.vocabulary)

    def parse(self, hypotheses: str | Sequence[Hypothesis | str]) -> Command:
        """Understand one utterance.

        Args:
            hypotheses: its transcript, or several readings of it, the best first. Plain strings
                count as equally likely; scores are natural-log probabilities.
        """
        heard = self._readings(hypotheses)
        if not heard:
            return Command(CommandStatus.REJECTED, reason="the transcript has no words")
        shares = pool.weights([h.score for h in heard], CANCEL_SCALE)
        no_order = _no_order(heard, shares)
        if no_order is not None and not (
            self.settings.fill and no_order.status is not CommandStatus.CANCELLED
        ):
            return no_order
        best = heard[0]
        if best.clean:
            return self._command(self._exactly(best), "", best.problem)
        heard = [each for each in heard if each.parts]
        if self.settings.repair and heard:
            fields = self._repair(heard)
        else:
            fields = self._exactly(best)
        reason = ""
        if self._fallback is not None:
            first = best.parts[0].words if best.parts else []
            text = " ".join(word.text for word in first)
            whole = " ".join(word.text for part in best.parts for word in part.words)
            fields, reason = self._fallback.complete(fields, text, whole)
        return self._command(fields, reason, best.problem)

    def is_clean(self, text: str) -> bool:
        """Whether rules alone tell the command."""
        heard = self._readings(text)
        return bool(heard) and heard[0].clean

    def calibrate(self, fitted: calibration.Calibration) -> None:
        """Use other confidences than the shipped ones."""
        self._calibration = fitted

    def posterior(self, text: str) -> Posterior:
        """What the decoder thinks of one text's first part, for inspection and calibration."""
        parts = discourse.read(split(text, self.settings.max_words)).parts
        words = self._rules.numbers.tidy(parts[0].words)[0] if parts else []
        return self._decoder.decode(words)

    def _readings(self, hypotheses: str | Sequence[Hypothesis | str]) -> list[_Heard]:
        given = [hypotheses] if isinstance(hypotheses, str) else list(hypotheses)
        out: list[_Heard] = []
        seen: set[tuple[str, ...]] = set()
        for item in given:
            text, score = (item, 0.0) if isinstance(item, str) else (item.text, item.score)
            words = split(text, self.settings.max_words)
            key = tuple(word.text for word in words)
            if not words or key in seen:
                continue
            seen.add(key)
            if out and out[0].clean and not discourse.triggered(words):
                # What it orders changes nothing; only that it doesn't call off counts.
                out.append(_Heard(Talk(Verdict.ORDER), [], [None] * len(NAMES), score, False))
            else:
                out.append(self._hear(words, score))
            if len(out) >= self.settings.max_hypotheses:
                break
        return out

    def _hear(self, words: list[Word], score: float) -> _Heard:
        """One reading: what it is as talk, and what the rules read in its parts."""
        names = frozenset[int]()
        if discourse.triggered(words):
            names = sound_alikes.inside_targets(words, self._rules, self._patterns)
        talk = discourse.read(words, names)
        if talk.verdict in (Verdict.QUESTION, Verdict.CONDITION) and not (
            discourse.phrases().surely.search(talk.because)
            or all(self._is_known(word) and not word.numeral for word in words)
        ):
            talk = Talk(Verdict.ORDER, talk.parts)  # "if" and "what" are often misheard words
        parts = corrections.read(talk.parts, self._rules)
        off = corrections.withdrawn(parts)
        if off and talk.verdict is Verdict.ORDER:
            talk = Talk(Verdict.CANCELLED, (), off)
        fields = corrections.merge(parts)
        found = [pair[0] if pair else None for pair in fields]
        problem = next((part.reading.problem for part in parts if part.reading.problem), "")
        impossible = found[0] is None and bool(problem) and not self.settings.fill
        told = found[1:] if impossible else found
        clean = all(f is not None and f.sure and not f.open and not f.weak for f in told)
        clean = clean and not names
        if clean:
            every = [word for part in parts for word in part.words]
            clean = not any(word.numeral for word in every) and all(map(self._is_known, every))
        if clean and fields[2] is not None:
            target, place = fields[2]
            clean = self._nothing_lost(parts[place].words, target)
        told_problem = "" if found[0] else problem
        return _Heard(talk, parts, fields, score, clean, told_problem, bool(names))

    def _nothing_lost(self, words: list[Word], target: Found) -> bool:
        """No word before the target that may be one of its colours, misheard as another word."""
        if target.start == 0:
            return True
        i = target.start - 1
        while i > 0 and words[i].text in ("and", "a", "an"):
            i -= 1
        word = words[i].text
        return (
            not self._decoder.may_be_colour(word) or word in self._context.cues or word in self._own
        )

    def _is_known(self, word: Word) -> bool:
        return word.text in self._context.known or word.text in self._own

    def _own_words(self) -> frozenset[str]:
        names = self.vocabulary
        phrases = [s for term in (*names.tools, *names.colours) for s in term.spoken]
        phrases += [s for kind in names.types for s in kind.spoken]
        phrases += [*names.pattern_words, *(w for said in names.digits.values() for w in said)]
        return frozenset(word for said in phrases for word in plain(said).split())

    def _exactly(self, heard: _Heard) -> list[CommandField]:
        return [self._by_rules(heard.found(i), name) for i, name in enumerate(NAMES)]

    def _by_rules(self, found: Found | None, name: str) -> CommandField:
        if found is None:
            return CommandField()
        sure = self._calibration.rules[name]
        confidence = OPEN_CONFIDENCE if found.open else sure if found.sure else 0.9 * sure
        source = Source.RULES if found.trust == 1.0 else Source.REPAIR
        return CommandField(found.value, min(confidence, found.trust), source)

    def _repair(self, heard: list[_Heard]) -> list[CommandField]:
        decoded, fits = zip(*map(self._weighed, heard), strict=True)
        scores = [h.score for h in heard]
        shares = pool.weights(scores, self.settings.score_scale, fits)
        best = heard[0]
        fields = []
        for i, name in enumerate(NAMES):
            pair = best.fields[i]
            found = pair[0] if pair else None
            if pair and pair[0].open and self._accept_open(best.parts[pair[1]], pair[0], i):
                fields.append(CommandField(pair[0].value, OPEN_CONFIDENCE, Source.RULES))
                continue
            mass = pool.mix([masses[i] for masses in decoded], shares)
            value, probability = self._choose(mass, name)
            if self.settings.fill and not value:
                value = self._filler(name, best)
            fields.append(self._repaired(name, value, probability, found, best))
        return fields

    def _filler(self, name: str, heard: _Heard) -> str:
        """Something to say where nothing is known: it may score by chance, "" never does."""
        if name == "heading":
            return self.vocabulary.headings[len(self.vocabulary.headings) // 2]
        if name == "tool":
            return self.vocabulary.tools[0].name
        words = [word.text for part in heard.parts for word in part.words]
        colours = tuple(c for c in self.vocabulary.colour_names if c in words)[:3]
        kinds = [k.name for k in self.vocabulary.types if k.name.split()[0] in words]
        return self.vocabulary.target(colours, (kinds or [self.vocabulary.types[0].name])[0])

    def _weighed(self, heard: _Heard) -> tuple[list[pool.Shares], float]:
        """What each field of one reading may be, and how well it fits a command."""
        if heard.clean:
            return [
                {found.value: 1.0} if found else {"": 1.0} for found in heard.found_all
            ], FLAWLESS
        masses, fit = self._decode_parts(heard)
        blended = [self._blend(m, heard, heard.found(i)) for i, m in enumerate(masses)]
        return blended, max(fit, LEAST_FIT)

    def _decode_parts(self, heard: _Heard) -> tuple[list[pool.Shares], float]:
        """What each field may be over all parts of one reading, and the fit of the first part."""
        out: list[pool.Shares] = [{}, {}, {}]
        fit: float | None = None
        for part in heard.parts:
            posterior = self._decoder.decode(part.words)
            fit = posterior.score if fit is None and posterior.draws else fit
            masses = pool.fields(posterior, self.vocabulary)
            if part.relation is Relation.INSTEAD and sum(map(_says, masses, NAMES)) >= 2:
                out = [{}, {}, {}]
            for i, mass in enumerate(masses):
                if not out[i]:
                    out[i] = mass
                elif part.relation is Relation.AGAIN:
                    _, probability = self._choose(out[i], NAMES[i])
                    unsure = not _says(out[i], NAMES[i]) or probability < SURE
                    out[i] = _agree(out[i], mass, NAMES[i]) if unsure else out[i]
                elif _says(mass, NAMES[i]):
                    out[i] = mass
        return out, LEAST_FIT if fit is None else fit

    def _choose(self, mass: pool.Shares, name: str) -> tuple[str, float]:
        if not _says(mass, name) and not self.settings.fill:
            return "", mass.get("", 0.0)
        said = {value: share for value, share in mass.items() if value}
        return pool.best_expected(said) if name == "target" else pool.likeliest(said)

    def _repaired(
        self, name: str, value: str, probability: float, found: Found | None, heard: _Heard
    ) -> CommandField:
        problem, doubted = heard.problem, heard.alike and name == "target"
        confidence = self._calibration.confidence(name, probability)
        if name == "heading" and problem:
            confidence = min(confidence, headings.IMPOSSIBLE)
        least = max(self.settings.min_confidence, IN_DOUBT if doubted else 0.0)
        if not value or (confidence < least and not self.settings.fill):
            return CommandField()
        exact = found is not None and found.value == value and found.trust == 1.0
        if found is not None and found.value == value:
            confidence = min(confidence, found.trust)
        return CommandField(value, confidence, Source.RULES if exact else Source.REPAIR)

    def _blend(self, mass: pool.Shares, heard: _Heard, found: Found | None) -> pool.Shares:
        """Rules count beside the decoder where the text is well-formed but for a few words."""
        words = [word for part in heard.parts for word in part.words]
        exact = found is not None and found.sure and not found.open and found.trust == 1.0
        if found is None or not exact or any(word.numeral for word in words):
            return mass
        known = sum(map(self._is_known, words))
        if known < CLEAN_SHARE * len(words) or not all(heard.fields):
            return mass
        out = {value: (1.0 - RULES_WEIGHT) * share for value, share in mass.items()}
        out[found.value] = out.get(found.value, 0.0) + RULES_WEIGHT
        return out

    def _accept_open(self, heard: ReadPart, found: Found, field: int) -> bool:
        """Whether a name out of the vocabulary stands in a well-formed sentence, and is no
        misheard known one."""
        named = {i for f in heard.reading.fields if f and f.open for i in range(f.start, f.end)}
        rest = [w for i, w in enumerate(heard.words) if i not in named]
        if not heard.reading.complete or any(w.numeral for w in rest):
            return False
        if not all(map(self._is_known, rest)):
            return False
        words = [w.text for w in heard.words[found.start : found.end]]
        span = [word for word in words if word not in self._own]
        if field == 1 and not words[-1].endswith(self.vocabulary.tool_nouns):
            return False
        names = [self._tool_phrases, self._type_phrases][field - 1]()
        if any(word.startswith(tuple(names)) for word in span):
            return False  # "missileengage": a known name and the next word in one
        new = phrase(" ".join(span))
        if not new or len(new[0]) < SHORTEST_OPEN or all(w in self._context.known for w in span):
            return False
        whole = [way for name in names for way in phrase(name)]
        parts = [way for name in names for word in name.split() for way in phrase(word)]
        return (
            _likeness(new[0], whole + parts) < ALIKE
            and _likeness(phrase(" ".join(words))[0], whole) < ALIKE
        )

    def _tool_phrases(self) -> list[str]:
        return [plain(s) for tool in self.vocabulary.tools for s in tool.spoken]

    def _type_phrases(self) -> list[str]:
        return [plain(s) for kind in self.vocabulary.types for s in kind.spoken]

    @staticmethod
    def _command(fields: Sequence[CommandField], reason: str = "", problem: str = "") -> Command:
        heading, tool, target = fields
        missing = [name for name, item in zip(NAMES, fields, strict=True) if not item.value]
        if len(missing) == len(NAMES):
            status = CommandStatus.REJECTED
            reason = reason or "no command in the transcript"
        elif missing:
            status = CommandStatus.INCOMPLETE
            because = f" ({problem})" if problem and not heading.value else ""
            reason = reason or f"could not tell: {', '.join(missing)}{because}"
        else:
            status = CommandStatus.OK
            reason = ""
        return Command(status, heading, tool, target, reason)


def _no_order(heard: list[_Heard], shares: Sequence[float]) -> Command | None:
    """The answer to what is no order: called off, asked, or on a condition; else None.

    A cancellation counts also where it stands in less likely readings: to stop is the safe side.
    """
    off = [(each, s) for each, s in zip(heard, shares, strict=True) if each.calls_off]
    if off and (heard[0].calls_off or math.fsum(s for _, s in off) >= CANCEL_SHARE):
        because = off[0][0].talk.because
        return Command(CommandStatus.CANCELLED, reason=f"called off: {because}")
    talk = heard[0].talk
    if talk.verdict is Verdict.ORDER:
        return None
    what = "a question" if talk.verdict is Verdict.QUESTION else "on a condition"
    return Command(CommandStatus.REJECTED, reason=f"no order, but {what}: {talk.because} ...")


def _likeness(said: Pronunciation, ways: Sequence[Pronunciation]) -> float:
    """To the most alike of the ways, 0..1."""
    return max(Levenshtein.normalized_similarity(said, way) for way in ways)


def _says(mass: pool.Shares, name: str) -> bool:
    """Whether a field was probably said."""
    return bool(mass) and mass.get("", 0.0) <= UNSAID[name]


def _agree(first: pool.Shares, second: pool.Shares, name: str) -> pool.Shares:
    """Two mentions of one field: where both say something, what both can mean gains."""
    if not _says(second, name):
        return first
    if not _says(first, name):
        return second
    floor = 0.02
    values = {value for value in (*first, *second) if value}
    raw = {v: (first.get(v, 0.0) + floor) * (second.get(v, 0.0) + floor) for v in values}
    total = sum(raw.values())
    return {value: share / total for value, share in raw.items()} if total else first
