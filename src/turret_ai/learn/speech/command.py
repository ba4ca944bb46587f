# SPDX-License-Identifier: Apache-2.0
"""What `turret-ai synth audio` and `turret-ai synth say` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from pydantic import ValidationError

from turret_ai import documents
from turret_ai.errors import ConfigError, InputError, MissingExtraError
from turret_ai.learn.speech import corpus, listening, voices
from turret_ai.learn.speech.radio import RadioSettings, transmit


def _shares(engines: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in engines.split(","):
        name, _, share = part.strip().partition("=")
        if name not in voices.ENGINES:
            raise ConfigError(f"--engines: {name!r} is none of {', '.join(voices.ENGINES)}")
        try:
            shares[name] = float(share) if share else 1.0
        except ValueError as error:
            raise ConfigError(f"--engines: {share!r} is not a number") from error
    return shares


def _radio(options: Sequence[str]) -> RadioSettings:
    values: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigError(f"--radio is written key=value: got {option!r}")
        values[key] = documents.parse_yaml(value, f"--radio {documents.shown(option)}: the value")
    return RadioSettings(**values)


def audio(
    out: Path,
    num_clips: int,
    index_offset: int,
    seed: int,
    style: str,
    scraps: float,
    engines: str,
    clean: bool,
    radio: Sequence[str],
    workers: int,
    talk: float = 0.0,
    no_orders: float = 0.0,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> None:
    """Make a corpus and its listening page.

    Raises:
        ConfigError: an option is unknown or out of range.
        InputError, MissingExtraError: see `turret_ai.learn.speech.corpus.make`.
    """
    try:
        speaking = corpus.Speaking(
            **({"engines": _shares(engines)} if engines else {}),
            only=tuple(only),
            exclude=tuple(exclude),
        )
        settings = corpus.CorpusSettings.model_validate(
            {
                "seed": seed,
                "texts": {
                    "style": style,
                    "scraps": scraps,
                    "talk": talk,
                    "no_orders": no_orders,
                },
                "speaking": speaking,
                "radio": None if clean else _radio(radio),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    manifest = corpus.make(out, num_clips, index_offset, settings, workers or None)
    listening.write(manifest)


def say(text: str, out: Path, voice: str, clean: bool, seed: int) -> None:
    """Speak one text into a file.

    Raises:
        ConfigError: no such engine or voice.
        InputError: nothing was said, or the file can't be written.
        MissingExtraError: no engine is installed.
    """
    known = [v for engine in voices.ENGINES for v in voices.voices(engine)]
    if not known:
        raise MissingExtraError(
            "no speech engine is installed: pip install 'turret_ai[train]' brings espeak-ng, "
            "and your system's packages flite and festival"
        )
    if voice:
        chosen = next((v for v in known if str(v) == voice), None)
        if chosen is None:
            raise ConfigError(f"no voice is called {voice!r}; examples: {known[0]}, {known[-1]}")
    else:
        chosen = next((v for v in known if str(v) == "flite:rms"), known[0])
    samples = voices.speak(text, chosen).samples
    if clean:
        samples = samples / float(np.abs(samples).max()) * 0.5
    else:
        mild = RadioSettings(snr_db=(18.0, 25.0), dropouts=0.0, clip=0.0, codec=0.0, stretch=0.0)
        samples, _ = transmit(samples, np.random.default_rng(seed), mild)
    try:
        soundfile.write(out, samples, voices.SAMPLE_RATE)
    except (OSError, soundfile.LibsndfileError, TypeError, ValueError) as error:
        raise InputError(f"{out} can't be written: {error}") from error
