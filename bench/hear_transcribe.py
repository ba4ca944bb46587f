# SPDX-License-Identifier: Apache-2.0
"""Hear a spoken command: recognise it, and cut it out of a stream"""

from __future__ import annotations

from typing import Any

from bench.common import Row, measure, race

CLIP = "scenes/audio/woods_3.ogg"
RATE = 16000


def _recognise(ears: Any, samples: Any, runs: int) -> list[Row]:
    name = ears.describe()["engine"]
    timing = measure(lambda: ears.transcribe(samples), runs=runs, warm_up=1)
    seconds = len(samples) / RATE
    note = f"{name}, clip of {seconds:.1f} s, {timing.note}"
    return [
        Row("recognise a command", timing.median / seconds, "s per s of audio", note=note),
    ]


def _listen(samples: Any, runs: int) -> Row:
    import numpy as np

    from turret_ai.hear.listener import Listener

    noise = np.random.default_rng(0).standard_normal(RATE) * 1e-4
    stream = np.concatenate([noise, samples, noise]).astype(np.float32)

    def listen() -> None:
        listener = Listener()
        for start in range(0, len(stream), 800):
            listener.feed(stream[start : start + 800], RATE, 1, start * 62500)
        listener.flush()

    timing = measure(listen, runs=runs, warm_up=1)
    return Row(
        "listen to a stream",
        timing.median / (len(stream) / RATE),
        "s per s of audio",
        note=f"chunks of 50 ms, {timing.note}",
    )


def _voice_activity(samples: Any, runs: int) -> Row:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    from turret_ai.hear import vad

    ours, theirs = race(
        lambda: vad.probabilities(samples),
        lambda: get_speech_timestamps(samples, VadOptions(threshold=0.4)),
        runs=runs,
    )
    return Row(
        "voice activity of a clip, as a stream is heard",
        ours.milliseconds,
        "ms",
        "faster-whisper's, the whole clip in one call",
        theirs.milliseconds,
        note=f"two detectors that take turns in forgetting, block by block; {ours.note}",
    )


def run(quick: bool) -> list[Row]:
    from turret_ai import share
    from turret_ai.hear import files, recogniser
    from turret_ai.hear.settings import RecogniserSettings

    runs = 3 if quick else 12
    samples = files.read(share.path(CLIP))
    ears = recogniser.load(RecogniserSettings())
    ears.warm_up()
    rows = _recognise(ears, samples, runs)
    if ears.describe()["engine"] != "pocketsphinx":
        rows += _recognise(recogniser.load(RecogniserSettings(engine="sphinx")), samples, runs)
    return [*rows, _listen(samples, runs), _voice_activity(samples, runs)]
