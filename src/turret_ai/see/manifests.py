# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures in the competition's format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turret_ai import documents
from turret_ai.errors import InputError
from turret_ai.see import images
from turret_ai.types import FloatArray, ImageArray


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture. boxes: (n, 4) float32 corners x0, y0, x1, y1 in pixels; captions: n texts, empty
    where nobody says what the box shows; types: n names, empty where the file doesn't say."""

    path: Path
    captions: tuple[str, ...]
    boxes: FloatArray
    types: tuple[str, ...] = ()

    def load(self) -> ImageArray:
        """The picture, RGB uint8 (H, W, 3)."""
        return images.load(self.path)


def read(manifest: Path | str) -> list[Scene]:
    """Read `{"image": ..., "annotations": [{"caption", "bbox": [l, t, w, h]}]}` lines.

    Args:
        manifest: the JSONL file, or a folder that holds exactly one; images lie beside it or in
            its `images` folder. A caption may be null: that box counts for detection only. An
            annotation may have a "type".

    Raises:
        InputError: no manifest, a line that isn't of that form, or an image that is missing.
    """
    manifest = Path(manifest)
    if manifest.is_dir():
        found = sorted(manifest.glob("*.jsonl"))
        if len(found) != 1:
            raise InputError(f"{manifest} should hold one .jsonl manifest and holds {len(found)}")
        manifest = found[0]
    if not manifest.is_file():
        raise InputError(f"there is no manifest {manifest}")
    scenes, missing = [], []
    for number, line in documents.read_lines(manifest):
        row = documents.parse_json(line, f"{manifest}, line {number}")
        try:
            entries = [
                (str(a["caption"] or ""), [float(v) for v in a["bbox"]]) for a in row["annotations"]
            ]
            name = str(row["image"])
            boxes = np.array([b for _, b in entries], np.float32).reshape(-1, 4)
            types = tuple(str(a.get("type") or "") for a in row["annotations"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{manifest}, line {number}: not an annotated image ({error})"
            ) from error
        places = [manifest.parent / name, manifest.parent / "images" / name]
        path = next((p for p in places if p.is_file()), None)
        if path is None:
            missing.append(name)
            continue
        boxes[:, 2:] += boxes[:, :2]
        scenes.append(Scene(path, tuple(c for c, _ in entries), boxes, types))
    if missing:
        raise InputError(f"{manifest}: {len(missing)} images are missing, such as {missing[0]}")
    if not scenes:
        raise InputError(f"{manifest} names no images")
    return scenes
