# SPDX-License-Identifier: Apache-2.0
"""Cases of the competition's kit as scenes: a cubemap with craft in it and one spoken command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from turret_ai import documents
from turret_ai.errors import InputError
from turret_ai.simulate.panorama import FACES, corners_to_directions
from turret_ai.simulate.scene import CommandEntry, Outline, PanoramaSource, Scene
from turret_ai.simulate.turret import TurretLimits


def load_case(folder: Path) -> Scene:
    """A folder with case.json (files, corners, truth, audio) and six faces.

    Raises:
        InputError: case.json is missing or lacks a field.
    """
    path = folder / "case.json"
    case: Any = documents.read_json(path)
    try:
        faces = tuple(str(f) for f in case.get("files") or [f"{f}.jpg" for f in FACES])
        corners = np.array([[float(c[k]) for k in "xyz"] for c in case["corners"]])
        truth = case["truth"]
        heading, tool, target = (str(truth[k]) for k in ("heading", "tool", "target"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a case of the competition's kit: {error!r}") from error
    if len(corners) < 2 or len(faces) != 6:
        raise InputError(f"{path} needs six files and an outline of two corners or more")
    audio = folder / str(case.get("audio", "command.wav"))
    command = CommandEntry(
        text="", heading=heading, tool=tool, target=target, audio=audio if audio.is_file() else None
    )
    return Scene(
        folder.name, folder, PanoramaSource(cubemap=".", faces=faces), None, TurretLimits(), (),
        (command,), (Outline(target, corners_to_directions(corners)),),
    )  # fmt: skip
