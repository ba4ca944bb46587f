# SPDX-License-Identifier: Apache-2.0
"""Numbers in a transcript: how they are said, and which of them can be the heading.

What can be no heading (ranges, times, channels, units ...) is taken out of the text before anything
else reads it; what is a heading, however it was said, becomes three digit words.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from turret_ai.understand.words import Word


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


HEADING_CUES = _set("heading headings bearing coordinates direction azimuth vector course headed")
LINKS = _set(
    "is of at to towards toward the on a an set as one's your now due from reads with steady"
)
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_LABELS = _set(
    "altitude elevation speed airspeed groundspeed range distance channel frequency squawk code "
    "sector grid level angels runway unit squadron battery station turret tower pitch tilt angle "
    "time zone gate hill phase waypoint checkpoint flight wing crew platoon company number "
    "condition visibility wind temperature count stage section room building hangar pad operation "
    "net freq transponder id serial size mach eta elevate raise lower climb descend depth height "
    "ceiling magnitude version page clip defcon quadrant cell lane pier dock bay deck road route "
    "highway exit camp team alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo "
    "lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey yankee zulu"
)
"""What a number after one of these counts or names is something else."""
_NAMED = _set(
    "tower turret control alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima "
    "mike november oscar papa quebec romeo sierra tango uniform victor whiskey yankee zulu"
)
"""Of these, what has one or two digits is a name; three are a heading, if nothing else is."""
_LABEL_LINKS = _set("is of at the a about around approximately roughly nearly over under")
_MEASURES = _set(
    "feet foot ft meters metres meter metre km kilometers kilometres kilometer kilometre miles "
    "mile knots knot kts mph kph kmh hours hour seconds minutes minute hertz khz mhz megahertz "
    "kilohertz oclock o'clock klicks yards percent celsius fahrenheit"
)
_UNITS = _MEASURES | _set(
    "m mi kt hrs second secs mins rounds round clicks klick click nautical yard inches pounds "
    "kilos tons thousand million am pm zulu times drones missiles helicopters planes jets targets "
    "bogeys bandits hostiles contacts units shots bursts gs mach volts watts points bars minus"
)
_UP = _set("up down above below left right elevation altitude pitch celsius fahrenheit off tilt")
NINER_ENDS = _set("or er her are our ore a uh ah")
"""What recognisers make of the end of "niner": "two nine or five"."""
_LIKE_DIGITS = {"to": "2", "too": "2", "for": "4", "ate": "8", "won": "1", "free": "3"}
"""Small words that recognisers write for digits amid others: "zero to five"."""
_UNCOUNTED = _set(
    "drones missiles helicopters planes jets targets bogeys bandits hostiles contacts units "
    "hours hour"
)
"""What is not counted by the hundred: "three two zero targets" counts nothing, and "heading 180
hours" is how recognisers write "heading one eight zero. Our ..."."""
_AFTER_COUNT = _set("fire go ready launch engage shoot mark now execute deploy")
_COMPASS = {
    "north": "360", "east": "090", "south": "180", "west": "270",
    "northeast": "045", "southeast": "135", "southwest": "225", "northwest": "315",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """Words [start, end) say a number.

    digits: as they would be written, such as "270", "05" or "3000".
    cued: a word for heading stands beside it. other: it can be no heading.
    mended: a "niner" that was written otherwise is part of it.
    """

    start: int
    end: int
    digits: str
    cued: bool = False
    other: bool = False
    mended: bool = False


class Numbers:
    """Finds numbers and tidies a text; digits: "0".."9" -> the words for it."""

    def __init__(self, digits: Mapping[str, Sequence[str]], headings: Sequence[str] = ()) -> None:
        self._headings = headings
        self._digits = {word: digit for digit, said in digits.items() for word in said}
        self._words = {digit: said[0] for digit, said in digits.items()}
        self._starts = frozenset((*self._digits, *_TENS, *_TEENS, *_TIMES, "a"))

    def is_number(self, word: Word) -> bool:
        """Whether a word is a numeral or a word for a number."""
        text = word.text
        return text.isdecimal() or text in self._digits or text in _TENS or text in _TEENS

    def find(self, words: Sequence[Word]) -> list[Number]:
        """Every number of a text, in order."""
        out: list[Number] = []
        i = 0
        while i < len(words):
            text = words[i].text
            begins = text in self._starts or text.isdecimal()
            end = self._end(words, i) if begins else i
            if end == i:
                i += 1
                continue
            digits = self.read(words[i:end])
            number = Number(i, end, digits)
            cued = self._cued(words, number)
            other = self._other(words, number, cued)
            mended = any(word.mended for word in words[i:end])
            out.append(replace(number, cued=cued and not other, other=other, mended=mended))
            i = end
        return out

    def tidy(self, words: list[Word]) -> tuple[list[Word], list[Number]]:
        """(text, its numbers): without those that are no heading; a heading in digit words.

        Numerals stay as they are: a recogniser wrote them, and may have misheard.
        """
        words = _compass(self._small_words(self._niners(words)), self._words)
        numbers = self.find(words)
        sure = any(n.cued and len(n.digits) == 3 for n in numbers)
        out: list[Word] = []
        at = 0
        for number in numbers:
            drop = number.other or (sure and not number.cued and len(number.digits) > 1)
            if drop:
                start, end = (
                    self._phrase(words, number)
                    if number.other
                    else (
                        number.start,
                        number.end,
                    )
                )
                out += words[at : max(at, start)]
                at = max(at, end)
                if at < len(words) and not words[at].stop:
                    words[at] = replace(words[at], stop=True, mark=words[at].mark or ",")
            elif self._needs_words(words, number):
                out += words[at : number.start]
                first = words[number.start]
                said = [Word(self._words[d]) for d in number.digits]
                said[0] = replace(said[0], stop=first.stop, mark=first.mark, mended=number.mended)
                out += said
                at = number.end
        if not at:
            return words, numbers
        out += words[at:]
        return out, self.find(out)

    def _niners(self, words: list[Word]) -> list[Word]:
        """ "two nine or five" -> "two niner five", where that makes a heading of it."""
        out = words
        for i in range(len(words) - 2, 0, -1):
            if words[i].text in NINER_ENDS and self.within_niner(words, i):
                nine = words[i - 1]
                text = nine.text if nine.numeral else self._words["9"]
                out = [*out[: i - 1], replace(nine, text=text, mended=True), *out[i + 1 :]]
                out[i] = replace(out[i], stop=False, mark="")
        return out

    def _small_words(self, words: list[Word]) -> list[Word]:
        """ "heading zero to five" -> "heading zero two five", where that makes three digits."""
        out = words
        for i in range(1, len(words) - 1):
            digit = _LIKE_DIGITS.get(words[i].text)
            if not digit or not self._digit(words[i - 1]) or not self._digit(words[i + 1]):
                continue
            start, end = i - 1, i + 2
            while start > 0 and self._digit(words[start - 1]):
                start -= 1
            while end < len(words) and self._digit(words[end]):
                end += 1
            text = self.read(words[start:i]) + digit + self.read(words[i + 1 : end])
            whole = Number(start, end, text)
            parted = any(word.new_sentence for word in words[start + 1 : end])
            if len(text) == 3 and not parted and self._cued(words, whole):
                out = [*out[:i], replace(words[i], text=self._words[digit], mended=True)]
                out += words[i + 1 :]
        return out

    def within_niner(self, words: Sequence[Word], i: int) -> bool:
        """Whether word i is the end of a "niner" amid a heading of two or three digits."""
        if not 0 < i < len(words) - 1 or words[i].text not in NINER_ENDS:
            return False
        if words[i].new_sentence or words[i + 1].new_sentence:
            return False
        nine = words[i - 1].text
        if not (self._digits.get(nine) == "9" or (nine.isdecimal() and nine.endswith("9"))):
            return False
        start, end = i - 1, i + 1
        while start > 0 and self._digit(words[start - 1]) and not words[start].new_sentence:
            start -= 1
        while end < len(words) and self._digit(words[end]) and not words[end].new_sentence:
            end += 1
        before, after = self.read(words[start:i]), self.read(words[i + 1 : end])
        return bool(after) and len(before) < 3 and len(before) + len(after) <= 3

    def _digit(self, word: Word) -> bool:
        return word.text in self._digits or word.text.isdecimal()

    def _needs_words(self, words: Sequence[Word], number: Number) -> bool:
        """Whether it is said otherwise than digit by digit, and comes to three digits."""
        span = words[number.start : number.end]
        if len(number.digits) != 3 or any(word.numeral for word in span):
            return False
        return any(word.text not in self._digits for word in span)

    def _end(self, words: Sequence[Word], start: int) -> int:
        """End of the number that begins at `start`; `start` where none does."""
        i = start
        while i < len(words):
            word = words[i]
            if i > start and word.stop and not word.joined and self._complete(words[start:i], word):
                break
            ahead = words[i + 1] if i + 1 < len(words) else None
            if self.is_number(word):
                i += 1
            elif word.text in _TIMES and ahead is not None and ahead.text in self._digits:
                i += 2
            elif word.text in ("hundred", "thousand") and i > start:
                i += 1
            elif word.text == "a" and ahead is not None and ahead.text == "hundred":
                i += 2
            elif (
                word.text == "and"
                and i > start
                and ahead is not None
                and self.is_number(ahead)
                and (words[i - 1].text == "hundred" or words[i - 1].text in ("100", "200", "300"))
            ):
                i += 1
            else:
                break
        if i == start + 1 and words[start].text == "oh":
            return start
        return i

    def _complete(self, said: Sequence[Word], following: Word) -> bool:
        """Whether a stop after these words ends the number."""
        return len(self.read(said)) >= 3 or following.new_sentence

    def read(self, said: Sequence[Word]) -> str:
        """The digits of a number: "two hundred and seventy" is "270", "one double five" "155"."""
        out = ""
        i = 0
        while i < len(said):
            word = said[i].text
            following = said[i + 1].text if i + 1 < len(said) else ""
            if word in _TIMES and following in self._digits:
                out += self._digits[following] * _TIMES[word]
                i += 2
                continue
            if following == "hundred" and (word in self._digits or word == "a"):
                head = "1" if word == "a" else self._digits[word]
                rest, i = self._below_hundred(said, i + 2)
                out += f"{head}{rest:02d}"
                continue
            if word.isdecimal() and following == "and" and len(word) == 3 and word.endswith("00"):
                rest, i = self._below_hundred(said, i + 1)
                out += f"{word[0]}{rest:02d}"
                continue
            if word in _TENS or word in _TEENS:
                value, i = self._below_hundred(said, i)
                out += str(value)
                continue
            if word == "thousand":
                out += "000"
            elif word in self._digits:
                out += self._digits[word]
            elif word.isdecimal():
                out += "".join(str(int(c)) for c in word)
            i += 1
        return out

    def _below_hundred(self, said: Sequence[Word], i: int) -> tuple[int, int]:
        """(value, where it ends) of "seventy five", "and five", "seventy", ""."""
        if i < len(said) and said[i].text == "and":
            i += 1
        if i >= len(said):
            return 0, i
        word = said[i].text
        following = said[i + 1].text if i + 1 < len(said) else ""
        if word in _TENS:
            unit = self._digits.get(following, "0")
            if unit != "0" and not said[i + 1].stop:
                return _TENS[word] + int(unit), i + 2
            return _TENS[word], i + 1
        if word in _TEENS:
            return _TEENS[word], i + 1
        if word.isdecimal() and len(word) < 3:
            return int(word), i + 1
        if word in self._digits:
            if following in self._digits:
                return int(self._digits[word] + self._digits[following]), i + 2
            return int(self._digits[word]), i + 1
        return 0, i

    def _cued(self, words: Sequence[Word], number: Number) -> bool:
        """Whether a word for heading stands before it, over linking words, or right after."""
        i = number.start - 1
        while i >= 0 and words[i].text in LINKS and not words[i + 1].new_sentence:
            i -= 1
        if i >= 0 and words[i].text in HEADING_CUES and not words[i + 1].new_sentence:
            return True
        after = number.end
        if after < len(words) and words[after].text == "degrees" and not words[after].stop:
            after += 1
        return (
            after < len(words)
            and words[after].text in HEADING_CUES
            and not words[after].stop
            and not self._begins_another(words, after)
        )

    def _begins_another(self, words: Sequence[Word], cue: int) -> bool:
        """Whether a word for heading has a number of its own after it."""
        i = cue + 1
        while i < len(words) and words[i].text in LINKS and not words[i].stop:
            i += 1
        return i < len(words) and not words[i].new_sentence and self.is_number(words[i])

    def _other(self, words: Sequence[Word], number: Number, cued: bool) -> bool:
        """Whether it counts, measures or names something else."""
        span = words[number.start : number.end]
        after = words[number.end] if number.end < len(words) else Word("", True)
        beyond = words[number.end + 1] if number.end + 1 < len(words) else Word("", True)
        if not after.stop and after.text in (_MEASURES if cued else _UNITS):
            spelled = number.digits in self._headings and not any(w.text == "hundred" for w in span)
            if not (spelled and len(number.digits) == 3 and after.text in _UNCOUNTED):
                return True
        turned = after.text == "degrees" and not beyond.stop and beyond.text in _UP
        if turned and beyond.text in _LABELS and self._labelled(words, number.end + 1):
            turned = False  # "heading three two five degrees altitude fifty five degrees"
        if turned or any(word.text == "thousand" for word in span):
            return True
        if cued:
            return False
        joined = any(word.joined and word.mark == ":" for word in span[1:])
        whole = len(span) == 1 and len(number.digits) > 3  # "3000", not "ten one 35"
        if joined or (whole and four_digits(number.digits, self._headings) is None):
            return True
        if self._counted(words, number, after):
            return True
        label = self._label(words, number)
        if words[label].text in _NAMED and number.digits in self._headings:
            return False  # "this is control tower zero two zero"
        return label < number.start

    def _counted(self, words: Sequence[Word], number: Number, after: Word) -> bool:
        """Whether it is a countdown: "three two one fire". 210 is one if its digits stand apart."""
        if not _counts_down(number.digits):
            return False
        if number.digits in self._headings:
            before = words[number.start - 1].text if number.start else ""
            apart = all(word.stop for word in words[number.start + 1 : number.end])
            return apart and before not in LINKS and after.text in _AFTER_COUNT
        return after.stop or after.text in _AFTER_COUNT

    def _labelled(self, words: Sequence[Word], label: int) -> bool:
        """Whether a word that says what a number is has one of its own after it."""
        i = label + 1
        while i < len(words) and words[i].text in _LABEL_LINKS and not words[i].stop:
            i += 1
        return i < len(words) and not words[i].new_sentence and self.is_number(words[i])

    @staticmethod
    def _label(words: Sequence[Word], number: Number) -> int:
        """Where the phrase begins that says what the number is; its own start where none does."""
        i = number.start - 1
        if i < 0 or words[number.start].new_sentence:
            return number.start
        while i > 0 and words[i].text in _LABEL_LINKS and not words[i].stop:
            i -= 1
        gap = any(words[k].stop for k in range(i + 1, number.start + 1))
        if words[i].text in _LABELS and not gap:
            if words[i].text == "level" and i and words[i - 1].text in ("flight", "threat"):
                return i - 1
            return i
        return number.start

    def _phrase(self, words: Sequence[Word], number: Number) -> tuple[int, int]:
        """The words to take out with a number: its label before, its unit after."""
        start, end = self._label(words, number), number.end
        if start == number.start and start and words[start - 1].text in ("at", "in", "for"):
            start -= 1
        while (
            end < len(words)
            and not words[end].stop
            and (
                words[end].text in _UNITS
                or words[end].text in ("degrees", "point", "decimal")
                or (
                    words[end].text in _UP
                    and words[end - 1].text == "degrees"
                    and not self._labelled(words, end)
                )
            )
        ):
            end += 1
        kept = words[number.end].text if number.end < len(words) else ""
        if kept in ("drones", "missiles", "helicopters", "aircraft", "planes", "jets"):
            end = number.end  # a target may begin here
        return start, end


def four_digits(text: str, headings: Sequence[str]) -> str | None:
    """The heading in a numeral of four digits, without the one that a recogniser put in.

    It repeats a neighbour ("1180": 180) or is the zero of a spoken hundred or ten ("1005": 105,
    "2070": 270). None where no such heading comes out.
    """
    if len(text) != 4 or not text.isdecimal():
        return None
    doubled = [text[:i] + text[i + 1 :] for i in range(3) if text[i] == text[i + 1]]
    zeros = [text[:i] + text[i + 1 :] for i in (1, 2) if text[i] == "0"]
    return next((cut for cut in (*doubled, *zeros) if cut in headings), None)


def _counts_down(digits: str) -> bool:
    """ "321", "54321" """
    return len(digits) >= 3 and all(int(a) - int(b) == 1 for a, b in itertools.pairwise(digits))


def _compass(words: list[Word], digits: Mapping[str, str]) -> list[Word]:
    """ "heading due north" -> "heading three six zero", where a word for heading says so."""
    if not any(word.text in _COMPASS for word in words):
        return words
    out: list[Word] = []
    i = 0
    while i < len(words):
        word = words[i]
        value, end = _COMPASS.get(word.text, ""), i + 1
        pair = word.text + words[end].text if end < len(words) and not words[end].stop else ""
        if pair in _COMPASS:
            value, end = _COMPASS[pair], end + 1
        if not value or not _points(out):
            out.append(word)
            i += 1
            continue
        said = [Word(digits[d]) for d in value]
        said[0] = replace(said[0], stop=word.stop, mark=word.mark)
        out += said
        i = end
    return out


def _points(before: Sequence[Word]) -> bool:
    """Whether a direction is meant by what follows these words."""
    i = len(before) - 1
    while i >= 0 and before[i].text in LINKS | {"due"}:
        i -= 1
    return (
        i >= 0
        and before[i].text in HEADING_CUES
        and not any(word.new_sentence for word in before[i + 1 :])
    )
