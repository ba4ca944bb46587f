# SPDX-License-Identifier: Apache-2.0
"""Speak into the running transcriber node in real time and wait for the transcript"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from bench.common import Row

CLIPS = [f"scenes/audio/{name}_{i}.ogg" for name in ("woods", "city", "range") for i in range(4)]
RATE = 16000
CHUNK_S = 0.02
_LIMIT_S = 60.0


def run(quick: bool) -> list[Row]:
    from turret_ai.ros import RUNTIME

    clips = CLIPS[:3] if quick else CLIPS
    os.environ["ROS_DOMAIN_ID"] = str(os.getpid() % 100 + 1)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    node = subprocess.Popen(
        [sys.executable, "-m", "turret_ai.nodes.main", "transcriber"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        delays = _speak(clips)
    finally:
        node.kill()
    if not delays:
        raise RuntimeError("no transcript arrived")
    delays.sort()
    note = f"{len(delays)} of {len(clips)} clips, chunks of {CHUNK_S * 1e3:.0f} ms, {RUNTIME}"
    return [
        Row("end of speech to transcript, median", delays[len(delays) // 2], "s", note=note),
        Row("end of speech to transcript, worst", delays[-1], "s", note=note),
    ]


def _speak(clips: list[str]) -> list[float]:
    import numpy as np

    from turret_ai import share
    from turret_ai.hear import files
    from turret_ai.ros import Context, Node, audio, qos, spin_until
    from turret_ai.ros.interfaces import AudioDataStamped, AudioInfo, Transcript
    from turret_ai.ros.time import to_ns
    from turret_ai.units import ns_to_seconds, seconds_to_ns

    context = Context()
    radio = Node("radio", context=context)
    sound = radio.create_publisher(AudioDataStamped, "audio", qos.AUDIO)
    info = radio.create_publisher(AudioInfo, "audio_info", qos.LATCHED)
    info.publish(AudioInfo(channels=1, sample_rate=RATE, sample_format="S16LE"))
    arrived: list[float] = []
    """Seconds since the last speech that the voice activity detector heard."""

    def hear(message: Any) -> None:
        if message.status == Transcript.FINAL:
            spoken = to_ns(message.header.stamp) + seconds_to_ns(message.speech_duration)
            arrived.append(ns_to_seconds(time.time_ns() - spoken))

    radio.create_subscription(Transcript, "transcript", hear, qos.STAGE)
    if not spin_until(lambda: sound.get_subscription_count() > 0, radio, timeout=_LIMIT_S):
        raise RuntimeError("the transcriber did not start")
    noise = np.random.default_rng(0).standard_normal(round(1.5 * RATE)).astype(np.float32) * 1e-4
    delays = []
    for clip in clips:
        samples = files.read(share.path(clip))
        stream = np.concatenate([noise, samples, noise])
        arrived.clear()
        began = time.monotonic()
        stamp = time.time_ns()
        step = round(CHUNK_S * RATE)
        for first in range(0, len(stream), step):
            due = began + (first + step) / RATE  # a chunk leaves when its last sample was spoken
            spin_until(lambda due=due: time.monotonic() >= due, radio, timeout=1.0)
            chunk = stream[first : first + step]
            sound.publish(audio.to_message(chunk, stamp + first * 10**9 // RATE, "microphone"))
        spin_until(lambda: bool(arrived), radio, timeout=5.0)
        delays += arrived[-1:]
    context.close()
    return delays
