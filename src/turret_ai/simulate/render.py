# SPDX-License-Identifier: Apache-2.0
"""Draws craft into an image by ray tracing: pinhole rays, soft daylight, anti-aliased edges.

Everything happens inside the craft's own box, so that the cost follows the craft's pixels and not
the image's. Shading is linear light, encoded as sRGB; the result is composited over the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import Camera
from turret_ai.simulate.colours import to_srgb
from turret_ai.simulate.livery import Livery
from turret_ai.simulate.mesh import Mesh
from turret_ai.types import Box, ImageArray

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]


_LAYERS = 6
"""Clear surfaces that a ray goes through at most."""
_LEAST_CLEAR = 0.35
"""Not even the farthest craft sinks into the haze any deeper."""


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight; colours are linear RGB, near neutral so that paints keep their names.

    sun: unit vector towards it, base frame. A white face that looks up into the sun is near 1,
        one in the shade near 0.6, as a photographer would expose them.
    """

    sun: tuple[float, float, float] = (0.4, 0.45, 0.8)
    sun_rgb: tuple[float, float, float] = (0.72, 0.7, 0.66)
    sky_rgb: tuple[float, float, float] = (0.8, 0.82, 0.86)
    horizon_rgb: tuple[float, float, float] = (0.84, 0.85, 0.86)
    ground_rgb: tuple[float, float, float] = (0.6, 0.58, 0.55)
    haze_per_metre: float = 1.0 / 6000.0
    shadows: bool = True

    def clear(self, distance: float) -> float:
        """The share of a craft's own light that comes through so many metres of haze."""
        return max(_LEAST_CLEAR, math.exp(-self.haze_per_metre * distance))


@dataclass(frozen=True, slots=True)
class Placed:
    """A craft somewhere: position (3,) in metres and rotation (3, 3) from its frame to the base."""

    mesh: Mesh
    livery: Livery
    position: Float64Array
    rotation: Float64Array
    distance_haze: bool = True


@dataclass(slots=True)
class Drawn:
    """What was drawn: the box of the whole craft (unclipped), the region touched and its cover.

    cover: alpha (h, w) of the craft alone, in the region whose upper left pixel is (x, y).
    colour_shares: for each colour of the livery, its share of the visible painted pixels.
    """

    box: Box
    x: int
    y: int
    cover: FloatArray
    colour_shares: list[float] = field(default_factory=list)


def project(points: Float64Array, camera: Camera, view: Float64Array) -> Float64Array | None:
    """Image points (n, 2) of base-frame points (n, 3); None if any is behind the camera.

    view: (3, 3), from the camera's body frame to the base frame (`aim.camera.rotation`, rolled
    if need be).
    """
    body = points @ view
    if body[:, 0].min() < 0.05:
        return None
    x = camera.cx - camera.fx * body[:, 1] / body[:, 0]
    y = camera.cy - camera.fy * body[:, 2] / body[:, 0]
    return np.stack([x, y], 1)


def true_box(placed: Placed, camera: Camera, view: Float64Array) -> Box | None:
    """The bounding rectangle of the projected vertices, not clipped; None behind the camera."""
    corners = placed.mesh.outline @ placed.rotation.T + placed.position
    pixels = project(corners, camera, view)
    if pixels is None:
        return None
    low, high = pixels.min(0), pixels.max(0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def draw(
    image: ImageArray,
    placed: Placed,
    camera: Camera,
    view: Float64Array,
    light: Light,
    *,
    rays: int = 40_000,
    blur: float = 0.0,
) -> Drawn | None:
    """Draw one craft over the image, in place; None if it is out of view.

    rays: how many to spend on the craft's inside; edges of large craft get more.
    blur: standard deviation in pixels of the craft's own softness, as that of a distant photo.
    """
    corners = placed.mesh.outline @ placed.rotation.T + placed.position
    pixels = project(corners, camera, view)
    if pixels is None:
        return None
    low, high = pixels.min(0), pixels.max(0)
    margin = 1 + int(3 * blur)
    x0, y0 = max(0, int(low[0]) - margin), max(0, int(low[1]) - margin)
    x1 = min(camera.width, int(high[0]) + 2 + margin)
    y1 = min(camera.height, int(high[1]) + 2 + margin)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    hull = cv2.convexHull(np.asarray((pixels - [x0, y0]) * 16, np.int64).astype(np.int32))
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(inside, hull, 1, shift=4)
    inside = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero(inside)
    if not len(ys):
        return None
    side = int(np.clip(np.sqrt(rays / len(ys)), 1, 4))
    shader = _Shader(placed, camera, view, light)
    rgba, index = _supersample(shader, xs + x0, ys + y0, side)
    if side == 1:
        canvas = np.full(inside.shape, -3, np.int64)
        canvas[ys, xs] = index
        edges = _edges(canvas)[ys, xs]
        if edges.any():
            rgba[edges], _ = _supersample(shader, xs[edges] + x0, ys[edges] + y0, 3)
    layer = np.zeros((*inside.shape, 4), np.float32)
    layer[ys, xs] = rgba
    if blur > 0.05:
        layer = cv2.GaussianBlur(layer, (0, 0), blur)
    cover = layer[..., 3]
    region = image[y0:y1, x0:x1].astype(np.float32)
    with np.errstate(invalid="ignore"):
        colour = layer[..., :3] / np.maximum(cover, 1e-4)[..., None]
    region += (to_srgb(colour.astype(np.float32)) * 255.0 - region) * cover[..., None]
    image[y0:y1, x0:x1] = np.clip(region + 0.5, 0, 255).astype(np.uint8)
    painted = index >= 0
    count = max(1, int(painted.sum()))
    shares = [float((index == k).sum()) / count for k in range(len(placed.livery.colours))]
    box = Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return Drawn(box, x0, y0, cover, shares)


def paint(
    placed: Placed, camera: Camera, view: Float64Array
) -> tuple[ImageArray, NDArray[np.bool_]]:
    """The bare paint, without light: sRGB (H, W, 3), black beside the craft, and where it is.

    One ray a pixel.
    """
    albedo, index = _bare(placed, camera, view)
    there = index > -2
    shape = (camera.height, camera.width)
    picture = (to_srgb(albedo) * 255 + 0.5).astype(np.uint8).reshape(*shape, 3)
    return picture, there.reshape(shape)


def colour_shares(placed: Placed, camera: Camera, view: Float64Array) -> list[float]:
    """For each colour of the livery, its share of the painted pixels in view."""
    _, index = _bare(placed, camera, view)
    count = max(1, int((index >= 0).sum()))
    return [float((index == k).sum()) / count for k in range(len(placed.livery.colours))]


def _bare(
    placed: Placed, camera: Camera, view: Float64Array
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Linear RGB (n, 3) of the paint in each pixel, row by row, and colour indices (n,)."""
    shader = _Shader(placed, camera, view, Light(shadows=False))
    ys, xs = np.mgrid[: camera.height, : camera.width].astype(np.float32) + np.float32(0.5)
    return shader.paint(xs.ravel(), ys.ravel())


def _edges(index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels whose neighbourhood shows more than one thing."""
    small = (index + 4).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(small, kernel) != cv2.erode(small, kernel))


def _supersample(
    shader: _Shader, xs: NDArray[np.int64], ys: NDArray[np.int64], side: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Mean of side x side rays in each pixel.

    Returns:
        premultiplied RGBA (n, 4), and the colour index (n,) of the middle ray.
    """
    steps = (np.arange(side, dtype=np.float32) + 0.5) / side
    px = (xs[:, None, None] + steps[None, None, :]).astype(np.float32)
    py = (ys[:, None, None] + steps[None, :, None]).astype(np.float32)
    px, py = np.broadcast_arrays(px, py)
    rgba, index = shader(px.reshape(-1), py.reshape(-1))
    per = side * side
    mean = np.einsum("ijk->ik", rgba.reshape(-1, per, 4)) / np.float32(per)
    return mean, index.reshape(-1, per)[:, per // 2]


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Row by row, (n, 1)."""
    return np.asarray(np.einsum("ij,ij->i", a, b)[:, None])


def _power(base: NDArray[Any], exponent: int) -> NDArray[Any]:
    """By squaring, several times as fast as `**` for arrays of float32."""
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result *= base
        exponent >>= 1
        base = base * base
    return result


class _Shader:
    """Traces and lights rays through pixels, in the craft's own frame."""

    def __init__(self, placed: Placed, camera: Camera, view: Float64Array, light: Light) -> None:
        self._placed, self._camera, self._light = placed, camera, light
        rotation = placed.rotation
        self._to_craft = (rotation.T @ view).astype(np.float32)
        self._origin = (-placed.position @ rotation).astype(np.float32)
        sun = np.array(light.sun, np.float64)
        self._sun = (sun / np.linalg.norm(sun) @ rotation).astype(np.float32)
        self._up = rotation[2].astype(np.float32)
        distance = float(np.linalg.norm(placed.position))
        self._clear = np.float32(light.clear(distance) if placed.distance_haze else 1.0)
        self._grain = np.random.default_rng(placed.livery.seed)

    def _trace(
        self, px: FloatArray, py: FloatArray
    ) -> tuple[FloatArray, dict[str, NDArray[np.float32]]]:
        """Rays (n, 3) through pixels, in the craft's frame, and what they meet."""
        camera, mesh = self._camera, self._placed.mesh
        body = np.empty((len(px), 3), np.float32)
        body[:, 0] = 1.0
        body[:, 1] = (camera.cx - px) / camera.fx
        body[:, 2] = (camera.cy - py) / camera.fy
        body /= np.sqrt(_dot(body, body))
        rays = np.ascontiguousarray(body @ self._to_craft.T)
        origins = np.ascontiguousarray(np.broadcast_to(self._origin, rays.shape))
        found = mesh.tracer.run(origins, rays, output=1)
        if mesh.skin is not None and mesh.skin.see_through:
            self._through(rays, found)
        return rays, found

    def paint(self, px: FloatArray, py: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
        """Linear RGB (n, 3) of the paint that rays meet; colour index as `__call__`."""
        rays, found = self._trace(px, py)
        hit = np.nonzero(found["primID"] >= 0)[0]
        out = np.zeros((len(px), 3), np.float32)
        index = np.full(len(px), -2, np.int64)
        if len(hit):
            face = found["primID"][hit].astype(np.int32)
            out[hit], _, index[hit], _ = self._surface(rays[hit], face, found, hit)
        return out, index

    def _surface(
        self,
        rays: FloatArray,
        face: NDArray[np.int32],
        found: dict[str, NDArray[np.float32]],
        hit: NDArray[np.int64],
    ) -> tuple[FloatArray, FloatArray, NDArray[np.int64], FloatArray]:
        """Linear RGB, gloss and colour index of the paint, and the points (n, 3)."""
        mesh = self._placed.mesh
        point = self._origin + rays * found["tfar"][hit, None]
        if mesh.skin is not None:
            u, v = found["u"][hit, None], found["v"][hit, None]
            return *mesh.skin.paint(face, u, v), point
        places = (point - mesh.middle) / mesh.half
        return *self._placed.livery.paint(places, mesh.roles[face]), point

    def __call__(self, px: FloatArray, py: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
        """Premultiplied linear RGBA (n, 4); colour index (n,), -1 structure, -2 sky."""
        mesh = self._placed.mesh
        rays, found = self._trace(px, py)
        face = found["primID"].astype(np.int32)
        hit = np.nonzero(face >= 0)[0]
        out = np.zeros((len(px), 4), np.float32)
        index = np.full(len(px), -2, np.int64)
        if len(hit):
            rgb, index[hit] = self._shade(rays[hit], face[hit], found, hit)
            out[hit, :3], out[hit, 3] = rgb, 1.0
        if mesh.discs:
            depth = np.where(face >= 0, found["tfar"], np.inf).astype(np.float32)
            self._blur_of_rotors(rays, depth, out)
        return out, index

    def _through(self, rays: FloatArray, found: dict[str, NDArray[np.float32]]) -> None:
        """Let rays go on where a texture is clear; changes `found`."""
        mesh = self._placed.mesh
        assert mesh.skin is not None
        waiting = np.nonzero(found["primID"] >= 0)[0]
        for _ in range(_LAYERS):
            u, v = found["u"][waiting, None], found["v"][waiting, None]
            waiting = waiting[mesh.skin.clear(found["primID"][waiting].astype(np.int32), u, v)]
            if not len(waiting):
                return
            gone = found["tfar"][waiting] + np.float32(1e-4 * mesh.size)
            start = np.ascontiguousarray(self._origin + rays[waiting] * gone[:, None])
            again = mesh.tracer.run(start, np.ascontiguousarray(rays[waiting]), output=1)
            for key in ("primID", "u", "v"):
                found[key][waiting] = again[key]
            found["tfar"][waiting] = gone + again["tfar"]
            waiting = waiting[again["primID"] >= 0]
        found["primID"][waiting] = -1

    def _shade(
        self,
        rays: FloatArray,
        face: NDArray[np.int32],
        found: dict[str, NDArray[np.float32]],
        hit: NDArray[np.int64],
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        mesh, light = self._placed.mesh, self._light
        u, v = found["u"][hit, None], found["v"][hit, None]
        corners = mesh.normals[face]
        normal = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        normal /= np.sqrt(_dot(normal, normal)) + 1e-9
        facing = _dot(normal, rays)
        normal = np.where(facing > 0, -normal, normal)
        cosine = np.minimum(np.abs(facing), 1.0)
        roles = mesh.roles[face]
        albedo, gloss, index, point = self._surface(rays, face, found, hit)
        sunlit = np.clip(normal @ self._sun, 0.0, 1.0)
        if light.shadows:
            lit = np.nonzero(sunlit > 0.02)[0]
            if len(lit):
                start = np.ascontiguousarray(point[lit] + normal[lit] * (2e-3 * mesh.size))
                towards = np.ascontiguousarray(np.broadcast_to(self._sun, start.shape))
                blocked = np.asarray(mesh.tracer.run(start, towards, query="OCCLUDED")) != -1
                sunlit[lit[blocked]] *= 0.15
        height = (normal @ self._up)[:, None]
        sky, ground = (np.array(c, np.float32) for c in (light.sky_rgb, light.ground_rgb))
        horizon, sun_rgb = (np.array(c, np.float32) for c in (light.horizon_rgb, light.sun_rgb))
        ambient = ground * (0.5 - 0.5 * height) + sky * (0.5 + 0.5 * height)
        mirrored = rays - 2.0 * _dot(rays, normal) * normal
        rise = (mirrored @ self._up)[:, None]
        surroundings = np.where(
            rise > 0, horizon + (sky - horizon) * np.minimum(1.0, 2.5 * rise), ground * 0.5
        )
        shine = gloss[:, None]
        fresnel = 0.012 + 0.5 * shine + 0.22 * _power(1.0 - cosine, 5)
        glint = _power(np.clip(mirrored @ self._sun, 0.0, 1.0), 40)[:, None]
        glint *= sunlit[:, None] > 0.2
        rgb = albedo * (ambient + sunlit[:, None] * sun_rgb) * (1.0 - 0.6 * shine)
        metallic = np.where(shine > 0.8, albedo * 1.5, 1.0)
        rgb += fresnel * surroundings * metallic * 0.8 + glint * sun_rgb * (0.15 + 0.5 * shine)
        flame = roles == 8
        if flame.any():
            rgb[flame] = albedo[flame]
        bright = rgb > 0.7
        rgb[bright] = 0.7 + 0.3 * (1.0 - np.exp((0.7 - rgb[bright]) / 0.3))
        rgb = rgb * self._clear + horizon * (1.0 - self._clear)
        return rgb.astype(np.float32), index

    def _blur_of_rotors(self, rays: FloatArray, depth: FloatArray, out: FloatArray) -> None:
        for disc in self._placed.mesh.discs:
            normal, centre = np.array(disc.normal, np.float32), np.array(disc.centre, np.float32)
            towards = rays @ normal
            towards = np.where(np.abs(towards) < 1e-5, 1e-5, towards)
            t = ((centre - self._origin) @ normal) / towards
            offset = self._origin + rays * t[:, None] - centre
            radius = np.sqrt(_dot(offset, offset)[:, 0]) / np.float32(disc.radius)
            here = (t > 0) & (t < depth) & (radius < 1.0)
            alpha = np.where(here, 0.13 + 0.17 * (radius > 0.93) + 0.12 * (radius < 0.25), 0.0)
            a = alpha.astype(np.float32)[:, None]
            out[:, :3] = out[:, :3] * (1 - a) + np.float32(0.05) * a
            out[:, 3:] = out[:, 3:] * (1 - a) + a
