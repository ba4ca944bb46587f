# SPDX-License-Identifier: Apache-2.0
"""One craft more in a synthetic image: its type, livery, pose, size, light and label."""

from __future__ import annotations

import math

import numpy as np

from turret_ai.aim.camera import rotation
from turret_ai.learn import cutout
from turret_ai.learn.image_types import SPLIT_NUMBER, Composition, Label, Settings
from turret_ai.simulate import craft, livery, mesh, render
from turret_ai.simulate.world import clip
from turret_ai.types import Box, ImageArray

_VISIBLE_COLOUR = 0.06
"""A colour is named only if it covers at least this share of the painted pixels in view."""
_SMALLEST_VISIBLE = 0.35
"""A craft of which less is to be seen is not labelled, and is therefore not drawn."""


def add_craft(scene: Composition, settings: Settings, rng: np.random.Generator) -> None:
    """Try to add one craft and its label; leave all as it is where it doesn't fit."""
    image, labels = scene.image, scene.labels
    type_name = craft.TYPES[int(rng.integers(len(craft.TYPES)))]
    choices = craft.variants(type_name, scene.split)
    variant = choices[int(rng.integers(len(choices)))].name
    paint = livery.random_livery(type_name, rng, SPLIT_NUMBER[scene.split] << 26)
    if too_alike(type_name, paint.colours, labels):
        return
    model = mesh.load(type_name, variant, bool(rng.random() < 0.3))
    stands = stand(model, paint, type_name, scene, settings, rng)
    if stands is None:
        return
    placed, seen = stands
    lamp = studio(scene.axes, rng) if rng.random() < 0.6 else scene.light
    region = padded(seen, image)
    before = region.copy()
    softness = float(rng.choice([0.0, rng.uniform(0.3, 0.9)]))
    drawn = render.draw(image, placed, scene.camera, scene.axes, lamp, rays=16_000, blur=softness)
    if drawn is None:
        return
    colours = _visible_colours(paint.colours, drawn.colour_shares, rng)
    if not colours or too_alike(type_name, colours, labels):
        region[:] = before
        return
    if rng.random() < 0.7:
        cutout.develop(image, rng, drawn)
    if rng.random() < 0.12:
        cutout.fringe(image, rng, drawn)
    camouflage = paint.camouflage and len(colours) > 1
    text = livery.caption(type_name, colours, camouflage)
    labels.append((text, type_name, colours, seen))
    scene.drawn.append(drawn)


def stand(
    model: mesh.Mesh,
    paint: livery.Livery,
    type_name: str,
    scene: Composition,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[render.Placed, Box] | None:
    """A pose, a place and a size for a craft, and its box in the frame; None if that didn't fit."""
    camera, axes = scene.camera, scene.axes
    turn = orientation(type_name, axes, rng)
    px, py = somewhere(settings, rng)
    ray = axes @ np.array([1.0, (camera.cx - px) / camera.fx, (camera.cy - py) / camera.fy])
    ray /= np.linalg.norm(ray)
    wanted, longer = wanted_size(settings, rng)
    distance = model.size * camera.fx / wanted
    for _ in range(2):
        placed = render.Placed(model, paint, ray * distance, turn, False)
        box = render.true_box(placed, camera, axes)
        if box is None:
            return None
        side = max(box.width, box.height)
        distance *= (side if longer else math.sqrt(box.width * box.height)) / wanted
    placed = render.Placed(model, paint, ray * distance, turn, False)
    box = render.true_box(placed, camera, axes)
    seen = None if box is None else fits(box, scene.labels, settings, rng)
    return None if seen is None else (placed, seen)


def somewhere(settings: Settings, rng: np.random.Generator) -> tuple[float, float]:
    """Where the middle of the next craft is, pixels; now and then at the frame's edge."""
    edge = rng.random() < 0.06
    low, high = (-0.02, 1.02) if edge else (0.04, 0.96)
    px = float(rng.uniform(low, high)) * settings.width
    py = float(rng.beta(1.4, 1.9)) * settings.height * (1.0 if edge else 0.94) + 8
    return px, py


def fits(box: Box, labels: list[Label], settings: Settings, rng: np.random.Generator) -> Box | None:
    """The part of a box in the frame; None if too little of it is, or another craft is there."""
    seen = clip(box, settings.width, settings.height)
    if seen is None or seen.width * seen.height < _SMALLEST_VISIBLE * box.width * box.height:
        return None
    allowed = 0.25 if rng.random() < 0.1 else 0.0
    if any(shared_area(seen, other) > allowed for *_, other in labels):
        return None
    return seen


def orientation(type_name: str, axes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotation from the craft's frame to the base frame: mostly seen from the side and below."""
    while True:
        yaw = float(rng.uniform(-math.pi, math.pi))
        if abs(math.cos(yaw)) < (0.8 if type_name == "missile" else 0.9) or rng.random() < 0.15:
            break
    pitch = math.radians(float(rng.normal(10, 25)))
    lean = math.radians(float(rng.normal(0, 18)))
    if type_name == "missile":
        lean = math.radians(float(rng.uniform(-75, 75)))
    elif rng.random() < 0.08:
        lean = math.radians(float(rng.uniform(-60, 60)))
    bank = math.radians(float(rng.normal(0, 22)))
    about_x = _about_x(lean)
    # View from below: the craft's nose-up pitch seen along the line of sight.
    return np.asarray(axes @ about_x @ rotation(0.0, -pitch) @ rotation(yaw, 0.0) @ _about_x(bank))


def _about_x(angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])


def studio(axes: np.ndarray, rng: np.random.Generator) -> render.Light:
    """The light of another photo, as a pasted cut-out has it."""
    sun = axes @ np.array([-rng.uniform(-0.35, 1.0), rng.normal(0, 0.7), rng.uniform(0.15, 1.2)])
    power, sky = float(rng.uniform(0.15, 1.2)), float(rng.uniform(0.5, 1.0))
    ground = sky * float(rng.uniform(0.18, 0.95))
    tint = rng.normal(0, 0.02, 3)
    return render.Light(
        tuple(float(v) for v in sun),  # type: ignore[arg-type]
        tuple(float(power * (1 + t)) for t in tint),  # type: ignore[arg-type]
        (sky * 0.98, sky, sky * 1.03), (sky * 1.1,) * 3, (ground * 1.01, ground, ground * 0.98),
        haze_per_metre=0.0,
    )  # fmt: skip


def wanted_size(settings: Settings, rng: np.random.Generator) -> tuple[float, bool]:
    """Size of the next craft in pixels, and whether that is of the longer side, not the root of
    the area."""
    if rng.random() < settings.wide_share:
        low, high = math.log(settings.smallest_px), math.log(settings.largest_px)
        return float(np.exp(rng.uniform(low, high))), True
    size = float(np.exp(rng.normal(math.log(settings.median_px), settings.spread)))
    return min(max(size, settings.smallest_px), settings.largest_px), False


def too_alike(type_name: str, colours: tuple[str, ...], labels: list[Label]) -> bool:
    """Whether one description would also fit the other craft."""
    mine = set(colours)
    for _, other, theirs, _ in labels:
        if other == type_name and (mine <= set(theirs) or set(theirs) <= mine):
            return True
    return False


def _visible_colours(
    names: tuple[str, ...], shares: list[float], rng: np.random.Generator
) -> tuple[str, ...]:
    """The colours to name: those in view, the largest first more often than not."""
    seen = [(s, n) for s, n in zip(shares, names, strict=True) if s >= _VISIBLE_COLOUR]
    unsure = any(0.02 < s < _VISIBLE_COLOUR for s in shares)
    if unsure and rng.random() < 0.7:
        return ()
    if rng.random() < 0.8:
        seen.sort(reverse=True)
    return tuple(n for _, n in seen)


def padded(box: Box, image: ImageArray) -> ImageArray:
    h, w = image.shape[:2]
    x0, y0 = max(0, int(box.left) - 6), max(0, int(box.top) - 6)
    x1, y1 = min(w, int(box.left + box.width) + 8), min(h, int(box.top + box.height) + 8)
    return image[y0:y1, x0:x1]


def shared_area(a: Box, b: Box) -> float:
    """Shared area as a share of the smaller box."""
    w = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    h = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min(a.width * a.height, b.width * b.height)
