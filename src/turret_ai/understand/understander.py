"""Transcript to command: rules where the text is clean, repair where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein

from turret_ai import vocabulary
from turret_ai.normalise import plain
from turret_ai.phonetics.lexicon import phrase
from turret_ai.types import Command, CommandField, CommandStatus, Hypothesis, Source
from turret_ai.understand import calibration, context, pool
from turret_ai.understand.decode import Decoder, Posterior
from turret_ai.understand.rules import Found, Reading, Rules
from turret_ai.understand.settings import UnderstandSettings
from turret_ai.understand.words import Word, first_mention, split

if TYPE_CHECKING:
    from turret_ai.understand.llm.fallback import Fallback

NAMES = calibration.FIELDS
OPEN_CONFIDENCE = 0.8
"""Of a name out of the vocabulary that stands where a name must stand."""
CLEAN_SHARE = 0.88
"""Share of known words above which a text counts as well-formed though a word is new."""
RULES_WEIGHT = 0.6
"""Weight of the rules against the decoder in a well-formed text."""
ALIKE = 0.55
"""Likeness in sound above which an unknown name is a misheard known one."""
ALIKE_CLEAN = 0.7
"""The same where every other word is known: little was misheard there."""
SHORTEST_OPEN = 5
"""Phones of the shortest unknown name that is believed."""
NO_COMMAND = 0.5
"""Posterior of "not said" above which a field is empty."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One reading: its words before "repeat", those after, and what the rules read."""

    words: list[Word]
    again: list[Word]
    reading: Reading
    score: float
    clean: bool
    """Rules alone may tell: every word is known, no numeral, all fields read, none in doubt."""
    known_share: float


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
        self.vocabulary = vocabulary.load(self.settings.vocabulary or None)
        self._context = context.load(self.settings.context or None)
        self._calibration = calibration.load()
        self._rules = Rules(self.vocabulary)
        self._decoder = Decoder(self.vocabulary, self._context, samples=self.settings.samples)
        self._own = self._own_words()
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
        best = heard[0]
        if best.clean:
            return self._command(self._exactly(best))
        if self.settings.repair:
            fields = self._repair(heard)
        else:
            fields = self._exactly(best)
        reason = ""
        if self._fallback is not None:
            text = " ".join(word.text for word in best.words)
            whole = " ".join(word.text for word in (*best.words, *best.again))
            fields, reason = self._fallback.complete(fields, text, whole)
        return self._command(fields, reason)

    def is_clean(self, text: str) -> bool:
        """Whether rules alone tell the command."""
        heard = self._readings(text)
        return bool(heard) and heard[0].clean

    def calibrate(self, fitted: calibration.Calibration) -> None:
        """Use other confidences than the shipped ones."""
        self._calibration = fitted

    def posterior(self, text: str) -> Posterior:
        """What the decoder thinks of one text, for inspection and calibration."""
        return self._decoder.decode(first_mention(split(text, self.settings.max_words))[0])

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
            before, after = first_mention(words)
            known = [self._is_known(word) for word in before]
            numeral = any(word.numeral for word in before)
            reading = self._rules.read(before)
            clean = all(known) and not numeral and reading.sure
            clean = clean and self._nothing_lost(before, reading.target)
            out.append(_Heard(before, after, reading, score, clean, sum(known) / len(known)))
            if len(out) >= self.settings.max_hypotheses or (len(out) == 1 and clean):
                break
        return out

    def _nothing_lost(self, words: list[Word], target: Found | None) -> bool:
        """No word before the target that may be one of its colours, misheard as another word."""
        if target is None or target.start == 0:
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
        phrases += [*names.patterns, *(w for said in names.digits.values() for w in said)]
        return frozenset(word for said in phrases for word in plain(said).split())

    def _exactly(self, heard: _Heard) -> list[CommandField]:
        pairs = zip(heard.reading.fields, NAMES, strict=True)
        return [self._by_rules(found, name) for found, name in pairs]

    def _by_rules(self, found: Found | None, name: str) -> CommandField:
        if found is None:
            return CommandField()
        sure = self._calibration.rules[name]
        confidence = OPEN_CONFIDENCE if found.open else sure if found.sure else 0.9 * sure
        return CommandField(found.value, confidence, Source.RULES)

    def _repair(self, heard: list[_Heard]) -> list[CommandField]:
        shares = pool.weights([h.score for h in heard], self.settings.score_scale)
        posteriors = [self._decoder.decode(h.words) for h in heard]
        joined = pool.join(posteriors, shares, self.vocabulary)
        again: list[pool.Shares] | None = None
        fields = []
        for i, name in enumerate(NAMES):
            found = heard[0].reading.fields[i]
            if found is not None and found.open and self._accept_open(heard[0], found, i):
                fields.append(CommandField(found.value, OPEN_CONFIDENCE, Source.RULES))
                continue
            mass = self._blend(joined[i], heard[0], found)
            value, probability = self._choose(mass, name)
            if probability < NO_COMMAND and heard[0].again:
                if again is None:
                    again = list(
                        pool.join([self._decoder.decode(heard[0].again)], [1.0], self.vocabulary)
                    )
                both = _agree(mass, again[i])
                value, probability = self._choose(both, name)
            fields.append(self._repaired(name, value, probability, found))
        return fields

    @staticmethod
    def _choose(mass: pool.Shares, name: str) -> tuple[str, float]:
        if mass.get("", 0.0) > NO_COMMAND:
            return "", mass[""]
        said = {value: share for value, share in mass.items() if value}
        return pool.best_expected(said) if name == "target" else pool.likeliest(said)

    def _repaired(
        self, name: str, value: str, probability: float, found: Found | None
    ) -> CommandField:
        confidence = self._calibration.confidence(name, probability)
        if not value or confidence < self.settings.min_confidence:
            return CommandField()
        source = Source.RULES if found is not None and found.value == value else Source.REPAIR
        return CommandField(value, confidence, source)

    @staticmethod
    def _blend(mass: pool.Shares, heard: _Heard, found: Found | None) -> pool.Shares:
        """Rules count beside the decoder where the text is well-formed but for a few words."""
        numeral = any(word.numeral for word in heard.words)
        if found is None or found.open or not found.sure or numeral:
            return mass
        if heard.known_share < CLEAN_SHARE or not heard.reading.complete:
            return mass
        out = {value: (1.0 - RULES_WEIGHT) * share for value, share in mass.items()}
        out[found.value] = out.get(found.value, 0.0) + RULES_WEIGHT
        return out

    def _accept_open(self, heard: _Heard, found: Found, field: int) -> bool:
        """Whether a name out of the vocabulary stands in a well-formed sentence, and is no
        misheard known one."""
        named = {i for f in heard.reading.fields if f and f.open for i in range(f.start, f.end)}
        rest = [w for i, w in enumerate(heard.words) if i not in named]
        known = sum(self._is_known(word) for word in rest)
        if any(w.numeral for w in rest) or known < CLEAN_SHARE * len(rest):
            return False
        span = [w.text for w in heard.words[found.start : found.end] if w.text not in self._own]
        said = phrase(" ".join(span))
        if not said or len(said[0]) < SHORTEST_OPEN or all(w in self._context.known for w in span):
            return False
        names = [self._tool_phrases, self._type_phrases][field - 1]()
        whole = [way for name in names for way in phrase(name)]
        parts = [way for name in names for word in name.split() for way in phrase(word)]
        likeness = max(Levenshtein.normalized_similarity(said[0], way) for way in whole + parts)
        return likeness < (ALIKE_CLEAN if known == len(rest) else ALIKE)

    def _tool_phrases(self) -> list[str]:
        return [plain(s) for tool in self.vocabulary.tools for s in tool.spoken]

    def _type_phrases(self) -> list[str]:
        return [plain(s) for kind in self.vocabulary.types for s in kind.spoken]

    @staticmethod
    def _command(fields: Sequence[CommandField], reason: str = "") -> Command:
        heading, tool, target = fields
        missing = [name for name, item in zip(NAMES, fields, strict=True) if not item.value]
        if len(missing) == len(NAMES):
            status = CommandStatus.REJECTED
            reason = reason or "no command in the transcript"
        elif missing:
            status = CommandStatus.INCOMPLETE
            reason = reason or f"could not tell: {', '.join(missing)}"
        else:
            status = CommandStatus.OK
            reason = ""
        return Command(status, heading, tool, target, reason)


def _agree(first: pool.Shares, second: pool.Shares) -> pool.Shares:
    """Two mentions of one field: where both say something, what both can mean gains."""
    if second.get("", 0.0) > NO_COMMAND:
        return first
    floor = 0.02
    values = {value for value in (*first, *second) if value}
    raw = {v: (first.get(v, 0.0) + floor) * (second.get(v, 0.0) + floor) for v in values}
    total = sum(raw.values())
    return {value: share / total for value, share in raw.items()} if total else first
