# SPDX-License-Identifier: Apache-2.0
"""Things that stand around in a procedural panorama: hills, trees, houses, cranes, fences, wires.

Each is given in metres round the camera (x north, y left, z up, the camera at the origin) and drawn
as polygons and lines into an equirectangular image, far things first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from turret_ai.simulate import noise

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]
Colour = Sequence[float]
_SHIFT = 4


class Canvas:
    """An equirectangular image to draw on; colours are sRGB in 0..1, hazed by distance.

    image: (h, 2 h, 3) uint8 RGB, drawn into in place.
    horizon: the colour of the haze. visibility: metres at which a thing is half hazed.
    textures: number of the set of textures; other sets share none.
    """

    def __init__(
        self,
        image: NDArray[np.uint8],
        horizon: FloatArray,
        visibility: float,
        brightness: float = 1.0,
        textures: int = 0,
    ) -> None:
        self.image, self.textures = image, textures
        self.height, self.width = image.shape[:2]
        self._horizon, self._visibility, self._brightness = horizon, visibility, brightness

    def colour(self, rgb: ArrayLike, distance: float) -> tuple[float, float, float]:
        """What is left of a colour at a distance, 0..255."""
        clear = 0.5 ** (distance / self._visibility)
        c = np.asarray(rgb, np.float64) * self._brightness
        mixed = np.clip(c * clear + self._horizon * (1 - clear), 0, 1) * 255
        return float(mixed[0]), float(mixed[1]), float(mixed[2])

    def pixels(self, points: ArrayLike) -> Float64Array:
        """Image points (n, 2) of places (n, 3), columns continuous across the seam."""
        p = np.asarray(points, np.float64).reshape(-1, 3)
        yaw = np.unwrap(np.arctan2(p[:, 1], p[:, 0]))
        elevation = np.arctan2(p[:, 2], np.hypot(p[:, 0], p[:, 1]))
        return np.stack(
            [(0.5 - yaw / (2 * np.pi)) * self.width, (0.5 - elevation / np.pi) * self.height], 1
        )

    def _repeats(self, x: Float64Array) -> list[float]:
        first = math.floor(x.min() / self.width)
        last = math.floor(x.max() / self.width)
        return [-float(k * self.width) for k in range(first, last + 1)]

    def polygon(self, points: ArrayLike, rgb: ArrayLike, distance: float = 0.0) -> None:
        """Fill a polygon of places (n, 3); long edges bend as they should."""
        p = np.asarray(points, np.float64).reshape(-1, 3)
        dense = _subdivide(np.vstack([p, p[:1]]))
        pixels = self.pixels(dense)
        far = distance or float(np.linalg.norm(p, axis=1).mean())
        for shift in self._repeats(pixels[:, 0]):
            q = ((pixels + np.array([shift, 0.0])) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(self.image, [q], self.colour(rgb, far), cv2.LINE_AA, _SHIFT)

    def line(self, points: ArrayLike, width: float, rgb: ArrayLike, distance: float = 0.0) -> None:
        """A polyline of places (n, 3), `width` metres thick."""
        p = np.asarray(points, np.float64).reshape(-1, 3)
        far = distance or float(np.linalg.norm(p, axis=1).mean())
        thick = max(1, round(width / far / (2 * math.pi) * self.width))
        dense = _subdivide(p)
        pixels = self.pixels(dense)
        for shift in self._repeats(pixels[:, 0]):
            q = ((pixels + np.array([shift, 0.0])) * (1 << _SHIFT)).astype(np.int32)
            cv2.polylines(self.image, [q], False, self.colour(rgb, far), thick, cv2.LINE_AA, _SHIFT)

    def blob(self, at: ArrayLike, radius: float, rgb: ArrayLike) -> None:
        """A filled circle of a radius in metres."""
        p = np.asarray(at, np.float64)
        far = float(np.linalg.norm(p))
        (x, y), r = self.pixels(p)[0], max(1.0, radius / far / (2 * math.pi) * self.width)
        for shift in (0, self.width, -self.width):
            if -r < x + shift < self.width + r:
                centre = (round((x + shift) * 16), round(y * 16))
                cv2.circle(
                    self.image, centre, round(r * 16), self.colour(rgb, far), -1, cv2.LINE_AA, 4
                )

    def foliage(
        self,
        at: ArrayLike,
        across: float,
        tall: float,
        rgb: ArrayLike,
        texture: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        """A ragged clump of leaves, `across` and `tall` being its half axes in metres."""
        p = np.asarray(at, np.float64)
        far = float(np.linalg.norm(p))
        x, y = self.pixels(p)[0]
        scale = self.width / (2 * math.pi * far)
        rx, ry = max(2.0, across * scale), max(2.0, tall * scale)
        x0, y0 = int(x - 1.3 * rx), max(0, int(y - 1.3 * ry))
        w, h = int(2.6 * rx) + 1, min(self.height, int(y + 1.3 * ry) + 1) - y0
        if h <= 0 or w > self.width // 2:
            return
        columns = np.arange(x0, x0 + w)
        u = (columns - x) / rx
        v = ((np.arange(y0, y0 + h) - y) / ry)[:, None]
        n = texture.shape[0]
        zoom = float(rng.uniform(1.0, 2.2)) * min(1.0, 12.0 / math.sqrt(rx))
        ix = (int(rng.integers(n)) + np.arange(w) * zoom).astype(int) % n
        iy = (int(rng.integers(n)) + np.arange(h) * zoom).astype(int) % n
        grain = texture[np.ix_(iy, ix)]
        coarse = texture[np.ix_(iy // 6, ix // 6)]
        inside = 1.0 - (u * u + v * v)
        cover = np.clip((inside + 1.1 * (grain - 0.5) + 0.9 * (coarse - 0.5)) * 3.0, 0, 1)
        shade = np.clip(0.45 + 0.55 * grain + 0.35 * (coarse - 0.5) - 0.3 * v - 0.1 * u, 0.12, 1.5)
        clear = 0.5 ** (far / self._visibility)
        c = np.asarray(rgb, np.float32) * self._brightness * shade[..., None].astype(np.float32)
        c = (np.clip(c, 0, 1) * clear + self._horizon * (1 - clear)) * 255
        wrapped = columns % self.width
        region = self.image[y0 : y0 + h, wrapped].astype(np.float32)
        region += (c - region) * cover[..., None].astype(np.float32)
        self.image[y0 : y0 + h, wrapped] = np.clip(region, 0, 255).astype(np.uint8)

    def land(
        self,
        tops: FloatArray,
        base: float,
        rgb: ArrayLike,
        distance: float,
        texture: FloatArray,
        grain: float = 0.5,
        stretch: float = 12.0,
    ) -> None:
        """A chain of hills or trees all round.

        tops: elevation of its upper edge for each column (width,), radians. base: of its foot.
        """
        h, w = self.height, self.width
        edge = (0.5 - tops / np.pi) * h
        top, bottom = int(edge.min()) - 1, min(h, int((0.5 - base / np.pi) * h))
        if bottom <= top:
            return
        rows = np.arange(top, bottom, dtype=np.float32)
        cover = np.clip(rows[:, None] - edge[None, :] + 0.5, 0, 1)
        u = np.broadcast_to(np.arange(w, dtype=np.float32) / w * stretch, cover.shape)
        v = np.broadcast_to((rows / h * stretch * 0.5)[:, None], cover.shape)
        shade = (1.0 - grain / 2 + grain * (noise.look_up(texture, u, v)))[..., None]
        clear = 0.5 ** (distance / self._visibility)
        c = np.asarray(rgb, np.float32) * self._brightness * shade
        c = (c * clear + self._horizon * (1 - clear)) * 255
        region = self.image[top:bottom].astype(np.float32)
        region += (c - region) * cover[..., None]
        self.image[top:bottom] = np.clip(region, 0, 255).astype(np.uint8)


def _subdivide(p: Float64Array, step: float = 0.06) -> Float64Array:
    """More points along straight edges, so that none spans more than about `step` radians."""
    pieces = []
    for a, b in itertools.pairwise(p):
        cosine = float(a @ b) / (float(np.linalg.norm(a) * np.linalg.norm(b)) + 1e-9)
        n = max(1, math.ceil(math.acos(max(-1.0, min(1.0, cosine))) / step))
        t = np.linspace(0, 1, n, endpoint=False)[:, None]
        pieces.append(a + (b - a) * t)
    pieces.append(p[-1:])
    return np.concatenate(pieces)


def at(yaw: float, distance: float, z: float = 0.0) -> Float64Array:
    """The place (3,) at a yaw, a horizontal distance and a height."""
    return np.array([distance * math.cos(yaw), distance * math.sin(yaw), z])


def cuboid(
    canvas: Canvas,
    yaw: float,
    distance: float,
    size: tuple[float, float, float],
    turn: float,
    rgb: Colour,
    foot: float,
    windows: Colour | None = None,
    roof: Colour | None = None,
) -> None:
    """A house or a container: (length, depth, height), turned about its middle."""
    length, depth, tall = size
    c, s = math.cos(turn), math.sin(turn)
    middle = at(yaw, distance)
    flat = np.array([[-length, -depth], [length, -depth], [length, depth], [-length, depth]]) / 2
    ring = middle + np.stack(
        [flat[:, 0] * c - flat[:, 1] * s, flat[:, 0] * s + flat[:, 1] * c, np.zeros(4)], 1
    )
    order = sorted(range(4), key=lambda k: -float(np.linalg.norm(ring[k] + ring[(k + 1) % 4])))
    for rank, k in enumerate(order[1:]):
        a, b = ring[k], ring[(k + 1) % 4]
        wall = np.array([a, b, b, a]) + np.array(
            [[0, 0, foot], [0, 0, foot], [0, 0, foot + tall], [0, 0, foot + tall]]
        )
        light = (0.6, 0.75, 1.0)[rank]
        canvas.polygon(wall, np.array(rgb) * light, distance)
        if windows is not None and rank > 0:
            across = float(np.linalg.norm(b - a))
            columns, floors = max(1, int(across / 4.5)), max(1, int(tall / 3.6))
            if columns * floors > 220:
                columns, floors = min(columns, 12), min(floors, 18)
            for i in range(columns):
                for j in range(floors):
                    t0, t1 = (i + 0.25) / columns, (i + 0.75) / columns
                    z0, z1 = foot + tall * (j + 0.3) / floors, foot + tall * (j + 0.75) / floors
                    p, q = a + (b - a) * t0, a + (b - a) * t1
                    pane = np.array([p, q, q, p]) + np.array(
                        [[0, 0, z0], [0, 0, z0], [0, 0, z1], [0, 0, z1]]
                    )
                    canvas.polygon(pane, np.array(windows) * light, distance)
    if roof is not None:
        up = np.array([0, 0, foot + tall])
        ridge_a, ridge_b = (ring[0] + ring[3]) / 2, (ring[1] + ring[2]) / 2
        rise = np.array([0, 0, tall * 0.35])
        for quad in ((ring[0], ring[1], ridge_b, ridge_a), (ring[3], ring[2], ridge_b, ridge_a)):
            canvas.polygon(
                np.array([quad[0] + up, quad[1] + up, quad[2] + up + rise, quad[3] + up + rise]),
                roof,
                distance,
            )


def tree(
    canvas: Canvas,
    rng: np.random.Generator,
    yaw: float,
    distance: float,
    tall: float,
    foot: float,
    leaves: Colour | None,
) -> None:
    """A tree with foliage, or bare when `leaves` is None."""
    root = at(yaw, distance, foot)
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    bark = np.array([0.22, 0.19, 0.16]) * rng.uniform(0.7, 1.3)
    lines: list[tuple[Float64Array, Float64Array, float]] = []

    def grow(p: Float64Array, angle: float, length: float, depth: int) -> None:
        q = p + length * (math.sin(angle) * side + np.array([0, 0, math.cos(angle)]))
        lines.append((p, q, length * 0.09))
        if depth:
            for _ in range(2 if depth > 1 else 3):
                grow(q, angle + rng.normal(0, 0.5), length * rng.uniform(0.6, 0.85), depth - 1)

    grow(root, 0.0, tall * 0.3, 2 if leaves is not None else 5)
    for p, q, width in lines:
        canvas.line([p, q], width, bark, distance)
    if leaves is None:
        return
    texture = noise.tile(noise.GRAIN, 300 + 8 * canvas.textures + int(rng.integers(3)))
    crown = root + np.array([0.0, 0.0, tall * 0.66])
    narrow = float(rng.uniform(0.2, 0.45))
    for _ in range(int(rng.integers(4, 9))):
        offset = side * rng.normal(0, narrow * 0.5) * tall + [0, 0, rng.normal(0, 0.13) * tall]
        size = tall * float(rng.uniform(0.12, 0.26))
        canvas.foliage(
            crown + offset, size, size * float(rng.uniform(0.7, 1.1)), leaves, texture, rng
        )
