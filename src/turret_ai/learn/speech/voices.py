# SPDX-License-Identifier: Apache-2.0
"""Every free speech engine at hand and its voices, behind one `speak`."""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from turret_ai.errors import ConfigError, InputError
from turret_ai.learn.speech import espeak, kokoro, piper, voice_files
from turret_ai.types import FloatArray

SAMPLE_RATE = 16000
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of one engine. `name` is what the engine calls it."""

    engine: str
    name: str

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a sentence is spoken.

    rate: speed as a multiple of the voice's own.
    pitch: fundamental frequency as a multiple of the voice's own.
    """

    rate: float = 1.0
    pitch: float = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a voice said.

    samples: mono float32 in [-1, 1], shape (n,), 16 kHz.
    phones: (start in seconds, "engine/phone"), where the engine tells them; "_" is a pause.
    """

    samples: FloatArray
    phones: tuple[tuple[float, str], ...] = ()


FLITE_PITCH_HZ = {"kal": 105.0, "kal16": 105.0, "awb": 130.0, "rms": 100.0, "slt": 170.0}
"""Mean fundamental frequency of flite's voices, measured by ear and autocorrelation."""

FESTIVAL_PITCH_HZ = {
    "kal_diphone": 105.0,
    "ked_diphone": 105.0,
    "cmu_us_slt_arctic_hts": 170.0,
}


PICO_VOICES = ("en-US", "en-GB")
"""SVOX Pico's (Apache-2.0); the PyPI package ttspico compiles it where it is installed."""


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{command[0]} failed: {message[-1] if message else done.returncode}")
    return done.stdout.decode(errors="replace")


def _read(path: Path) -> FloatArray:
    try:
        samples, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"the engine wrote no audio: {error}") from error
    return _resampled(samples, rate)


def _resampled(samples: FloatArray, rate: int) -> FloatArray:
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return np.asarray(samples, dtype=np.float32)


def _flite(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "said.wav"
        pitch = FLITE_PITCH_HZ[voice.name] * delivery.pitch
        told = _run(
            [
                *("flite", "-psdur", "-voice", voice.name, "-o", str(out)),
                *("--setf", f"duration_stretch={1 / delivery.rate:.3f}"),
                *("--setf", f"int_f0_target_mean={pitch:.1f}"),
                *("-t", text),
            ]
        )
        start, phones = 0.0, []
        for name, end in re.findall(r"(\S+):([\d.]+)", told):
            phones.append((start, "_" if name == "pau" else f"flite/{name}"))
            start = float(end)
        return Spoken(_read(out), tuple(phones))


def _festival(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "said.wav"
        script = Path(folder) / "say.scm"
        pitch = FESTIVAL_PITCH_HZ[voice.name] * delivery.pitch
        quoted = re.sub(r'["\\]', " ", text)
        script.write_text(
            f"(voice_{voice.name})\n"
            f"(Parameter.set 'Duration_Stretch {1 / delivery.rate:.3f})\n"
            f"(set! int_lr_params '((target_f0_mean {pitch:.1f}) (target_f0_std 14)\n"
            "  (model_f0_mean 170) (model_f0_std 34)))\n"
            f'(set! said (utt.synth (Utterance Text "{quoted}")))\n'
            f'(utt.save.wave said "{out}" \'riff)\n',
            encoding="utf-8",
        )
        _run(["festival", "--batch", str(script)])
        return Spoken(_read(out))


def _espeak(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    samples, rate, phones = espeak.speak(text, voice.name, delivery.rate, delivery.pitch)
    named = tuple((at, "_" if name[0] == "_" else f"espeak/{name}") for at, name in phones)
    return Spoken(_resampled(samples, rate), named)


def _pico(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    ttspico = importlib.import_module("ttspico")
    try:
        engine = ttspico.TtsEngine(voice.name)  # a used one would speak differently
        engine.rate = round(100 * delivery.rate)
        engine.pitch = round(100 * delivery.pitch)
        sound = engine.speak(text)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"pico failed: {error}") from error
    samples = np.frombuffer(sound or b"", dtype="<i2").astype(np.float32) / 32768.0
    return Spoken(samples)


def _kokoro(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    samples = kokoro.speak(text, voice.name, delivery.rate)
    return Spoken(_resampled(samples, kokoro.SAMPLE_RATE))


def _piper(text: str, voice: Voice, delivery: Delivery) -> Spoken:
    return Spoken(_resampled(*piper.speak(text, voice.name, delivery.rate)))


_SPEAK: dict[str, Callable[[str, Voice, Delivery], Spoken]] = {
    "espeak": _espeak,
    "flite": _flite,
    "festival": _festival,
    "pico": _pico,
    "kokoro": _kokoro,
    "piper": _piper,
}
ENGINES = tuple(_SPEAK)


def _installed(folder: Path, names: Sequence[str]) -> list[str]:
    return [name for name in names if any(folder.glob(f"*/{name}"))]


def voices(engine: str) -> list[Voice]:
    """The voices of an engine on this machine; none where the engine is not installed.

    Raises:
        ConfigError: no engine of that name is known.
    """
    if engine == "espeak":
        return [Voice("espeak", name) for name in espeak.voice_names()]
    if engine == "flite":
        here = shutil.which("flite") is not None
        return [Voice("flite", name) for name in FLITE_PITCH_HZ] if here else []
    if engine == "festival":
        if shutil.which("festival") is None:
            return []
        names = _installed(Path("/usr/share/festival/voices"), list(FESTIVAL_PITCH_HZ))
        return [Voice("festival", name) for name in names]
    if engine == "pico":
        here = importlib.util.find_spec("ttspico") is not None
        return [Voice("pico", name) for name in PICO_VOICES] if here else []
    if engine == "kokoro":
        return [Voice("kokoro", name) for name in voice_files.kokoro_voices()]
    if engine == "piper":
        return [Voice("piper", name) for name in voice_files.piper_voices()]
    raise ConfigError(f"no speech engine is called {engine!r}: there are {', '.join(ENGINES)}")


def speak(text: str, voice: Voice, delivery: Delivery | None = None) -> Spoken:
    """Say a text.

    Args:
        text: plain words and punctuation.

    Returns:
        the speech with little silence at its ends.

    Raises:
        InputError: the engine failed, or said nothing.
        MissingExtraError: the engine's Python package is missing.
    """
    # An acronym in capitals is spelled by all engines only when its letters stand apart.
    spelled = re.sub(r"\b[A-Z]{2,4}\b", lambda found: " ".join(found.group()), text)
    said = _SPEAK[voice.engine](spelled, voice, delivery or Delivery())
    samples = said.samples
    loud = np.flatnonzero(np.abs(samples) > 0.01 * max(float(np.abs(samples).max(initial=0)), 1e-6))
    if loud.size == 0 or not np.isfinite(samples).all():
        raise InputError(f"{voice} said nothing for {text!r}")
    margin = SAMPLE_RATE // 50
    first = max(0, int(loud[0]) - margin)
    phones = tuple((round(at - first / SAMPLE_RATE, 3), name) for at, name in said.phones)
    return Spoken(samples[first : int(loud[-1]) + margin], phones)
