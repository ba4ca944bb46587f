# SPDX-License-Identifier: Apache-2.0
"""Skies and grounds of procedural panoramas, and the daylight that belongs to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.simulate import noise
from turret_ai.simulate.render import Light

FloatArray = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

SKIES: dict[str, tuple[tuple[Colour, Colour], ...]] = {
    "clear": (((0.20, 0.38, 0.70), (0.74, 0.84, 0.93)), ((0.30, 0.47, 0.74), (0.86, 0.90, 0.93)),
              ((0.36, 0.45, 0.60), (0.80, 0.87, 0.90)), ((0.14, 0.30, 0.62), (0.66, 0.78, 0.90))),
    "hazy": (((0.55, 0.64, 0.74), (0.93, 0.94, 0.93)), ((0.62, 0.68, 0.74), (0.90, 0.89, 0.86))),
    "overcast": (((0.80, 0.81, 0.83), (0.90, 0.90, 0.91)), ((0.66, 0.69, 0.73), (0.78, 0.80, 0.82)),
                 ((0.55, 0.58, 0.62), (0.72, 0.74, 0.77))),
    "blown": (((1.0, 1.0, 1.0), (0.97, 0.97, 0.99)), ((0.99, 1.0, 1.0), (0.86, 0.87, 0.92))),
    "evening": (((0.30, 0.36, 0.55), (0.95, 0.78, 0.62)), ((0.24, 0.26, 0.42), (0.90, 0.66, 0.52))),
    "dusk": (((0.09, 0.12, 0.22), (0.38, 0.38, 0.46)), ((0.12, 0.13, 0.20), (0.46, 0.36, 0.36))),
}  # fmt: skip
"""Moods and their (zenith, horizon) colours, sRGB."""

GROUNDS: dict[str, tuple[Colour, ...]] = {
    "grass": ((0.36, 0.42, 0.22), (0.45, 0.47, 0.28), (0.28, 0.36, 0.20)),
    "paving": ((0.72, 0.66, 0.54), (0.60, 0.58, 0.55), (0.50, 0.49, 0.48)),
    "asphalt": ((0.36, 0.35, 0.35), (0.44, 0.43, 0.43)),
    "water": ((0.30, 0.40, 0.44), (0.36, 0.45, 0.50), (0.24, 0.34, 0.36)),
    "sand": ((0.76, 0.66, 0.48), (0.68, 0.56, 0.42)),
    "gravel": ((0.58, 0.55, 0.50), (0.50, 0.47, 0.42)),
    "snow": ((0.88, 0.90, 0.93),),
}


@dataclass(frozen=True, slots=True)
class Weather:
    """A sky that was chosen: colours (3,) sRGB, cloud cover 0..1, sun as yaw and elevation."""

    mood: str
    zenith: FloatArray
    horizon: FloatArray
    cover: float
    sun_yaw: float
    sun_elevation: float
    softness: float
    scale: float
    textures: int

    @property
    def sun(self) -> FloatArray:
        """Unit vector towards the sun, base frame."""
        c = math.cos(self.sun_elevation)
        return np.array(
            [c * math.cos(self.sun_yaw), c * math.sin(self.sun_yaw), math.sin(self.sun_elevation)],
            np.float32,
        )


def choose(rng: np.random.Generator, mood: str = "", textures: int = 0) -> Weather:
    """A random sky of a mood, or of any; `textures` keeps the cloud textures of data sets apart."""
    if not mood:
        mood = str(rng.choice(list(SKIES), p=[0.34, 0.16, 0.18, 0.2, 0.07, 0.05]))
    zenith, horizon = SKIES[mood][int(rng.integers(len(SKIES[mood])))]
    spread = 0.015 if mood in ("blown", "overcast") else 0.06
    vary = rng.uniform(1 - spread, 1 + spread, 3), rng.uniform(1 - spread, 1 + spread, 3)
    cover = {
        "clear": float(rng.choice([0.0, rng.uniform(0.1, 0.6)], p=[0.35, 0.65])),
        "hazy": float(rng.uniform(0, 0.3)),
        "overcast": 1.0,
        "blown": float(rng.uniform(0, 0.4)),
        "evening": float(rng.uniform(0, 0.6)),
        "dusk": float(rng.uniform(0, 0.7)),
    }[mood]
    low = mood in ("evening", "dusk")
    return Weather(
        mood, np.clip(np.array(zenith) * vary[0], 0, 1).astype(np.float32),
        np.clip(np.array(horizon) * vary[1], 0, 1).astype(np.float32), cover,
        float(rng.uniform(-math.pi, math.pi)),
        math.radians(float(rng.uniform(4, 14) if low else rng.uniform(22, 70))),
        float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.03, 0.09)),
        textures + int(rng.integers(4)),
    )  # fmt: skip


def light_of(weather: Weather) -> Light:
    """Daylight for craft under this sky; near neutral, so that paints keep their names."""
    shade = {
        "clear": 0.1,
        "hazy": 0.4,
        "overcast": 0.9,
        "blown": 0.6,
        "evening": 0.35,
        "dusk": 0.85,
    }[weather.mood]
    sun = (1.0 - shade) * 0.75
    warm = 0.05 if weather.mood == "evening" else 0.0
    sky = 0.78 + 0.2 * shade
    if weather.mood == "dusk":
        sky *= 0.55
    horizon = tuple(float(v) ** 2.2 for v in weather.horizon)
    x, y, z = (float(v) for v in weather.sun)
    return Light(
        (x, y, max(z, 0.2)), (sun * (1 + warm), sun * 0.98, sun * (0.94 - warm)),
        (sky * 0.97, sky, sky * 1.05), horizon, (sky * 0.72, sky * 0.7, sky * 0.67),  # type: ignore[arg-type]
        shadows=shade < 0.8,
    )  # fmt: skip


def _directions(width: int, rows: FloatArray, height: int) -> tuple[FloatArray, FloatArray]:
    yaw = np.pi * (1.0 - 2.0 * (np.arange(width, dtype=np.float32) + 0.5) / width)
    elevation = np.pi * (0.5 - (rows + 0.5) / height)
    return yaw.astype(np.float32), elevation.astype(np.float32)


def paint_sky(weather: Weather, width: int) -> FloatArray:
    """The upper half of a panorama, (width / 4, width, 3) in 0..1 sRGB."""
    height = width // 2
    yaw, elevation = _directions(width, np.arange(height // 2, dtype=np.float32), height)
    z = np.sin(elevation)[:, None]
    c = np.cos(elevation)[:, None]
    x, y = c * np.cos(yaw), c * np.sin(yaw)
    rise = 1.0 - np.exp(-3.2 * z)
    sky = weather.horizon + (weather.zenith - weather.horizon) * rise[..., None]
    sky = np.broadcast_to(sky, (height // 2, width, 3)).astype(np.float32)
    sun = weather.sun
    near = np.clip(x * sun[0] + y * sun[1] + z * sun[2], 0.0, 1.0)
    glow = 0.16 * near**8 + 0.35 * near**90
    if weather.mood in ("overcast", "dusk"):
        glow = glow * 0.15
    else:
        glow = glow + 1.4 * np.clip((near - 0.9997) / 0.0002, 0, 1)
    tint = np.array([1.0, 0.92, 0.8], np.float32)
    sky = sky + glow[..., None] * tint
    if weather.cover > 0.0:
        depth = 1.0 / (z + 0.07)
        u, v = x * depth * weather.scale, y * depth * weather.scale
        first, second = (noise.tile(noise.CLOUDS, weather.textures * 2 + k) for k in (0, 1))
        thick = 0.72 * noise.look_up(first, u + 0.3, v) + 0.28 * noise.look_up(
            second, u * 3.3, v * 3.3
        )
        shifted = noise.look_up(first, u + 0.3 + sun[0] * 0.012, v + sun[1] * 0.012)
        if weather.cover >= 1.0:
            sky = sky * (0.86 + 0.22 * thick)[..., None]
        else:
            amount = np.clip((thick - (1.0 - weather.cover)) / weather.softness, 0, 1)
            amount = amount * amount * (3 - 2 * amount) * np.clip(z / 0.06, 0, 1)
            lit = np.clip(
                0.98 - 0.4 * np.clip(thick - 1 + weather.cover, 0, 1) + 0.25 * (thick - shifted),
                0.5,
                1.06,
            )
            white = 0.5 * weather.horizon + 0.5
            if weather.mood == "dusk":
                white = weather.horizon * 0.8
            cloud = white * lit[..., None]
            far = np.exp(-z * 9.0)[..., None] * 0.6
            cloud = cloud * (1 - far) + weather.horizon * far
            sky = sky + (cloud - sky) * amount[..., None]
    return np.asarray(np.clip(sky, 0, 1), np.float32)


def paint_ground(weather: Weather, kind: str, rng: np.random.Generator, width: int) -> FloatArray:
    """The lower half of a panorama, (width / 4, width, 3) in 0..1 sRGB: a plane with texture."""
    height = width // 2
    rows = np.arange(height // 2, height, dtype=np.float32)
    yaw, elevation = _directions(width, rows, height)
    distance = 1.0 / np.tan(np.maximum(-elevation, 0.004))[:, None]
    x, y = distance * np.cos(yaw), distance * np.sin(yaw)
    colours = GROUNDS[kind]
    base = np.array(colours[int(rng.integers(len(colours)))], np.float32)
    base = base * np.float32(rng.uniform(0.85, 1.1))
    if weather.mood == "dusk":
        base = base * np.float32(0.35)
    seed = weather.textures * 3
    coarse = noise.look_up(noise.tile(noise.HILLS, seed), x * 0.011, y * 0.011)
    patches = noise.look_up(noise.tile(noise.HILLS, seed + 3), x * 0.06, y * 0.06)
    fine = noise.look_up(noise.tile(noise.GRAIN, seed + 1), x * 0.12, y * 0.12)
    fade = np.clip(10.0 / distance, 0.05, 1.0)
    shade = 0.82 + 0.22 * coarse + 0.14 * patches * fade + 0.3 * (fine - 0.5) * fade
    ground = base * shade[..., None]
    if kind == "water":
        streaks = np.broadcast_to(yaw * np.float32(0.45), x.shape)
        depth = np.broadcast_to(np.log(distance) * np.float32(0.3), x.shape)
        ripple = noise.look_up(noise.tile(noise.GRAIN, seed + 2), streaks, depth)
        swell = noise.look_up(noise.tile(noise.HILLS, seed), x * 0.01, y * 0.01)
        ripple = 0.65 * ripple + 0.35 * swell
        shine = np.clip(0.25 + 0.55 * np.exp(elevation * 6)[:, None] + 0.5 * (ripple - 0.5), 0, 1)
        reflect = weather.horizon * 0.8 + weather.zenith * 0.2
        ground = ground * (1 - shine[..., None]) + reflect * 0.92 * shine[..., None]
    if kind == "paving":
        pitch = float(rng.uniform(0.25, 0.6))
        turn = float(rng.uniform(0, 1.5))
        a, b = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        width_of_joint = 0.03 + 0.006 * distance
        joint = np.minimum(np.abs(np.mod(a / pitch, 1) - 0.5), np.abs(np.mod(b / pitch, 1) - 0.5))
        ground *= (
            1 - 0.3 * np.clip(1 - joint / width_of_joint, 0, 1) * np.clip(4 / distance, 0, 1)
        )[..., None]
    haze = (np.exp(elevation * 26.0) * (0.8 if weather.mood != "clear" else 0.6))[:, None, None]
    ground = ground * (1 - haze) + weather.horizon * haze
    return np.asarray(np.clip(ground, 0, 1), np.float32)


def backdrop(
    weather: Weather, ground: str, rng: np.random.Generator, width: int
) -> NDArray[np.uint8]:
    """A panorama (width / 2, width, 3) uint8 RGB of sky and ground alone."""
    half = width // 2
    image = np.concatenate([paint_sky(weather, half), paint_ground(weather, ground, rng, half)])
    large = cv2.resize(
        (image * 255).astype(np.uint8), (width, half), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(large, np.uint8)
