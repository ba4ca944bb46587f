# SPDX-License-Identifier: Apache-2.0
"""What flies or hangs in the picture and is no craft: birds, balloons, kites, wires, lamps, twigs.

All are drawn into an RGB image in place, in pixels; they are the hard negatives and the occluders
of the synthetic images.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from turret_ai.types import ImageArray

_SHIFT = 4


def _points(p: np.ndarray) -> np.ndarray:
    return np.asarray(np.round(p * (1 << _SHIFT)), np.int32)


def _rgb(
    rng: np.random.Generator, low: float = 20, high: float = 235
) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in rng.uniform(low, high, 3))
    return r, g, b


def bird(image: ImageArray, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """Two bent wings and a body, dark or pale."""
    shade = float(rng.choice([rng.uniform(15, 70), rng.uniform(170, 240)], p=[0.8, 0.2]))
    lift, tilt = float(rng.uniform(-0.25, 0.4)), float(rng.uniform(-0.5, 0.5))
    half = size / 2
    wing = (
        np.array(
            [
                [-1, -lift * 0.4],
                [-0.5, -lift],
                [-0.08, 0],
                [0.08, 0],
                [0.5, -lift],
                [1, -lift * 0.4],
                [0.45, -lift + 0.2],
                [0.1, 0.2],
                [0, 0.32],
                [-0.1, 0.2],
                [-0.45, -lift + 0.2],
            ]
        )
        * half
    )
    c, s = math.cos(tilt), math.sin(tilt)
    wing = wing @ np.array([[c, s], [-s, c]]) + np.array([x, y])
    cv2.fillPoly(image, [_points(wing)], (shade, shade * 0.97, shade * 0.93), cv2.LINE_AA, _SHIFT)


def balloon(image: ImageArray, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A toy or hot-air balloon with its string or basket."""
    rgb = np.array(_rgb(rng))
    r = size * 0.36
    for k in range(6):
        t = k / 6
        centre = _points(np.array([x - r * 0.3 * t, y - r * 0.3 * t]))
        axes = _points(np.array([r * (1 - t * 0.85), r * 1.18 * (1 - t * 0.85)]))
        colour = tuple(float(v) for v in np.clip(rgb * (0.75 + 0.35 * t) + 25 * t, 0, 255))
        cv2.ellipse(
            image, centre.tolist(), axes.tolist(), 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT
        )
    foot = np.array([[x, y + r * 1.15], [x + rng.normal(0, 2), y + size * 0.75]])
    cv2.polylines(image, [_points(foot)], False, (60, 55, 50), 1, cv2.LINE_AA, _SHIFT)
    if rng.random() < 0.4:
        box = np.array([[-1, 0], [1, 0], [0.8, 1], [-0.8, 1]]) * size * 0.07 + foot[1]
        cv2.fillPoly(image, [_points(box)], (80, 55, 35), cv2.LINE_AA, _SHIFT)


def kite(image: ImageArray, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A diamond in two colours with a tail."""
    turn = float(rng.uniform(0, 6.3))
    c, s = math.cos(turn), math.sin(turn)
    spin = np.array([[c, s], [-s, c]]) * size * 0.5
    shape = np.array([[0, -1.0], [0.6, -0.2], [0, 1.0], [-0.6, -0.2]]) @ spin + np.array([x, y])
    cv2.fillPoly(image, [_points(shape)], _rgb(rng), cv2.LINE_AA, _SHIFT)
    cv2.fillPoly(image, [_points(shape[:3])], _rgb(rng), cv2.LINE_AA, _SHIFT)
    t = np.linspace(0, 1, 12)
    tail = np.stack([0.25 * np.sin(t * 9), 1 + 1.5 * t], 1) @ spin + np.array([x, y])
    cv2.polylines(image, [_points(tail)], False, _rgb(rng), 1, cv2.LINE_AA, _SHIFT)


def lamp(image: ImageArray, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A street lamp's head, a bulb, or a reflection: a bright blob with a dark holder."""
    w, h = size * 0.5, size * float(rng.uniform(0.12, 0.3))
    grey = float(rng.uniform(40, 150))
    body = np.array([[-w, -h], [w, -h * 0.4], [w, h * 0.4], [-w, h * 0.6]]) + np.array([x, y])
    cv2.fillPoly(image, [_points(body)], (grey, grey, grey * 1.02), cv2.LINE_AA, _SHIFT)
    pole = np.array(
        [[x - w, y], [x - w * float(rng.uniform(1.2, 3)), y + size * float(rng.uniform(1, 5))]]
    )
    cv2.polylines(
        image,
        [_points(pole)],
        False,
        (grey * 0.8,) * 3,
        max(1, int(size * 0.1)),
        cv2.LINE_AA,
        _SHIFT,
    )
    if rng.random() < 0.6:
        glow = _points(np.array([x + w * 0.2, y + h * 0.5])).tolist()
        cv2.circle(
            image,
            glow,
            int(h * 16),
            (255, 250, float(rng.uniform(170, 250))),
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )


def wire(image: ImageArray, rng: np.random.Generator) -> None:
    """One to four sagging wires across the picture."""
    h, w = image.shape[:2]
    y0, y1 = rng.uniform(0.02, 0.75, 2) * h
    sag, gap = float(rng.uniform(0, 90)), float(rng.uniform(6, 40))
    shade = float(rng.uniform(20, 110))
    t = np.linspace(0, 1, 24)
    for k in range(int(rng.integers(1, 5))):
        line = np.stack([t * w, y0 + (y1 - y0) * t + sag * 4 * t * (1 - t) + gap * k], 1)
        cv2.polylines(
            image,
            [_points(line)],
            False,
            (shade,) * 3,
            int(rng.integers(1, 3)),
            cv2.LINE_AA,
            _SHIFT,
        )


def pole(image: ImageArray, rng: np.random.Generator, x: float) -> None:
    """An upright bar in front of everything, from some height down to the lower edge."""
    h = image.shape[0]
    top, lean = float(rng.uniform(-0.1, 0.5)) * h, float(rng.normal(0, 20))
    shade = np.array([1.0, 1.0, 1.02]) * float(rng.uniform(30, 190))
    width = int(rng.integers(2, 12))
    line = np.array([[x, top], [x + lean, h + 5]])
    cv2.polylines(
        image, [_points(line)], False, tuple(float(v) for v in shade), width, cv2.LINE_AA, _SHIFT
    )


def twig(image: ImageArray, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A branch with a few leaves, near the camera and so in front of a craft."""
    shade = float(rng.uniform(20, 80))
    p, angle = np.array([x, y]), float(rng.uniform(0, 6.3))
    leaf = (shade * 0.9, shade * 1.3, shade * 0.6)
    for k in range(int(rng.integers(5, 11))):
        angle += float(rng.normal(0, 0.35))
        q = p + size * 0.22 * np.array([math.cos(angle), math.sin(angle)])
        cv2.polylines(
            image,
            [_points(np.stack([p, q]))],
            False,
            (shade, shade * 0.9, shade * 0.8),
            max(1, 3 - k // 3),
            cv2.LINE_AA,
            _SHIFT,
        )
        if rng.random() < 0.6:
            centre = _points(q + rng.normal(0, size * 0.06, 2)).tolist()
            axes = _points(np.array([size * 0.09, size * 0.04])).tolist()
            cv2.ellipse(
                image, centre, axes, math.degrees(angle) + 60, 0, 360, leaf, -1, cv2.LINE_AA, _SHIFT
            )
        p = q


def wall(image: ImageArray, rng: np.random.Generator, left: int, top: int, right: int) -> None:
    """A building's upper part, down to the lower edge, with windows and a rough surface."""
    h, w = image.shape[:2]
    x0, x1, y0 = max(0, left), min(w, right), max(0, top)
    if x1 <= x0 or y0 >= h:
        return
    colour = rng.uniform(50, 190) * rng.uniform(0.85, 1.1, 3)
    rough = rng.normal(1.0, 0.06, (h - y0, x1 - x0, 1))
    rough *= np.linspace(1.05, 0.9, x1 - x0)[None, :, None]
    image[y0:, x0:x1] = np.clip(colour * rough, 0, 255).astype(np.uint8)
    step = int(rng.integers(14, 50))
    dark = float(rng.uniform(20, 90))
    for y in range(y0 + step // 2, h, step):
        for x in range(left + step // 3, right - step // 2, step):
            if x >= x0:
                image[y : y + step // 2, x : min(x1, x + step // 2)] = (
                    dark,
                    dark * 1.05,
                    dark * 1.15,
                )


def scraps(image: ImageArray, rng: np.random.Generator) -> None:
    """Odd shapes of any colour, mostly low in the picture: compact, but no craft."""
    h, w = image.shape[:2]
    for _ in range(int(rng.integers(3, 30))):
        size = float(np.exp(rng.uniform(math.log(4), math.log(45))))
        x, y = float(rng.uniform(0, w)), float(h * min(1.0, rng.beta(3.0, 1.6)))
        grey = float(rng.uniform(10, 245))
        rgb = _rgb(rng, 10, 245) if rng.random() < 0.5 else (grey, grey, grey)
        corners = int(rng.integers(3, 9))
        angles = np.sort(rng.uniform(0, 2 * math.pi, corners))
        radii = size * rng.uniform(0.3, 0.6, corners)
        flat = float(rng.uniform(0.3, 1.0))
        shape = np.stack([np.cos(angles) * radii, np.sin(angles) * radii * flat], 1)
        cv2.fillPoly(image, [_points(shape + np.array([x, y]))], rgb, cv2.LINE_AA, _SHIFT)
        if rng.random() < 0.4:
            inner = shape * float(rng.uniform(0.3, 0.7)) + np.array([x, y])
            cv2.fillPoly(image, [_points(inner)], _rgb(rng), cv2.LINE_AA, _SHIFT)


NEGATIVES = (bird, balloon, kite, lamp)
