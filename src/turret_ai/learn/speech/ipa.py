# SPDX-License-Identifier: Apache-2.0
"""Text to the International Phonetic Alphabet by espeak-ng's rules, for neural voices."""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache

from turret_ai.errors import InputError
from turret_ai.learn.speech import espeak

_CHARS_UTF8 = 1
_IPA = 0x02
_TIED = 0x80
_TIE = "^"
_PAUSES = re.compile(r"\s*([,.;:!?])\s*")


@lru_cache(maxsize=4096)
def _clause(text: str, accent: str, tied: bool) -> str:
    library = espeak.library()
    if library.espeak_SetVoiceByName(accent.encode()) != 0:
        raise InputError(f"espeak-ng has no voice {accent!r}")
    translate = library.espeak_TextToPhonemes
    translate.restype = ctypes.c_char_p
    rest = ctypes.c_char_p(text.encode())
    mode = _IPA | ((_TIED | ord(_TIE) << 8) if tied else 0)
    parts: list[str] = []
    while rest.value:
        said = translate(ctypes.byref(rest), _CHARS_UTF8, mode)
        parts.append((said or b"").decode())
    return re.sub(r"\([a-z-]+\)", "", " ".join(parts)).strip()


def phonemes(text: str, accent: str = "en-us", tied: bool = False) -> str:
    """What a text sounds like, its punctuation kept.

    Args:
        text: plain words and punctuation.
        accent: a voice of espeak-ng.
        tied: the parts of diphthongs and affricates are joined by "^".

    Raises:
        InputError: no such accent.
        MissingExtraError: espeakng-loader isn't installed.
    """
    out = ""
    for piece in _PAUSES.split(text):
        if _PAUSES.fullmatch(piece):
            out = out.rstrip() + piece + " "
        elif piece.strip():
            out += _clause(piece.strip(), accent, tied)
    return out.strip()
