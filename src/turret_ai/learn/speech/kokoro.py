# SPDX-License-Identifier: Apache-2.0
"""Kokoro-82M: some 28 English voices, and speakers between them that do not exist.

The model (Apache-2.0) reads phonemes of the alphabet of its own text front end, misaki; the style
vector that makes a voice is picked by the number of phonemes. A voice is called by its name, or as
a mixture of names with shares: "af_heart*0.6+bm_lewis*0.4".
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import onnxruntime

from turret_ai.errors import InputError
from turret_ai.learn.speech import ipa, voice_files
from turret_ai.types import FloatArray

SAMPLE_RATE = 24000
_MOST_PHONEMES = 509
_STYLES = 510
_WIDTH = 256

# From espeak-ng's to misaki's letters: one for each diphthong and affricate.
_COMMON = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
    "ə^l": "ᵊl",
    "ɚɹ": "əɹ",
    "ɚ": "əɹ",
    "r": "ɹ",
    "x": "k",
    "ç": "k",
    "ɐ": "ə",
    "ɬ": "l",
    "ʲ": "",
    "\u0303": "",
    "\u0329": "",
}
_AMERICAN = {"o^ʊ": "O", "ɜː^ɹ": "ɜɹ", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪ^ə": "iə", "ː": ""}
_BRITISH = {"ə^ʊ": "Q", "o^ʊ": "Q", "e^ə": "ɛː", "i^ə": "ɪə", "ɪ^ə": "ɪə"}


def misaki(text: str, british: bool = False) -> str:
    """A text in the letters that the model reads."""
    said = ipa.phonemes(text, "en-GB-x-rp" if british else "en-US", tied=True)
    for theirs, ours in (*(_BRITISH if british else _AMERICAN).items(), *_COMMON.items()):
        said = said.replace(theirs, ours)
    return said.replace("^", "")


@cache
def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        voice_files.kokoro_model(), options, providers=["CPUExecutionProvider"]
    )


@cache
def _styles(name: str) -> FloatArray:
    raw = np.frombuffer(voice_files.kokoro_style(name), dtype="<f4")
    if raw.size != _STYLES * _WIDTH:
        raise InputError(f"the style vectors of {name} are broken: {raw.size} numbers")
    return raw.reshape(_STYLES, _WIDTH).astype(np.float32)


def parts(voice: str) -> list[tuple[str, float]]:
    """The voices of a mixture with their shares, which add up to 1.

    Raises:
        InputError: it can't be read.
    """
    found = []
    for part in voice.split("+"):
        match = re.fullmatch(r"([a-z]{2}_[a-z]+)(?:\*([\d.]+))?", part)
        if match is None:
            raise InputError(f"{voice!r} is no voice of Kokoro, such as af_heart*0.6+am_puck*0.4")
        found.append((match[1], float(match[2] or 1.0)))
    total = sum(share for _, share in found)
    if not total > 0:
        raise InputError(f"the shares of {voice!r} must be more than nothing")
    return [(name, share / total) for name, share in found]


def speak(text: str, voice: str, rate: float) -> FloatArray:
    """Say a text.

    Args:
        voice: a name, or a mixture.
        rate: speed, of the voice's own.

    Returns:
        mono float32 at 24 kHz.

    Raises:
        InputError: no such voice, or the text is longer than some 500 phonemes.
        MissingExtraError: the extra `voices` isn't installed, or the voices weren't fetched.
    """
    mixture = parts(voice)
    british = max(mixture, key=lambda part: part[1])[0].startswith("b")
    letters = voice_files.kokoro_letters()
    ids = [letters[c] for c in misaki(text, british) if c in letters]
    if not 0 < len(ids) <= _MOST_PHONEMES:
        raise InputError(f"Kokoro says 1 to {_MOST_PHONEMES} phonemes at once, not {len(ids)}")
    style = sum(share * _styles(name)[len(ids)] for name, share in mixture)
    said = _session().run(
        None,
        {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": np.asarray(style, dtype=np.float32)[None],
            "speed": np.array([rate], dtype=np.float32),
        },
    )[0]
    return np.asarray(said, dtype=np.float32).reshape(-1)
