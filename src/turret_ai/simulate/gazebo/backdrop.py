# SPDX-License-Identifier: Apache-2.0
"""The scene's panorama as a sphere round the turret's camera: a mesh seen from within, an image."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.aim.camera import Camera, rotation
from turret_ai.simulate.panorama import Equirectangular, Panorama
from turret_ai.types import ImageArray

RADIUS = 2500.0
"""m. Far enough for every craft to fly inside."""
COLUMNS, ROWS = 72, 36
JPEG_QUALITY = 82
MATERIAL = """\
newmtl panorama
Ka 0 0 0
Kd 0 0 0
Ks 0 0 0
Pr 1
"""
"""Black: the world's own material, which shines by the image, stands in its place. Without any
Gazebo's reader complains of a mesh that names none."""

_FACES = ((0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (-0.5, 0.0), (0.0, -0.5), (0.0, 0.5))
"""Yaw and pitch, half turns, of six views of 90 degrees that see everything."""


def equirectangular(panorama: Panorama, width: int) -> ImageArray:
    """Any panorama as an image (width / 2, width, 3), north in its middle column."""
    if isinstance(panorama, Equirectangular):
        image = panorama.image
        if image.shape[1] <= width:
            return image
        size = (width, width // 2)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, side = width // 2, width // 4
    yaw = math.pi * (1.0 - 2.0 * (np.arange(width) + 0.5) / width)
    up = math.pi * (0.5 - (np.arange(height) + 0.5) / height)
    rays = np.stack(
        [
            np.cos(up)[:, None] * np.cos(yaw)[None, :],
            np.cos(up)[:, None] * np.sin(yaw)[None, :],
            np.broadcast_to(np.sin(up)[:, None], (height, width)),
        ],
        -1,
    )
    out = np.zeros((height, width, 3), np.uint8)
    # A little wider than 90 degrees, so that neighbours overlap.
    camera = Camera.from_fov(side, side, math.radians(91.0))
    for half_yaw, half_pitch in _FACES:
        axes = rotation(half_yaw * math.pi, half_pitch * math.pi)
        body = rays @ axes
        here = body[..., 0] >= np.abs(body).max(-1) - 1e-9
        x = camera.cx - camera.fx * body[here][:, 1] / body[here][:, 0] - 0.5
        y = camera.cy - camera.fy * body[here][:, 2] / body[here][:, 0] - 0.5
        face = panorama.view(camera, axes)
        out[here] = cv2.remap(
            face, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[:, 0]  # fmt: skip
    return out


def sphere() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Points (n, 3) in metres, texture coordinates (n, 2), faces (m, 3) wound inwards.

    The image's middle column lies at +x (north), its columns run clockwise, its upper row is up.
    """
    u, v = np.meshgrid(np.linspace(0, 1, COLUMNS + 1), np.linspace(0, 1, ROWS + 1))
    yaw, up = math.pi * (1.0 - 2.0 * u), math.pi * (0.5 - v)
    points = RADIUS * np.stack([np.cos(up) * np.cos(yaw), np.cos(up) * np.sin(yaw), np.sin(up)], -1)
    row, column = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    a = row * (COLUMNS + 1) + column
    b, c, d = a + 1, a + COLUMNS + 1, a + COLUMNS + 2
    upper = np.stack([a, c, b], -1)[1:].reshape(-1, 3)  # at the poles these would be empty
    lower = np.stack([b, c, d], -1)[:-1].reshape(-1, 3)
    texture = np.stack([u, 1.0 - v], -1).reshape(-1, 2)
    return points.reshape(-1, 3), texture, np.concatenate([upper, lower])


def write(panorama: Panorama, folder: Path, width: int) -> tuple[str, str]:
    """Write mesh, its material and image.

    Returns:
        The names of mesh and image.
    """
    mesh, image = folder / "panorama.obj", folder / "panorama.jpg"
    points, texture, faces = sphere()
    inwards = -points / RADIUS
    lines = ["mtllib panorama.mtl"]
    lines += [f"v {x:.3f} {y:.3f} {z:.3f}" for x, y, z in points + 0.0]
    lines += [f"vt {s:.6f} {t:.6f}" for s, t in texture]
    lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in inwards + 0.0]
    lines.append("usemtl panorama")
    lines += ["f " + " ".join(f"{i}/{i}/{i}" for i in face) for face in (faces + 1).tolist()]
    mesh.write_text("\n".join(lines) + "\n", encoding="ascii")
    mesh.with_suffix(".mtl").write_text(MATERIAL, encoding="ascii")
    rgb = equirectangular(panorama, width)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    image.write_bytes(data.tobytes())
    return mesh.name, image.name
