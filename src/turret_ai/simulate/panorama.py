# SPDX-License-Identifier: Apache-2.0
"""Panoramas around the turret: equirectangular images and cubemaps, seen through a pinhole camera.

An equirectangular panorama has north in its middle column and turns clockwise to the right: column
u of w looks to the yaw pi (1 - 2 u / w) (REP-103), row v of h to the elevation pi (1/2 - v / h).

A cubemap comes as six square faces in the order +x, -x, +y, -y, +z, -z of OpenGL, seen by a camera
whose heading 0 looks to -z and whose headings turn clockwise to +x, and is sampled with the
direction (-x, y, z): the layout of the competition's simulator.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import Camera, rotation
from turret_ai.errors import InputError
from turret_ai.types import ImageArray

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

FACES = ("posx", "negx", "posy", "negy", "posz", "negz")


class Panorama(Protocol):
    """Something to look at in every direction."""

    def view(self, camera: Camera, view: Float64Array) -> ImageArray:
        """What the camera sees; `view` (3, 3) turns its body frame into the base frame."""
        ...


class Equirectangular:
    """A panorama image of 360 x 180 degrees, RGB (h, 2 h, 3)."""

    def __init__(self, image: ImageArray) -> None:
        height, width = image.shape[:2]
        if image.ndim != 3 or image.shape[2] != 3 or abs(width - 2 * height) > 2:
            raise InputError(f"an equirectangular panorama is twice as wide as high: {image.shape}")
        self._image = image
        self._maps: OrderedDict[object, tuple[FloatArray, FloatArray]] = OrderedDict()
        self._last: tuple[object, ImageArray] | None = None

    @property
    def image(self) -> ImageArray:
        """The panorama itself."""
        return self._image

    def view(self, camera: Camera, view: Float64Array) -> ImageArray:
        """See `Panorama.view`. A new pitch costs a new map; a new yaw only shifts the old one, and
        a camera that stands still sees what it saw."""
        width = self._image.shape[1]
        yaw = float(np.arctan2(view[1, 0], view[0, 0]))
        level = rotation(-yaw, 0.0) @ view
        key = (camera, np.round(level, 7).tobytes())
        if key not in self._maps:
            self._maps[key] = self._map(camera, level)
            if len(self._maps) > 8:
                self._maps.popitem(last=False)
        last = self._last
        if last is not None and last[0] == (key, yaw):
            return last[1].copy()
        u, v = self._maps[key]
        shifted = u - np.float32(yaw / (2 * np.pi) * width)
        seen = np.asarray(
            cv2.remap(self._image, shifted, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP),
            np.uint8,
        )
        self._last = (key, yaw), seen
        return seen.copy()

    def _map(self, camera: Camera, level: Float64Array) -> tuple[FloatArray, FloatArray]:
        """Where each pixel lies in the panorama when the camera's yaw is 0."""
        u, v = self._look_up(camera, level, _COARSE)
        height = self._image.shape[0]
        if v.min() < height / 12 or v.max() > height * 11 / 12:
            return self._look_up(camera, level, 1)  # columns crowd near the poles
        # The maps are smooth: every eighth pixel and linear interpolation are off by less than
        # a fiftieth of a pixel.
        size = (u.shape[1] * _COARSE, u.shape[0] * _COARSE)
        wide = (cv2.resize(m, size, interpolation=cv2.INTER_LINEAR) for m in (u, v))
        x, y = (
            np.ascontiguousarray(
                m[_COARSE : _COARSE + camera.height, _COARSE : _COARSE + camera.width]
            )
            for m in wide
        )
        return x, y

    def _look_up(
        self, camera: Camera, level: Float64Array, step: int
    ) -> tuple[FloatArray, FloatArray]:
        """Exact places for the middles of blocks of `step` pixels, with a border of one block."""
        height, width = self._image.shape[:2]
        border = 0 if step == 1 else 1
        columns, rows = (
            (np.arange(-border, -(-n // step) + border) + 0.5) * step
            for n in (camera.width, camera.height)
        )
        left = ((camera.cx - columns) / camera.fx)[None, :]
        up = ((camera.cy - rows) / camera.fy)[:, None]
        x, y, z = (m[0] + left * m[1] + up * m[2] for m in level)
        u = (0.5 - np.arctan2(y, x) / (2 * np.pi)) * width - 0.5
        v = (0.5 - np.arctan2(z, np.hypot(x, y)) / np.pi) * height - 0.5
        return u.astype(np.float32), v.astype(np.float32)


_COARSE = 8


def _face_axes() -> list[tuple[Float64Array, Float64Array, Float64Array]]:
    """For each face: its axis, and the directions of growing s and t (OpenGL 4.6, table 8.19)."""
    e = np.eye(3)
    x, y, z = e
    return [(x, -z, -y), (-x, z, -y), (y, x, z), (-y, x, -z), (z, x, -y), (-z, -x, -y)]


CUBE_FROM_BASE = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
"""Base frame (x north, y left, z up) to the direction that samples the cube.

North is the cube's -z and up its y; east is its +x, mirrored by the sampling to -x, so that left
samples +x.
"""


def corners_to_directions(corners: Float64Array) -> Float64Array:
    """Base-frame directions (n, 3) of points (n, 3) given in the competition's scene frame.

    That frame has heading 0 towards -z, heading 90 towards +x and y up.
    """
    points = np.asarray(corners, np.float64)
    return np.stack([-points[:, 2], -points[:, 0], points[:, 1]], 1)


class Cubemap:
    """Six square RGB faces (n, n, 3) in the order of `FACES`."""

    def __init__(self, faces: list[ImageArray]) -> None:
        if len(faces) != 6 or any(f.shape != faces[0].shape for f in faces):
            raise InputError("a cubemap has six faces of one size")
        side = faces[0].shape[0]
        if faces[0].shape != (side, side, 3):
            raise InputError(f"the faces of a cubemap are square RGB images: {faces[0].shape}")
        self._side = side
        self._border = max(_LEAST_BORDER, side // 128)
        self._faces = [_with_border(faces, k, self._border) for k in range(6)]

    @classmethod
    def load(cls, folder: Path, names: list[str] | None = None) -> Cubemap:
        """Read six faces of a folder; `names` in the order of `FACES`, posx.jpg, ... if not given.

        Raises:
            InputError: a face is missing or not an image.
        """
        faces = []
        for name in names or [f"{face}.jpg" for face in FACES]:
            data = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
            if data is None:
                raise InputError(f"{folder / name} is missing or not an image")
            faces.append(cv2.cvtColor(data, cv2.COLOR_BGR2RGB))
        return cls(faces)

    def view(self, camera: Camera, view: Float64Array) -> ImageArray:
        """See `Panorama.view`: a face is a plane, so each is drawn by one homography."""
        out = np.zeros((camera.height, camera.width, 3), np.uint8)
        to_pixel = np.array(
            [[camera.cx, -camera.fx, 0.0], [camera.cy, 0.0, -camera.fy], [1.0, 0.0, 0.0]]
        )
        n = self._side
        for face, (axis, s, t) in zip(self._faces, _face_axes(), strict=True):
            # Face pixel (i, j) (middles at .5) -> cube direction -> base -> body -> image.
            plane = np.stack([s * 2.0 / n, t * 2.0 / n, axis - s - t], 1)
            to_body = view.T @ CUBE_FROM_BASE.T @ plane
            # Beyond the edges, so that rounding leaves no gap between faces, however small they
            # are drawn; what is there is what the neighbours show.
            edge = self._border - 1.0
            low, high = -edge, n + edge
            quad = np.array([[low, low, 1], [high, low, 1], [high, high, 1], [low, high, 1.0]])
            polygon = _clip_to_front(quad @ to_body.T)
            if len(polygon) < 3:
                continue
            image = polygon @ to_pixel.T
            pixels = image[:, :2] / image[:, 2:]
            x0, y0 = np.floor(pixels.min(0)).astype(int)
            x1, y1 = np.ceil(pixels.max(0)).astype(int) + 1
            x0, y0, x1, y1 = max(0, x0), max(0, y0), min(camera.width, x1), min(camera.height, y1)
            if x1 <= x0 or y1 <= y0:
                continue
            # warpPerspective counts from pixel middles, and the border shifts the face.
            shift = 0.5 - self._border
            shift_face = np.array([[1, 0, shift], [0, 1, shift], [0, 0, 1.0]])
            shift_image = np.array([[1, 0, -0.5 - x0], [0, 1, -0.5 - y0], [0, 0, 1.0]])
            matrix = shift_image @ to_pixel @ to_body @ shift_face
            part = cv2.warpPerspective(
                face, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
            outline = np.clip((pixels - [x0, y0] - 0.5) * 256.0, -2e8, 2e8).astype(np.int32)
            cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_8, 8)
            cv2.copyTo(part, mask, out[y0:y1, x0:x1])
        return out


_LEAST_BORDER = 4
"""Pixels of the neighbours that each face carries along its edges."""


def _with_border(faces: list[ImageArray], number: int, border: int) -> ImageArray:
    """A face (n, n, 3) with `border` pixels all round that continue it into its neighbours."""
    face = faces[number]
    n = face.shape[0]
    wide = cv2.copyMakeBorder(face, border, border, border, border, cv2.BORDER_REPLICATE)
    ring = np.ones(wide.shape[:2], np.bool_)
    ring[border:-border, border:-border] = False
    rows, columns = np.nonzero(ring)
    axis, s, t = _face_axes()[number]
    u, v = (((k - border + 0.5) * 2.0 / n - 1.0)[:, None] for k in (columns, rows))
    rays = axis + u * s + v * t
    for other, (a, right, down) in zip(faces, _face_axes(), strict=True):
        forward = rays @ a
        here = np.nonzero(forward >= np.abs(rays).max(axis=1) - 1e-9)[0]
        if other is face or not len(here):
            continue
        ray, scale = rays[here], (n / 2.0) / forward[here]
        x, y = (((ray @ d) * scale + n / 2.0 - 0.5).astype(np.float32) for d in (right, down))
        kind = (cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
        for part in range(0, len(here), _REMAP_ROWS):
            some = slice(part, part + _REMAP_ROWS)
            taken = cv2.remap(other, x[some, None], y[some, None], kind[0], borderMode=kind[1])
            wide[rows[here[some]], columns[here[some]]] = taken[:, 0]
    return np.asarray(wide, np.uint8)


_REMAP_ROWS = 30_000
"""OpenCV's remap takes maps of fewer than 32768 rows."""


def _clip_to_front(polygon: Float64Array) -> Float64Array:
    """The part of a polygon (n, 3) in the body frame that lies before the camera."""
    near = 1e-3
    kept: list[Float64Array] = []
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if a[0] >= near:
            kept.append(a)
        if (a[0] >= near) != (b[0] >= near):
            kept.append(a + (b - a) * (near - a[0]) / (b[0] - a[0]))
    return np.array(kept).reshape(-1, 3)
