# SPDX-License-Identifier: Apache-2.0
"""A model, a texture and a photograph of a craft, as small as they can be."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

RED, BLUE = (220, 20, 20), (20, 40, 210)


def _corners(mark: str, *uv: tuple[float, float]) -> str:
    refs = "".join(f"{k} {u} {v}\n" for k, (u, v) in zip(mark.split(), uv, strict=True))
    return f"SURF 0x20\nmat 0\nrefs {len(uv)}\n{refs}"


def box(texture: str = "skin.png", x: str = "4") -> str:
    """A box of 4 x 1 x 1 m; its left half shows the left of the texture. Two lines beside it."""
    points = [(a, b, c) for a in ("0", x) for b in "01" for c in "01"]
    ends = ["0 1 3 2", "4 6 7 5", "0 4 5 1", "2 3 7 6", "0 2 6 4", "1 5 7 3"]
    surfaces = ""
    for face in ends:
        uv = [(0.0 if int(k) < 4 else 1.0, 0.5) for k in face.split()]
        surfaces += _corners(face, *uv)
    surfaces += "SURF 0x2\nmat 0\nrefs 2\n0 0 0\n7 0 0\n"
    return (
        'AC3Db\nMATERIAL "white" rgb 1 1 1  amb 1 1 1  emis 0 0 0  spec 0 0 0  shi 1  trans 0\n'
        f'OBJECT world\nkids 1\nOBJECT poly\nname "body of it"\ndata 9\ntwo\nlines\n'
        f'texture "{texture}"\nloc 10 0 0\nnumvert 8\n'
        + "".join(" ".join(p) + "\n" for p in points)
        + f"numsurf 7\n{surfaces}kids 0\n"
    )


def paint(path: Path, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """A texture of two halves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = [np.full((8, 8, len(c)), c, np.uint8) for c in (left, right)]
    Image.fromarray(np.hstack(halves)).save(path)


def sky(height: int = 224, width: int = 224) -> np.ndarray:
    """A sky that brightens downwards, with a little noise."""
    rows = np.linspace(0, 1, height)[:, None, None]
    picture = np.array([120, 165, 220]) * (1 - rows) + np.array([190, 210, 235]) * rows
    noise = np.random.default_rng(0).normal(0, 1.5, (height, width, 3))
    return np.clip(np.broadcast_to(picture, (height, width, 3)) + noise, 0, 255).astype(np.uint8)


def photograph(colour: tuple[int, int, int] = RED) -> np.ndarray:
    """A plane as a cross before a sky."""
    picture = sky()
    cv2.ellipse(picture, (112, 112), (70, 14), 0, 0, 360, colour, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (118, 112), (12, 50), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return picture
