"""Synthetic images of craft with captions and boxes, as the competition's are.

In process::

    from turret_ai.learn.images import Settings, generate
    rgb, labels = generate(17, seed=0, split="train", settings=Settings())
    for caption, type_name, colours, box in labels: ...

rgb is (870, 1520, 3) uint8 after noise and JPEG; labels are (caption, type, colours, Box in
pixels, clipped to the frame). The same index, seed, split and settings always give the same image.
`Settings.panorama_reuse` neighbouring indices share a panorama, which is made once and kept for the
next calls: ask for indices in order (each worker a contiguous block), not shuffled.
For validation take `split="val"`, for figures `split="test"`: airframe variants, liveries' seeds,
cloud and ground textures and landscapes of one split never occur in another.

Files: `turret-ai synth images OUT --num-images N --index-offset K --split train`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.learn import cutout, sensor
from turret_ai.learn.visible import erase, visible_share
from turret_ai.see.boxes import HIT_IOU
from turret_ai.simulate import clutter, craft, landscape, livery, mesh, render
from turret_ai.simulate.world import clip
from turret_ai.types import Box, ImageArray

Label = tuple[str, str, tuple[str, ...], Box]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the images are like; the defaults are the competition's.

    craft: fewest and most in an image.
    median_px, spread: the root of a box's area is log-normal: its median in pixels and the
        standard deviation of its logarithm. With the poses this gives boxes of about 60x40 px, the
        5th percentiles 31 and 21, the 95th 128 and 74 (the competition's: 60x40, 32x24, 128x64).
    wide_share: the share of craft whose longer side is instead spread evenly (in the logarithm)
        over smallest_px..largest_px.
    levels: shares of clean, mildly and strongly degraded images.
    panorama_reuse: how many images in a row look at one panorama.
    backgrounds: a folder of photos or panoramas to paste on, instead of procedural landscapes.
    """

    width: int = 1520
    height: int = 870
    craft: tuple[int, int] = (3, 8)
    median_px: float = 49.0
    spread: float = 0.33
    wide_share: float = 0.12
    smallest_px: float = 8.0
    largest_px: float = 420.0
    levels: tuple[float, float, float] = (0.2, 0.4, 0.4)
    panorama_reuse: int = 12
    panorama_width: int = 4096
    backgrounds: str = ""
    clutter: bool = True


_SPLIT_NUMBER = {"train": 0, "val": 1, "test": 2}
_VISIBLE_COLOUR = 0.06
"""A colour is named only if it covers at least this share of the painted pixels in view."""
_SMALLEST_VISIBLE = 0.35
"""A craft of which less is to be seen is not labelled, and is therefore not drawn."""
_MASK_COVER = 0.3
"""Least cover of a pixel of the mask: wings and blades are, the blur of a rotor is not."""


def generate(
    index: int, seed: int = 0, split: str = "train", settings: Settings | None = None
) -> tuple[ImageArray, list[Label]]:
    """One image and its labels; see the module's text.

    Raises:
        InputError: unknown split, or a folder of backgrounds without images.
    """
    made = encode(index, seed, split, settings)
    decoded = cv2.imdecode(np.frombuffer(made.jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), made.labels


class Encoded(NamedTuple):
    """A synthetic image as it is kept in files.

    jpeg: the bytes of the file. mask: (H, W) uint8, n where the n-th label's craft is, counted
    from 1, and 0 elsewhere.
    """

    jpeg: bytes
    labels: list[Label]
    mask: ImageArray


def encode(
    index: int, seed: int = 0, split: str = "train", settings: Settings | None = None
) -> Encoded:
    """As `generate`, but the image as the bytes of a JPEG file, and with a mask of the craft."""
    settings = settings or Settings()
    if split not in _SPLIT_NUMBER:
        raise InputError(f"unknown split {split!r}: known are {', '.join(_SPLIT_NUMBER)}")
    rng = np.random.default_rng((seed, _SPLIT_NUMBER[split], index))
    scene = compose(index, seed, split, settings, rng)
    level = str(rng.choice(sensor.LEVELS, p=np.array(settings.levels) / sum(settings.levels)))
    _drop_unseen(scene, copy.deepcopy(rng), level)
    image = sensor.degrade(scene.image, rng, level)
    quality = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg_quality(rng, level)]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    if not ok:
        raise InputError(f"image {index} could not be encoded as JPEG")
    return Encoded(data.tobytes(), scene.labels, _mask(scene))


def _mask(scene: Composition) -> ImageArray:
    """Which craft each pixel shows; what is in front of a craft is no part of it."""
    mask = np.zeros(scene.image.shape[:2], np.uint8)
    for number, drawn in enumerate(scene.drawn, 1):
        height, width = drawn.cover.shape
        part = mask[drawn.y : drawn.y + height, drawn.x : drawn.x + width]
        part[drawn.cover > _MASK_COVER] = number
    mask[(scene.image == scene.bare).all(axis=2)] = 0
    return mask


def _drop_unseen(scene: Composition, rng: np.random.Generator, level: str) -> None:
    """Take the craft out that the sensor hides, and their labels: those of which so little is left
    to be seen that the box round it would not count as right.

    rng: in the state in which `sensor.degrade` will get it.
    """
    seed = int(rng.integers(1 << 31))
    again = copy.deepcopy(rng)
    seen = sensor.expose(scene.image, rng, level)
    empty = sensor.expose(scene.bare, again, level)
    noisy = sensor.add_noise(empty, again, level, seed)
    hidden = []
    for label, drawn in zip(scene.labels, scene.drawn, strict=True):
        hidden.append(visible_share(seen, empty, noisy, drawn, label[3]) <= HIT_IOU)
    kept = [d for d, out in zip(scene.drawn, hidden, strict=True) if not out]
    for drawn, out in zip(scene.drawn, hidden, strict=True):
        if out:
            erase(scene.image, scene.bare, drawn, kept)
    scene.labels = [one for one, out in zip(scene.labels, hidden, strict=True) if not out]
    scene.drawn = kept


@lru_cache(maxsize=3)
def _landscape(number: int, seed: int, split: str, width: int) -> landscape.Landscape:
    offset = _SPLIT_NUMBER[split]
    rng = np.random.default_rng((seed, offset, number, 7))
    kind = landscape.KINDS[int(rng.integers(len(landscape.KINDS)))]
    number = int(rng.integers(1 << 30))
    return landscape.paint(kind, number, width=width, textures=offset, street=True)


@lru_cache(maxsize=4)
def _photos(folder: str) -> tuple[Path, ...]:
    endings = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".hdr", ".exr"}
    found = sorted(p for p in Path(folder).expanduser().rglob("*") if p.suffix.lower() in endings)
    if not found:
        raise InputError(f"no images in the folder of backgrounds {folder}")
    return tuple(found)


@lru_cache(maxsize=6)
def _photo(path: Path) -> ImageArray:
    from turret_ai.simulate.photo import read

    return read(path)


def background(
    index: int, seed: int, split: str, settings: Settings, rng: np.random.Generator
) -> tuple[ImageArray, Camera, np.ndarray, render.Light]:
    """What is behind the craft: the picture, its camera, the camera's axes and the daylight."""
    fov = 70.0 if rng.random() < 0.5 else float(rng.uniform(38, 78))
    camera = Camera.from_fov(settings.width, settings.height, math.radians(fov))
    pitch = -math.radians(15.0 if rng.random() < 0.5 else float(rng.uniform(2, 30)))
    axes = rotation(float(rng.uniform(-math.pi, math.pi)), pitch)
    if settings.backgrounds:
        from turret_ai.simulate.photo import look

        photos = _photos(settings.backgrounds)
        picture = look(_photo(photos[int(rng.integers(len(photos)))]), camera, axes, rng)
        return picture, camera, axes, render.Light()
    number = index // max(1, settings.panorama_reuse)
    world = _landscape(number, seed, split, settings.panorama_width)
    picture = world.panorama.view(camera, axes)
    if rng.random() < 0.5:
        picture = picture[:, ::-1].copy()
    return picture, camera, axes, world.light


@dataclass(slots=True)
class Composition:
    """A picture before the sensor (H, W, 3), the same without its craft, and both's labels."""

    image: ImageArray
    bare: ImageArray
    labels: list[Label] = field(default_factory=list)
    drawn: list[render.Drawn] = field(default_factory=list)
    """What was drawn for each label."""


def compose(
    index: int, seed: int, split: str, settings: Settings, rng: np.random.Generator
) -> Composition:
    """The picture before the sensor, and its labels."""
    image, camera, axes, light = background(index, seed, split, settings, rng)
    if settings.clutter:
        _scatter(image, rng)
    scene = Composition(image, image.copy())
    count = int(rng.integers(settings.craft[0], settings.craft[1] + 1))
    for _ in range(4 * count):
        if len(scene.labels) == count:
            break
        _add_craft(scene, camera, axes, light, split, settings, rng)
    if settings.clutter and scene.labels:
        bare_rng = copy.deepcopy(rng)
        labels = _cover(scene.image, scene.labels, rng)
        _cover(scene.bare, scene.labels, bare_rng)
        scene.labels = labels
    return scene


def _cover(image: ImageArray, labels: list[Label], rng: np.random.Generator) -> list[Label]:
    """Now and then something in front of a craft; returns the labels as they are then."""
    labels = list(labels)
    if rng.random() < 0.18:
        _obstruct(image, rng, labels[int(rng.integers(len(labels)))][3])
    if rng.random() < 0.12:
        _hide(image, rng, labels, int(rng.integers(len(labels))))
    return labels


def _scatter(image: ImageArray, rng: np.random.Generator) -> None:
    h, w = image.shape[:2]
    for _ in range(int(rng.choice([0, 1, 2, 4, 8], p=[0.4, 0.22, 0.18, 0.12, 0.08]))):
        kind = clutter.NEGATIVES[int(rng.choice(4, p=[0.5, 0.2, 0.15, 0.15]))]
        size = float(np.exp(rng.uniform(math.log(8), math.log(70))))
        kind(image, rng, float(rng.uniform(0, w)), float(rng.uniform(0, 0.75 * h)), size)
    if rng.random() < 0.12:
        clutter.wire(image, rng)
    if rng.random() < 0.3:
        clutter.scraps(image, rng)


def _obstruct(image: ImageArray, rng: np.random.Generator, box: Box) -> None:
    """Something thin before a craft; it hides too little to change the box."""
    x, y = box.centre
    kind = int(rng.integers(3))
    if kind == 0:
        clutter.wire(image, rng)
    elif kind == 1 and box.width > 40:
        clutter.pole(image, rng, x + float(rng.normal(0, box.width)))
    else:
        clutter.twig(image, rng, box.left, y, max(20.0, box.width * 0.7))


def _hide(image: ImageArray, rng: np.random.Generator, labels: list[Label], number: int) -> None:
    """Put a wall before the lower part of one craft; its box then ends at the wall."""
    text, type_name, colours, box = labels[number]
    if box.height < 16:
        return
    top = round(box.top + box.height * float(rng.uniform(0.6, 0.85)))
    left = round(box.left - box.width * float(rng.uniform(0.1, 2.0)))
    right = round(box.left + box.width * float(rng.uniform(1.1, 3.0)))
    wall = Box(left, top, right - left, image.shape[0] - top)
    if any(_overlap(wall, other[3]) > 0.0 for k, other in enumerate(labels) if k != number):
        return
    clutter.wall(image, rng, left, top, right)
    labels[number] = (text, type_name, colours, Box(box.left, box.top, box.width, top - box.top))


def _orientation(type_name: str, axes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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


def _studio(axes: np.ndarray, rng: np.random.Generator) -> render.Light:
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


def _wanted(settings: Settings, rng: np.random.Generator) -> tuple[float, bool]:
    """Size of the next craft in pixels, and whether that is of the longer side, not the root of
    the area."""
    if rng.random() < settings.wide_share:
        low, high = math.log(settings.smallest_px), math.log(settings.largest_px)
        return float(np.exp(rng.uniform(low, high))), True
    size = float(np.exp(rng.normal(math.log(settings.median_px), settings.spread)))
    return min(max(size, settings.smallest_px), settings.largest_px), False


def _too_alike(type_name: str, colours: tuple[str, ...], labels: list[Label]) -> bool:
    """Whether one description would also fit the other craft."""
    mine = set(colours)
    for _, other, theirs, _ in labels:
        if other == type_name and (mine <= set(theirs) or set(theirs) <= mine):
            return True
    return False


def _add_craft(
    scene: Composition,
    camera: Camera,
    axes: np.ndarray,
    light: render.Light,
    split: str,
    settings: Settings,
    rng: np.random.Generator,
) -> None:
    """Try to add one craft and its label; leave all as it is where it doesn't fit."""
    image, labels = scene.image, scene.labels
    type_name = craft.TYPES[int(rng.integers(len(craft.TYPES)))]
    choices = craft.variants(type_name, split)
    variant = choices[int(rng.integers(len(choices)))].name
    paint = livery.random_livery(type_name, rng, _SPLIT_NUMBER[split] << 26)
    if _too_alike(type_name, paint.colours, labels):
        return
    model = mesh.load(type_name, variant, bool(rng.random() < 0.3))
    turn = _orientation(type_name, axes, rng)
    edge = rng.random() < 0.06
    low, high = (-0.02, 1.02) if edge else (0.04, 0.96)
    px = float(rng.uniform(low, high)) * settings.width
    py = float(rng.beta(1.4, 1.9)) * settings.height * (1.0 if edge else 0.94) + 8
    ray = axes @ np.array([1.0, (camera.cx - px) / camera.fx, (camera.cy - py) / camera.fy])
    ray /= np.linalg.norm(ray)
    wanted, longer = _wanted(settings, rng)
    distance = model.size * camera.fx / wanted
    for _ in range(2):
        placed = render.Placed(model, paint, ray * distance, turn, False)
        box = render.true_box(placed, camera, axes)
        if box is None:
            return
        side = max(box.width, box.height)
        distance *= (side if longer else math.sqrt(box.width * box.height)) / wanted
    placed = render.Placed(model, paint, ray * distance, turn, False)
    box = render.true_box(placed, camera, axes)
    if box is None:
        return
    seen = clip(box, settings.width, settings.height)
    if seen is None or seen.width * seen.height < _SMALLEST_VISIBLE * box.width * box.height:
        return
    allowed = 0.25 if rng.random() < 0.1 else 0.0
    if any(_overlap(seen, other) > allowed for *_, other in labels):
        return
    lamp = _studio(axes, rng) if rng.random() < 0.6 else light
    region = _padded(seen, image)
    before = region.copy()
    softness = float(rng.choice([0.0, rng.uniform(0.3, 0.9)]))
    drawn = render.draw(image, placed, camera, axes, lamp, rays=16_000, blur=softness)
    if drawn is None:
        return
    colours = _visible_colours(paint.colours, drawn.colour_shares, rng)
    if not colours or _too_alike(type_name, colours, labels):
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


def _padded(box: Box, image: ImageArray) -> ImageArray:
    h, w = image.shape[:2]
    x0, y0 = max(0, int(box.left) - 6), max(0, int(box.top) - 6)
    x1, y1 = min(w, int(box.left + box.width) + 8), min(h, int(box.top + box.height) + 8)
    return image[y0:y1, x0:x1]


def _overlap(a: Box, b: Box) -> float:
    """Shared area as a share of the smaller box."""
    w = min(a.left + a.width, b.left + b.width) - max(a.left, b.left)
    h = min(a.top + a.height, b.top + b.height) - max(a.top, b.top)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min(a.width * a.height, b.width * b.height)
