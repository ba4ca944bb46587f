# SPDX-License-Identifier: Apache-2.0
"""What the emulated robot sees and hears: a scene of the simulator, and an audio file."""

from __future__ import annotations

import time
from itertools import count

import numpy as np
from numpy.typing import NDArray

from turret_ai.act.robomaster.emulator_media import Sound, View
from turret_ai.act.robomaster.media import AUDIO_RATE, PACKET_SAMPLES
from turret_ai.act.robomaster.settings import EP_VERTICAL_FOV
from turret_ai.aim.camera import Camera
from turret_ai.types import ImageArray


def scene_view(scene: str, width: int, height: int) -> View:
    """A scene through the robot's camera, with its craft in motion.

    Raises:
        InputError: there is no such scene.
    """
    from turret_ai.simulate import scene as scenes
    from turret_ai.simulate.world import World

    world = World(scenes.load(scene))
    camera = Camera.from_fov(width, height, EP_VERTICAL_FOV)
    began = time.monotonic()

    def view(yaw: float, pitch: float) -> ImageArray:
        return world.render(camera, yaw, pitch, time.monotonic() - began)

    return view


def sound_file(path: str) -> Sound:
    """An audio file over and over, with two seconds of silence in between.

    Raises:
        InputError: not an audio file.
    """
    import soxr

    from turret_ai.hear import files

    heard = files.load(path)
    speech = soxr.resample(heard.as_pcm(), heard.sample_rate, AUDIO_RATE)
    whole = np.concatenate([speech, np.zeros(2 * AUDIO_RATE, np.int16)])
    pieces = count()

    def sound() -> NDArray[np.int16]:
        start = next(pieces) * PACKET_SAMPLES
        places = np.arange(start, start + PACKET_SAMPLES) % len(whole)
        return whole[places].astype(np.int16)

    return sound
