"""Things that stand around in a procedural panorama: hills, trees, houses, cranes, fences, wires.

Each is given in metres round the camera (x north, y left, z up, the camera at the origin) and drawn
as polygons and lines into an equirectangular image, far things first.
"""

from __future__ import annotations

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
    """

    def __init__(
        self,
        image: NDArray[np.uint8],
        horizon: FloatArray,
        visibility: float,
        brightness: float = 1.0,
    ) -> None:
        self.image = image
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
            q = ((pixels + [shift, 0]) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(self.image, [q], self.colour(rgb, far), cv2.LINE_AA, _SHIFT)

    def line(self, points: ArrayLike, width: float, rgb: ArrayLike, distance: float = 0.0) -> None:
        """A polyline of places (n, 3), `width` metres thick."""
        p = np.asarray(points, np.float64).reshape(-1, 3)
        far = distance or float(np.linalg.norm(p, axis=1).mean())
        thick = max(1, round(width / far / (2 * math.pi) * self.width))
        dense = _subdivide(p)
        pixels = self.pixels(dense)
        for shift in self._repeats(pixels[:, 0]):
            q = ((pixels + [shift, 0]) * (1 << _SHIFT)).astype(np.int32)
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
    for a, b in zip(p[:-1], p[1:], strict=True):
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
    n = int(np.clip(1200 / distance, 25, 160))
    where = rng.normal(size=(n, 2)) * [tall * 0.2, tall * 0.21]
    where = where[np.argsort(where[:, 1])]
    for dx, dz in where:
        shade = 0.75 + 0.45 * (dz / tall + 0.2) + rng.normal(0, 0.12)
        centre = root + side * dx + np.array([0, 0, tall * 0.62 + dz])
        canvas.blob(centre, tall * rng.uniform(0.03, 0.09), np.clip(np.array(leaves) * shade, 0, 1))


def lattice(
    canvas: Canvas,
    start: Float64Array,
    end: Float64Array,
    width: float,
    rgb: Colour,
    bar: float,
    up: Float64Array,
    bays: int,
) -> None:
    """A trussed beam between two places."""
    offset = up * width
    canvas.line([start, end], bar * 1.6, rgb)
    canvas.line([start + offset, end + offset], bar * 1.6, rgb)
    for k in range(bays):
        a, b = start + (end - start) * k / bays, start + (end - start) * (k + 1) / bays
        canvas.line([a, b + offset] if k % 2 else [a + offset, b], bar, rgb)
        canvas.line([a, a + offset], bar, rgb)


def crane(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, tall: float, foot: float
) -> None:
    """A tower crane."""
    rgb = ((0.75, 0.62, 0.1), (0.55, 0.56, 0.58), (0.6, 0.15, 0.12), (0.25, 0.27, 0.3))[
        int(rng.integers(4))
    ]
    base = at(yaw, distance, foot)
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    top = base + np.array([0, 0, tall])
    lattice(
        canvas,
        base - side * tall * 0.02,
        top - side * tall * 0.02,
        tall * 0.04,
        rgb,
        tall * 0.006,
        side,
        16,
    )
    jib = math.cos(float(rng.uniform(0, 3.1))) * tall * 0.9
    lattice(
        canvas, top, top + side * jib, tall * 0.035, rgb, tall * 0.005, np.array([0, 0, 1.0]), 14
    )
    lattice(
        canvas,
        top,
        top - side * jib * 0.3,
        tall * 0.035,
        rgb,
        tall * 0.005,
        np.array([0, 0, 1.0]),
        5,
    )
    peak = top + np.array([0, 0, tall * 0.12])
    canvas.line([top, peak, top + side * jib * 0.8], tall * 0.005, rgb)
    canvas.line([peak, top - side * jib * 0.28], tall * 0.005, rgb)
    hook = top + side * jib * float(rng.uniform(0.3, 0.9))
    canvas.line(
        [hook, hook - np.array([0, 0, tall * float(rng.uniform(0.1, 0.5))])],
        tall * 0.003,
        (0.15, 0.15, 0.15),
    )


def gantry(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A harbour crane: four legs and a long boom."""
    rgb = np.array(
        ((0.2, 0.3, 0.5), (0.6, 0.2, 0.15), (0.5, 0.52, 0.55), (0.75, 0.55, 0.15))[
            int(rng.integers(4))
        ]
    )
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    base, tall = at(yaw, distance, foot), float(rng.uniform(38, 60))
    for dx in (-9, -7, 7, 9):
        canvas.line(
            [base + side * dx, base + side * dx * 0.9 + [0, 0, tall * 0.7]],
            1.3,
            rgb * (0.8 if abs(dx) < 8 else 1),
        )
    beam = base + np.array([0, 0, tall * 0.7])
    lattice(
        canvas,
        beam - side * 22,
        beam + side * 45,
        3.0,
        rgb.tolist(),
        0.6,
        np.array([0, 0, 1.0]),
        18,
    )
    peak = beam + np.array([0, 0, tall * 0.35])
    canvas.line([beam - side * 7, peak, beam + side * 7], 1.0, rgb)
    for end in (43, 22, -20):
        canvas.line([peak, beam + side * end], 0.3, rgb * 0.8)


def mast(
    canvas: Canvas,
    rng: np.random.Generator,
    yaw: float,
    distance: float,
    tall: float,
    foot: float,
    lamp: bool,
) -> None:
    """A flagpole, an antenna or a street lamp."""
    rgb = np.array([0.62, 0.63, 0.64]) * rng.uniform(0.4, 1.15)
    base = at(yaw, distance, foot)
    top = base + np.array([0, 0, tall])
    canvas.line([base, top], max(0.06, tall * 0.012), rgb)
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0]) * (1 if rng.random() < 0.5 else -1)
    if lamp:
        canvas.line([top, top + side * tall * 0.16 + [0, 0, tall * 0.03]], tall * 0.012, rgb)
        canvas.blob(
            top + side * tall * 0.17,
            tall * 0.025,
            np.array([0.85, 0.84, 0.78]) if rng.random() < 0.5 else rgb * 0.6,
        )
    elif rng.random() < 0.5:
        for k in range(int(rng.integers(2, 6))):
            z = tall * (0.55 + 0.4 * k / 6)
            w = side * tall * float(rng.uniform(0.03, 0.09))
            canvas.line([base + [0, 0, z] - w, base + [0, 0, z] + w], tall * 0.006, rgb * 0.8)


def fence(
    canvas: Canvas, rng: np.random.Generator, offset: float, turn: float, foot: float
) -> None:
    """A railing that passes the camera at `offset` metres, with a mesh between its posts."""
    rgb = np.array(
        ((0.3, 0.34, 0.3), (0.45, 0.46, 0.47), (0.2, 0.2, 0.22), (0.55, 0.5, 0.4))[
            int(rng.integers(4))
        ]
    )
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    away = np.array([-math.sin(turn), math.cos(turn), 0.0]) * offset
    span = np.linspace(-40, 40, 41)
    low, high = foot, foot + 1.1
    for z in (high, (low + high) / 2, low + 0.12):
        canvas.line([along * s + away + [0, 0, z] for s in span], 0.05, rgb, abs(offset) * 1.5)
    for s in span:
        p = along * s + away
        canvas.line([p + [0, 0, low], p + [0, 0, high]], 0.06, rgb, float(np.linalg.norm(p)))
    for s in np.arange(-8, 8, 0.25):
        p = along * s + away
        canvas.line([p + [0, 0, low], p + [0, 0, high]], 0.01, rgb * 0.8, float(np.linalg.norm(p)))


def wires(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, tall: float, foot: float
) -> None:
    """A power line: pylons and sagging wires."""
    turn = yaw + math.pi / 2 + float(rng.uniform(-0.8, 0.8))
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    rgb = np.array([0.35, 0.36, 0.37]) * rng.uniform(0.5, 1.2)
    spacing = float(rng.uniform(2.5, 5.0)) * tall
    feet = [at(yaw, distance, foot) + along * spacing * k for k in range(-3, 4)]
    across = np.array([-along[1], along[0], 0.0])
    for p in feet:
        top = p + np.array([0, 0, tall])
        if float(np.hypot(p[0], p[1])) < tall:
            continue
        canvas.line([p - across * tall * 0.07, top, p + across * tall * 0.07], tall * 0.012, rgb)
        for z in (0.72, 0.86):
            canvas.line(
                [
                    p + [0, 0, tall * z] - across * tall * 0.16,
                    p + [0, 0, tall * z] + across * tall * 0.16,
                ],
                tall * 0.012,
                rgb,
            )
    t = np.linspace(0, 1, 13)[:, None]
    for a, b in zip(feet[:-1], feet[1:], strict=True):
        for z in (0.72, 0.86):
            for side in (-0.15, 0.15):
                p, q = (e + across * tall * side + np.array([0, 0, tall * z]) for e in (a, b))
                sag = np.array([0, 0, 1.0]) * (tall * 0.25) * (t * (1 - t))
                canvas.line(p + (q - p) * t - sag, 0.04, rgb * 0.7)


def viaduct(canvas: Canvas, rng: np.random.Generator, foot: float) -> None:
    """A bridge overhead: piers, a plate girder, lattice below."""
    turn = float(rng.uniform(0, 2 * math.pi))
    along = np.array([math.cos(turn), math.sin(turn), 0.0])
    side = np.array([-along[1], along[0], 0.0])
    offset, tall = float(rng.uniform(10, 22)), float(rng.uniform(9, 16))
    steel = np.array(
        ((0.22, 0.28, 0.26), (0.3, 0.32, 0.35), (0.42, 0.3, 0.24), (0.36, 0.4, 0.38))[
            int(rng.integers(4))
        ]
    )
    concrete = np.array([0.5, 0.49, 0.46]) * rng.uniform(0.7, 1.2)
    deep = float(rng.uniform(5, 9))
    reach = 90.0
    a, b = side * offset - along * reach, side * offset + along * reach
    up = np.array([0, 0, 1.0])
    for k in np.arange(-5, 6):
        p = side * (offset + 1.5) + along * k * 17.0
        q = p + along * 3.5
        wall = np.array([p + up * foot, q + up * foot, q + up * tall, p + up * tall])
        canvas.polygon(wall, concrete)
        canvas.polygon(
            np.array(
                [
                    p + up * foot,
                    p + up * tall,
                    p + side * deep * 0.5 + up * tall,
                    p + side * deep * 0.5 + up * foot,
                ]
            ),
            concrete * 0.65,
        )
    far = side * deep
    canvas.polygon(
        np.array([a + up * tall, b + up * tall, b + far + up * tall, a + far + up * tall]),
        steel * 0.35,
    )
    lattice(
        canvas,
        a + up * tall + far * 0.5,
        b + up * tall + far * 0.5,
        1.0,
        (steel * 0.5).tolist(),
        0.25,
        side,
        40,
    )
    canvas.polygon(
        np.array([a + up * tall, b + up * tall, b + up * (tall + 3), a + up * (tall + 3)]), steel
    )
    for k in np.linspace(0, 1, 60):
        p = a + (b - a) * k
        canvas.line([p + up * tall, p + up * (tall + 3)], 0.18, steel * 1.35)
    lattice(
        canvas, a + up * (tall + 3), b + up * (tall + 3), 1.3, (steel * 1.1).tolist(), 0.12, up, 50
    )


def ship(
    canvas: Canvas, rng: np.random.Generator, yaw: float, distance: float, foot: float
) -> None:
    """A freighter side on, with containers."""
    side = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
    base, length = at(yaw, distance, foot), float(rng.uniform(80, 180))
    hull = np.array(
        ((0.45, 0.12, 0.1), (0.12, 0.16, 0.3), (0.15, 0.15, 0.16), (0.2, 0.35, 0.3))[
            int(rng.integers(4))
        ]
    )
    up = np.array([0, 0, 1.0])
    canvas.polygon(
        [
            base - side * length * 0.5 + up * 9,
            base + side * length * 0.53 + up * 11,
            base + side * length * 0.47,
            base - side * length * 0.48,
        ],
        hull,
    )
    canvas.polygon(
        [
            base - side * length * 0.46 + up * 9,
            base - side * length * 0.36 + up * 9,
            base - side * length * 0.36 + up * 30,
            base - side * length * 0.46 + up * 30,
        ],
        (0.85, 0.85, 0.83),
    )
    for k in range(12):
        for j in range(int(rng.integers(1, 5))):
            p = base + side * length * (-0.32 + 0.062 * k) + up * (9 + 2.6 * j)
            rgb = rng.uniform(0.2, 0.7, 3)
            canvas.polygon(
                [p, p + side * length * 0.058, p + side * length * 0.058 + up * 2.5, p + up * 2.5],
                rgb,
            )
