# SPDX-License-Identifier: Apache-2.0
"""Misheard transcripts: clean commands as an untuned recogniser writes them.

Sentences are hurt in bursts. Within a burst the sounds are misheard (`mishear`), the borders of
words are forgotten, and a dictionary and a language model of general English find plausible words
for what is left (`plausible`). Digits are written in the ways of `numerals`. One to three sentences
in a hundred are cut off, loop, or come out in another language.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turret_ai.errors import InputError
from turret_ai.learn import mishear, numerals, plausible, sentences
from turret_ai.learn.sentences import Style

_SPELLINGS = (
    ("grey", "gray"), ("defense", "defence"), ("Surface-to-air", "Surface to air"),
    ("surface-to-air", "surface to air"), ("anti-air", "anti air"), ("anti-air", "antiair"),
    ("neutralize", "neutralise"), ("camouflage", "camouflaged"), ("standby", "stand by"),
)  # fmt: skip
_OTHER_LANGUAGES = (
    "Das ist der Turm, bitte das Ziel angreifen.",
    "Atención torres, el objetivo es un avión.",
    "Dobrze, dziękuję za uwagę.",
    "Merci d'avoir regardé cette vidéo.",
    "ご視聴ありがとうございました",
    "Спасибо за просмотр",
)
_STRAY = ("Thank you.", "Thanks for watching!", "you", "Okay.", "I'm going to go to the next one.")


@dataclass(frozen=True, slots=True)
class Damage:
    """How much goes wrong, each a probability at full rate (rate 1).

    burst: a good word begins a burst. stay: a burst goes on with the next word.
    strength: share of phones hurt within a burst. numerals: digits not written as words.
    spelling: another spelling of a word. broken: the sentence is cut off, loops or is no English.
    """

    burst: float = 0.30
    stay: float = 0.5
    strength: float = 0.25
    numerals: float = 0.85
    spelling: float = 0.3
    broken: float = 0.03


class Corrupter:
    """Writes clean sentences as a recogniser may hear them.

    Args:
        rate: 0 (untouched) .. 1 (an untuned small model in much noise).
        seed: of the random numbers; the same seed gives the same text.
    """

    def __init__(self, rate: float, seed: int = 0, damage: Damage | None = None) -> None:
        if not 0.0 <= rate <= 1.0:
            raise InputError(f"the corruption rate must be 0..1, not {rate}")
        self._rate = rate
        self._damage = damage or Damage()
        self._rng = random.Random(seed)
        self._writer = plausible.writer()

    def corrupt(self, text: str) -> str:
        """One sentence as heard."""
        rng, rate, damage = self._rng, self._rate, self._damage
        if rate == 0.0:
            return text
        # recordings differ: some are clear, some are mostly noise
        level = min(1.0, rate * rng.gammavariate(2.0, 0.5))
        out: list[str] = []
        words = text.split()
        bad, i = False, 0
        span: list[str] = []
        write_digits = rng.random() < damage.numerals * min(1.0, rate * 1.5)
        while i < len(words):
            run = self._digit_run(words, i)
            chance = damage.stay if bad else damage.burst * level
            if run > i:
                end_mark = re.sub(r"^[\w'\-]+", "", words[run - 1])
                said = [_bare(w) for w in words[i:run]]
                if write_digits:
                    self._flush(out, span)
                    done = numerals.write(said, rng)
                    out += [*done[:-1], done[-1] + end_mark]
                    bad, i = False, run
                    continue
                if rng.random() < chance * 0.7:
                    bad = True
                    span += words[i:run]
                    i = run
                    continue
                self._flush(out, span)
                out += words[i:run]
                bad, i = False, run
                continue
            bad = rng.random() < chance
            if bad:
                span.append(words[i])
            else:
                self._flush(out, span)
                out.append(words[i])
            i += 1
        self._flush(out, span)
        heard = self._respell(" ".join(out))
        return self._break(heard) if rng.random() < damage.broken * rate else heard

    @staticmethod
    def _digit_run(words: Sequence[str], start: int) -> int:
        i = start
        while i < len(words) and _bare(words[i]) in numerals.VALUE:
            i += 1
            if words[i - 1][-1] in ".!?":
                break
        return i

    def _flush(self, out: list[str], span: list[str]) -> None:
        """Mishear the words of a finished burst and empty it."""
        if not span:
            return
        said: list[tuple[str, ...]] = []
        for word in span:
            for part in re.split(r"[-\s]+", word):
                plain = _bare(part)
                if plain == "emp":
                    said.append(("IY", "EH", "M", "P", "IY"))
                elif plain in self._writer.pronunciation:
                    said.append(self._writer.pronunciation[plain])
        stop = span[-1][-1] if span[-1][-1] in ",." and self._rng.random() < 0.7 else ""
        strength = self._damage.strength * self._rng.uniform(0.4, 1.6)
        phones = mishear.mishear(said, strength, self._rng)
        before = _bare(out[-1]) if out else "<s>"
        written = self._writer.write(phones, before, self._rng) if phones else []
        span.clear()
        if written:
            out += _join_letters(written)
            out[-1] += stop

    def _respell(self, text: str) -> str:
        for usual, other in _SPELLINGS:
            if usual in text and self._rng.random() < self._damage.spelling * self._rate:
                text = text.replace(usual, other)
        if self._rng.random() < 0.1 * self._rate:
            text = text.lower()
        if self._rng.random() < 0.15 * self._rate:
            text = re.sub(r"[,.]", "", text)
        return text[:1].upper() + text[1:]

    def _break(self, text: str) -> str:
        kind = self._rng.random()
        words = text.split()
        if kind < 0.45:
            return " ".join(words[: max(2, round(len(words) * self._rng.uniform(0.3, 0.9)))])
        if kind < 0.75 and len(words) > 6:
            at = self._rng.randrange(len(words) - 4)
            loop = words[at : at + self._rng.randint(2, 4)]
            return " ".join([*words[: at + len(loop)], *loop * self._rng.randint(8, 40)])
        if kind < 0.9:
            return self._rng.choice(_STRAY)
        return self._rng.choice(_OTHER_LANGUAGES)


def _bare(word: str) -> str:
    return re.sub(r"[^\w'\-]", "", word).lower()


def _join_letters(words: list[str]) -> list[str]:
    """ "D M B" -> "DMB" """
    out: list[str] = []
    for word in words:
        if out and word.isupper() and out[-1].isupper() and word != "I":
            out[-1] += word
        else:
            out.append(word)
    return out


def make(
    number: int, rate: float, seed: int = 0, style: Style = "mixed", alternatives: int = 1
) -> Iterable[dict[str, object]]:
    """Misheard sentences of the grammar, each with its truth.

    Yields:
        key, transcript (as heard), clean, heading, tool, target; with `alternatives` above 1 also
        that many readings with scores.
    """
    corrupter = Corrupter(rate, seed + 1)
    for key, made in enumerate(sentences.draw(number, seed, style)):
        heard = [corrupter.corrupt(made.transcript) for _ in range(alternatives)]
        row: dict[str, object] = {**made.as_dict(key)}
        row |= {"transcript": heard[0], "clean": made.transcript}
        if alternatives > 1:
            row["alternatives"] = [{"text": t, "score": -float(i)} for i, t in enumerate(heard)]
        yield row


def write(
    out: Path, number: int, rate: float, seed: int, style: Style, alternatives: int = 1
) -> None:
    """Write misheard sentences as JSON lines, with a progress bar.

    Raises:
        InputError: the file can't be written, or the rate is out of range.
        MissingExtraError: pocketsphinx isn't installed.
    """
    from rich.console import Console
    from rich.progress import track

    try:
        with out.open("w", encoding="utf-8") as file:
            rows = make(number, rate, seed, style, alternatives)
            console = Console(stderr=True)
            for row in track(rows, "mishearing", total=number, console=console):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise InputError(f"{out} can't be written: {error}") from error
