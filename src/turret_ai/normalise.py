# SPDX-License-Identifier: Apache-2.0
"""One spelling for what can be written in many: numerals, niner, grey, hyphens.

Used on transcripts by the hear stage and on its way into the understand stage.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from turret_ai import vocabulary

_SPELLINGS = {
    "gray": "grey",
    "grays": "greys",
    "greyish": "grey",
    "alfa": "alpha",
    "juliett": "juliet",
}
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: str(10 + i) for i, word in enumerate(_TEENS.split())} | {
    word: str(20 + 10 * i) for i, word in enumerate(_DECADES.split())
}
_NUMERAL = re.compile(r"\d+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s.,:/\-]+(?=\d)")
_NOT_A_WORD = re.compile(r"[^a-z0-9' ]+")


def plain(text: str) -> str:
    """Lower-case words between single spaces: hyphens opened, punctuation and accents gone.

    "Surface-to-Air, GRAY!" -> "surface to air grey". Letters of other alphabets are dropped.
    """
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).lower().replace("\u2019", "'")
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = re.sub(r"\be\.\s?m\.\s?p\b\.?", "emp", text)
    words = _NOT_A_WORD.sub(" ", text).split()
    return " ".join(_SPELLINGS.get(word, word) for word in (w.strip("'") for w in words) if word)


@lru_cache(maxsize=4)
def _digit_words() -> dict[str, str]:
    return {w: digit for digit, words in vocabulary.load().digits.items() for w in words}


def spell_digits(text: str) -> str:
    """Numerals as they are spoken on the radio, digit by digit; everything else is untouched.

    "heading 3-2-0" -> "heading three two zero"; "095" -> "zero niner five". A full stop or comma
    between digits counts as a separator only ("0.9.5" is three digits).
    """
    spoken = {digit: words[0] for digit, words in vocabulary.load().digits.items()}
    text = _BETWEEN_DIGITS.sub(" ", text)

    def spell(match: re.Match[str]) -> str:
        # other scripts have digits too: "\d" finds them, int() reads them
        return " ".join(spoken[str(int(digit))] for digit in match.group())

    text = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", text)
    return _NUMERAL.sub(spell, text)


def read_digits(text: str) -> str:
    """The digits of a spoken or written number: "three two zero", "3-2-0", "320" -> "320".

    "thirty five" -> "35"; words that are no number are passed over. "" where there is none.
    """
    digits = _digit_words()
    found: list[str] = []
    tens = False
    for word in plain(text).split():
        number = "".join(c for c in word if c.isdigit()) or digits.get(word) or _TENS.get(word, "")
        if tens and word in digits and number != "0":
            found[-1] = found[-1][:-1] + number
        elif number:
            found.append(number)
        tens = word in _TENS and number.endswith("0") and number != "10"
    return "".join(found)


def heading(text: str) -> str | None:
    """A heading on the grid from words or numerals: "zero six five" -> "065"; else None."""
    digits = read_digits(text)
    return digits if digits in vocabulary.load().headings else None
