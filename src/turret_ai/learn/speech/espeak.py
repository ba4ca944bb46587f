# SPDX-License-Identifier: Apache-2.0
"""espeak-ng in this process, by the library that the espeakng-loader wheel carries.

The engine is GPL-3: it is part of the `train` extra, and nothing of it is shipped.

Each text is spoken in a forked child. The library keeps the phase of its oscillators and its random
numbers from one text to the next and offers no way to reset them, so that a sentence would sound
different by what was said before; a child of a process that never speaks always starts alike.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from turret_ai.errors import InputError, MissingExtraError
from turret_ai.extras import require
from turret_ai.types import FloatArray

# Constants of espeak-ng/speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_PARAMETER_RATE, _PARAMETER_VOLUME, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 2, 3, 4
_PHONEME_EVENTS = 1
_EVENT_END, _EVENT_PHONEME = 0, 7

_LIMIT_S = 60

NORMAL_WORDS_PER_MINUTE = 160
NORMAL_PITCH = 50
ACCENTS = (
    "en-US",
    "en",
    "en-GB-x-rp",
    "en-GB-scotland",
    "en-GB-x-gbclan",
    "en-GB-x-gbcwmd",
    "en-029",
    "en-US-nyc",
)
UNLIKE_SPEECH = frozenset(
    {"whisper", "whisperf", "croak", "Demonic", "UniRobot", "anikaRobot", "fast", "kaukovalta"}
)
"""Variants that no operator sounds like, or that have hardly any voicing to learn from."""


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


Phones = list[tuple[float, str]]
"""(start in seconds, phone) in order; "_" is a pause."""


@cache
def _library() -> tuple[Any, int, Any, list[bytes], Phones]:
    loader = require("espeakng_loader", extra="train")
    try:
        library = ctypes.CDLL(loader.get_library_path())
    except OSError as error:
        raise MissingExtraError(f"espeak-ng's library can't be loaded: {error}") from error
    rate = library.espeak_Initialize(
        _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(loader.get_data_path()).encode(), _PHONEME_EVENTS
    )
    if rate <= 0:
        raise MissingExtraError("espeak-ng can't be started: its data folder is broken")
    pieces: list[bytes] = []
    phones: Phones = []
    callback_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
    )

    def collect(samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            pieces.append(ctypes.string_at(samples, count * 2))
        position = 0
        while events and events[position].type != _EVENT_END:
            event = events[position]
            if event.type == _EVENT_PHONEME:
                name = event.id.string.decode(errors="replace").strip("',%=|")
                phones.append((event.audio_position / 1000.0, name.rstrip(":") or "_"))
            position += 1
        return 0

    callback = callback_type(collect)
    library.espeak_SetSynthCallback(callback)
    return library, int(rate), callback, pieces, phones


def library() -> Any:
    """The loaded C library, for its text-to-phoneme rules.

    Raises:
        MissingExtraError: espeakng-loader isn't installed.
    """
    return _library()[0]


def voice_names() -> list[str]:
    """Accents with each of their variants, such as "en-gb+f3"; none without the engine."""
    try:
        loader = require("espeakng_loader", extra="train")
    except MissingExtraError:
        return []
    folder = Path(loader.get_data_path()) / "voices" / "!v"
    variants = sorted(p.name for p in folder.glob("*") if p.name not in UNLIKE_SPEECH)
    return [*ACCENTS, *(f"{accent}+{variant}" for accent in ACCENTS for variant in variants)]


def speak(text: str, voice: str, rate: float, pitch: float) -> tuple[FloatArray, int, Phones]:
    """Say a text.

    Args:
        voice: accent, or accent+variant.
        rate: multiple of 160 words a minute; the engine allows 80 to 450.
        pitch: multiple of the voice's own; the engine's scale of 0..100 spans about an octave.

    Returns:
        (mono float32 samples in [-1, 1], sample rate in Hz, phones with their start).

    Raises:
        InputError: there is no such voice, or nothing was said.
        MissingExtraError: espeakng-loader isn't installed.
    """
    sample_rate = _library()[1]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(writing, text, voice, rate, pitch)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    head, _, sound = answer.partition(b"\n")
    try:
        told = json.loads(head)
    except json.JSONDecodeError as error:
        raise InputError(f"espeak-ng broke down at {text!r} in voice {voice!r}") from error
    if "error" in told:
        raise InputError(told["error"])
    samples = np.frombuffer(sound, dtype="<i2").astype(np.float32) / 32768.0
    if samples.size == 0:
        raise InputError(f"espeak-ng said nothing for {text!r}")
    return samples, sample_rate, [(float(at), str(name)) for at, name in told["phones"]]


def _answer(writing: int, text: str, voice: str, rate: float, pitch: float) -> NoReturn:
    """The child's part: a line of JSON, then the samples as int16; never returns."""
    signal.alarm(_LIMIT_S)
    try:
        sound, phones = _synthesise(text, voice, rate, pitch)
        head: dict[str, Any] = {"phones": phones}
    except InputError as error:
        sound, head = b"", {"error": str(error)}
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(head).encode() + b"\n" + sound)
    os._exit(0)


def _synthesise(text: str, voice: str, rate: float, pitch: float) -> tuple[bytes, Phones]:
    library, _rate, _callback, pieces, phones = _library()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise InputError(f"espeak-ng has no voice {voice!r}")
    words = int(np.clip(NORMAL_WORDS_PER_MINUTE * rate, 80, 450))
    library.espeak_SetParameter(_PARAMETER_RATE, words, 0)
    level = NORMAL_PITCH + 100.0 * np.log2(max(pitch, 0.1))
    library.espeak_SetParameter(_PARAMETER_PITCH, int(np.clip(level, 0, 99)), 0)
    pieces.clear()
    phones.clear()
    data = text.encode() + b"\0"
    library.espeak_Synth(data, len(data), 0, 0, 0, _CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    return b"".join(pieces), list(phones)
