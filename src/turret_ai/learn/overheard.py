# SPDX-License-Identifier: Apache-2.0
"""What real recognisers make of spoken commands: pairs of clean and heard text.

Sentences of the grammar are spoken (or taken from a folder of clips), sent over radios of many
levels, and read by each recogniser. What the understand stage learns of errors, it learns here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from turret_ai.errors import ConfigError, InputError
from turret_ai.hear import recogniser
from turret_ai.hear.recogniser import WindowedRecogniser
from turret_ai.hear.settings import SAMPLE_RATE, RecogniserSettings
from turret_ai.learn import sentences
from turret_ai.learn.sentences import Style
from turret_ai.learn.speech import corpus, voices
from turret_ai.learn.speech.radio import RadioSettings, transmit
from turret_ai.types import FloatArray

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Listening:
    """Who speaks, over what, and who listens.

    recognisers: models as `RecogniserSettings.model` takes them.
    primed: with the prompt and the ban on digits of our own transcriber; a public model that
        nobody has told anything writes numerals.
    levels: speech over noise, dB; each clip draws its own value.
    clips: a folder of `turret-ai synth audio` to take the speech from, "" to speak it here.
    """

    recognisers: tuple[str, ...]
    primed: bool = False
    levels: tuple[float, float] = (-3.0, 25.0)
    style: Style = "mixed"
    engines: tuple[str, ...] = ()
    clips: str = ""
    beam_size: int = 5
    alternatives: int = 1
    threads: int = 1


def load(listening: Listening) -> dict[str, WindowedRecogniser]:
    """The recognisers by the names of their models.

    Raises:
        ModelError: a model can't be loaded.
        ConfigError: an engine that has no windows.
    """
    out = {}
    for model in listening.recognisers:
        settings = RecogniserSettings(
            model=model,
            second="",  # each recogniser by itself
            beam_size=listening.beam_size,
            alternatives=listening.alternatives,
            threads=listening.threads,
            initial_prompt="auto" if listening.primed else "",
            suppress_digits=listening.primed,
        )
        loaded = recogniser.load(settings)
        if not isinstance(loaded, WindowedRecogniser):
            raise ConfigError(f"{model}: only models that read whole windows are collected from")
        out[Path(model).name] = loaded
    return out


def _spoken(
    listening: Listening, number: int, offset: int, seed: int
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """(truth and speaker, clean speech) of each sentence."""
    if listening.clips:
        yield from _from_clips(Path(listening.clips), number, offset)
        return
    speaking = corpus.Speaking(
        **({"engines": dict.fromkeys(listening.engines, 1.0)} if listening.engines else {})
    )
    for key in range(offset, offset + number):
        rng = np.random.default_rng([seed, key])
        made = sentences.SentenceMaker(int(rng.integers(2**31)), listening.style).draw()
        for attempt in range(_TRIES):
            voice = corpus.pick_voice(rng, speaking)
            delivery = voices.Delivery(
                rate=float(rng.uniform(*speaking.rate)), pitch=float(rng.uniform(*speaking.pitch))
            )
            try:
                samples = voices.speak(made.transcript, voice, delivery).samples
                break
            except InputError:
                if attempt == _TRIES - 1:
                    raise
        row = {**made.as_dict(key), "engine": voice.engine, "voice": voice.name}
        yield row, samples


def _from_clips(
    folder: Path, number: int, offset: int
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    manifest = folder / corpus.MANIFEST
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()[offset : offset + number]
    except OSError as error:
        raise InputError(f"{manifest} can't be read: {error}") from error
    for line in lines:
        row = json.loads(line)
        if not {"audio", "transcript", "heading", "tool", "target"} <= set(row):
            continue
        samples, rate = soundfile.read(folder / row["audio"], dtype="float32")
        if rate != SAMPLE_RATE:
            import soxr

            samples = soxr.resample(samples, rate, SAMPLE_RATE)
        yield row, np.asarray(samples, np.float32)


def collect(
    listening: Listening, number: int, seed: int = 0, offset: int = 0
) -> Iterator[dict[str, Any]]:
    """One row a sentence and recogniser.

    Yields:
        key, transcript (as heard), clean, heading, tool, target, alternatives (text and score, a
        natural log-probability), recogniser, primed, engine, voice, snr_db, band, noise.

    Raises:
        InputError: the clips can't be read, or no voice could speak.
        MissingExtraError: no speech engine is installed.
        ModelError, ConfigError: see `load`.
    """
    ears = load(listening)
    radio = RadioSettings(snr_db=listening.levels)
    for row, speech in _spoken(listening, number, offset, seed):
        rng = np.random.default_rng([seed, int(row["key"]), 1])
        samples, met = transmit(speech, rng, radio)
        for name, ear in ears.items():
            decoded = ear.decode(samples)
            heard = decoded.texts
            yield {
                "key": row["key"],
                "transcript": heard[0].text if heard else "",
                "clean": row["transcript"],
                "heading": row["heading"],
                "tool": row["tool"],
                "target": row["target"],
                "alternatives": [{"text": h.text, "score": round(h.score, 3)} for h in heard],
                "recogniser": name,
                "primed": listening.primed,
                "engine": row.get("engine", ""),
                "voice": row.get("voice", ""),
                "snr_db": round(met.snr_db, 1),
                "band": met.band,
                "noise": met.noise,
            }


def write(out: Path, listening: Listening, number: int, seed: int, offset: int = 0) -> None:
    """Append the rows to a file of JSON lines, with a progress bar.

    Raises:
        InputError: the file can't be written; and those of `collect`.
    """
    from rich.console import Console
    from rich.progress import track

    rows = collect(listening, number, seed, offset)
    total = number * len(listening.recognisers)
    try:
        with out.open("a", encoding="utf-8") as file:
            console = Console(stderr=True)
            for row in track(rows, "listening", total=total, console=console):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
    except OSError as error:
        raise InputError(f"{out} can't be written: {error}") from error


def read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The rows of such files.

    Raises:
        InputError: a file can't be read, or is none.
    """
    rows = []
    for path in paths:
        try:
            rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise InputError(f"{path} holds no overheard transcripts: {error}") from error
    return rows
