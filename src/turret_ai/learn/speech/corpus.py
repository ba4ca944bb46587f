# SPDX-License-Identifier: Apache-2.0
"""A corpus of synthetic speech on disk: deterministic by seed, resumable, made in parallel."""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.random import Generator
from pydantic import Field
from rich.progress import Progress

from turret_ai.errors import ConfigError, InputError, MissingExtraError
from turret_ai.learn.config import Section
from turret_ai.learn.speech import text, voices
from turret_ai.learn.speech.radio import RadioSettings, transmit

MANIFEST = "manifest.jsonl"
_PARTIAL = "manifest.partial.jsonl"
_ORDER = "corpus.json"
_TRIES = 5


class Speaking(Section):
    """Who speaks and how."""

    engines: dict[str, float] = Field(
        {"espeak": 0.5, "flite": 0.35, "festival": 0.15},
        description="engine -> share of the clips; engines that are not installed are left out",
    )
    rate: tuple[float, float] = Field((0.8, 1.35), description="speed, of the voice's own")
    pitch: tuple[float, float] = Field((0.8, 1.25), description="pitch, of the voice's own")
    only: tuple[str, ...] = Field(
        (), description="patterns of voices that may speak, such as kokoro:a?_n*; none: all"
    )
    exclude: tuple[str, ...] = Field((), description="patterns of voices that never speak")
    mixtures: float = Field(
        0.6, ge=0, le=1, description="share of Kokoro's clips by speakers between its voices"
    )
    plain_accents: float = Field(
        0.3, ge=0, le=1, description="share of espeak clips without a variant of the accent"
    )


class CorpusSettings(Section):
    """What a corpus is made of. Clip K depends on these, the seed and K alone."""

    seed: int = 1
    texts: text.TextSettings = text.TextSettings()
    speaking: Speaking = Speaking()
    radio: RadioSettings | None = Field(
        RadioSettings(), description="null: clean, for a trainer that adds its own radio"
    )


def pick_voice(rng: Generator, speaking: Speaking) -> voices.Voice:
    """A voice at hand, by the shares of the engines.

    Raises:
        MissingExtraError: none of the engines is installed.
    """
    at_hand = {name: _allowed(voices.voices(name), speaking) for name in speaking.engines}
    shares = {name: share for name, share in speaking.engines.items() if at_hand[name] and share}
    if not shares:
        raise MissingExtraError(
            f"none of the engines {', '.join(speaking.engines)} is installed: "
            "pip install 'turret_ai[train]' brings espeak-ng"
        )
    weights = np.array(list(shares.values()), dtype=np.float64)
    engine = str(rng.choice(list(shares), p=weights / weights.sum()))
    choice = at_hand[engine]
    if engine == "espeak":
        accented = [v for v in choice if "+" not in v.name]
        varied = [v for v in choice if "+" in v.name]
        choice = accented if rng.random() < speaking.plain_accents or not varied else varied
    if engine == "kokoro" and rng.random() < speaking.mixtures:
        return _mixture(rng, [voice.name for voice in choice])
    return choice[int(rng.integers(len(choice)))]


def _allowed(found: list[voices.Voice], speaking: Speaking) -> list[voices.Voice]:
    def matches(voice: voices.Voice, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch.fnmatchcase(str(voice), pattern) for pattern in patterns)

    return [
        voice
        for voice in found
        if (not speaking.only or matches(voice, speaking.only))
        and not matches(voice, speaking.exclude)
    ]


def _mixture(rng: Generator, names: list[str]) -> voices.Voice:
    """Two or three voices, most often of one sex, in random shares."""
    sex = str(rng.choice(["f", "m"]))
    pool = [name for name in names if name[1] == sex] if rng.random() < 0.75 else names
    if len(pool) < 2:
        pool = names
    count = min(len(pool), 2 if rng.random() < 0.7 else 3)
    chosen = rng.choice(pool, count, replace=False)
    shares = rng.dirichlet([1.5] * count)
    parts = [f"{name}*{share:.2f}" for name, share in zip(chosen, shares, strict=True)]
    return voices.Voice("kokoro", "+".join(p for p in parts if not p.endswith("*0.00")))


def make_clip(index: int, settings: CorpusSettings, folder: Path) -> dict[str, Any]:
    """Speak, send and write clip number `index`; returns its line of the manifest.

    Raises:
        InputError: no voice could say it, or the file can't be written.
    """
    rng = np.random.default_rng([settings.seed, index])
    sentence = text.draw(rng, settings.texts)
    for attempt in range(_TRIES):
        voice = pick_voice(rng, settings.speaking)
        delivery = voices.Delivery(
            rate=float(rng.uniform(*settings.speaking.rate)),
            pitch=float(rng.uniform(*settings.speaking.pitch)),
        )
        try:
            said = voices.speak(sentence.text, voice, delivery)
            break
        except InputError:
            if attempt == _TRIES - 1:
                raise
    line: dict[str, Any] = {
        "key": index,
        "audio": f"audio_{index}.wav",
        "transcript": sentence.text,
        "kind": sentence.kind,
        **sentence.fields,
        "engine": voice.engine,
        "voice": voice.name,
        "rate": round(delivery.rate, 3),
        "pitch": round(delivery.pitch, 3),
    }
    samples = said.samples
    if settings.radio is None:
        # Times hold for the clean clip only: the radio pads and stretches.
        line["phones"] = " ".join(f"{name}@{max(0.0, at):.3f}" for at, name in said.phones)
        samples = samples / max(float(np.abs(samples).max()), 1e-6) * 0.5
    else:
        samples, met = transmit(samples, rng, settings.radio)
        rounded = {k: round(v, 1) if isinstance(v, float) else v for k, v in asdict(met).items()}
        line.update(rounded)
    line["seconds"] = round(len(samples) / voices.SAMPLE_RATE, 3)
    path = folder / f"audio_{index}.wav"
    try:
        soundfile.write(path, samples, voices.SAMPLE_RATE, subtype="PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"{path} can't be written: {error}") from error
    return line


def _make_many(indices: range, settings: CorpusSettings, folder: Path) -> list[dict[str, Any]]:
    return [make_clip(index, settings, folder) for index in indices]


def _check_order(folder: Path, settings: CorpusSettings) -> None:
    order = folder / _ORDER
    wanted = settings.model_dump(mode="json")
    if order.exists():
        if json.loads(order.read_text(encoding="utf-8")) != wanted:
            raise ConfigError(
                f"{folder} holds clips of other settings ({order}): choose another folder"
            )
        return
    order.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def _finished(folder: Path) -> dict[int, dict[str, Any]]:
    done: dict[int, dict[str, Any]] = {}
    for name in (MANIFEST, _PARTIAL):
        path = folder / name
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # the line that an interruption cut
                continue
            if (folder / entry["audio"]).exists():
                done[int(entry["key"])] = entry
    return done


def _chunks(missing: list[int], size: int) -> Iterator[range]:
    start = 0
    while start < len(missing):
        stop = start + 1
        while (
            stop < len(missing) and stop - start < size and missing[stop] == missing[stop - 1] + 1
        ):
            stop += 1
        yield range(missing[start], missing[stop - 1] + 1)
        start = stop


def make(
    folder: Path,
    num_clips: int,
    index_offset: int = 0,
    settings: CorpusSettings | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Make clips `index_offset` .. `index_offset + num_clips - 1`; finished ones are kept.

    Returns:
        the manifest: one JSON object a line, `key`, `audio` and `transcript` as in the
        competition, then the fields that the sentence commands, who spoke it and what the radio
        did to it.

    Raises:
        ConfigError: the folder holds clips of other settings.
        InputError: a clip can't be made or written.
        MissingExtraError: no speech engine is installed.
    """
    settings = settings or CorpusSettings()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} can't be made: {error}") from error
    _check_order(folder, settings)
    done = _finished(folder)
    missing = [i for i in range(index_offset, index_offset + num_clips) if i not in done]
    count = workers or os.cpu_count() or 1
    with Progress(disable=not progress) as bar, (folder / _PARTIAL).open("a") as partial:
        task = bar.add_task("speaking", total=num_clips, completed=num_clips - len(missing))

        def keep(lines: list[dict[str, Any]]) -> None:
            for line in lines:
                done[line["key"]] = line
                partial.write(json.dumps(line) + "\n")
            partial.flush()
            bar.advance(task, len(lines))

        chunks = list(_chunks(missing, 16))
        if count == 1 or len(chunks) <= 1:
            for chunk in chunks:
                keep(_make_many(chunk, settings, folder))
        else:
            with ProcessPoolExecutor(min(count, len(chunks))) as pool:
                futures: list[Future[list[dict[str, Any]]]] = [
                    pool.submit(_make_many, chunk, settings, folder) for chunk in chunks
                ]
                try:
                    for future in futures:
                        keep(future.result())
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    manifest = folder / MANIFEST
    whole = folder / f"{MANIFEST}.new"
    whole.write_text(
        "".join(json.dumps(done[key]) + "\n" for key in sorted(done)), encoding="utf-8"
    )
    whole.replace(manifest)
    (folder / _PARTIAL).unlink(missing_ok=True)
    return manifest
