# SPDX-License-Identifier: Apache-2.0
"""`turret-ai world`: a world for Gazebo from a scene description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def world(
    scene: Annotated[str, typer.Argument(help="a shipped scene, a YAML file or a case's folder")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="SDF file; its meshes go to a folder beside it, FILE_files"
        ),
    ],
    still: Annotated[bool, typer.Option("--still", help="let no craft move")] = False,
    shadows: Annotated[
        bool, typer.Option("--shadows/--no-shadows", help="let craft cast shadows")
    ] = True,
    camera_rate: Annotated[
        float | None,
        typer.Option(
            min=0.5, max=60.0, help="images a second of Gazebo's clock; default: the turret's"
        ),
    ] = None,
    camera_width: Annotated[
        int | None,
        typer.Option(min=320, max=3840, help="width of the images, pixels; default: the turret's"),
    ] = None,
    panorama_width: Annotated[
        int, typer.Option(min=256, max=16384, help="greatest width of the panorama, pixels")
    ] = 4096,
) -> None:
    """Write a Gazebo world: `turret-ai world harbour -o harbour.sdf`."""
    from turret_ai.simulate import scene as scenes
    from turret_ai.simulate.gazebo import turret
    from turret_ai.simulate.gazebo.world import write

    written = write(
        scenes.load(scene),
        output,
        still=still,
        shadows=shadows,
        cameras=turret.Cameras.of_width(
            camera_width or turret.WIDTH, camera_rate or turret.CAMERA_RATE
        ),
        panorama_width=panorama_width,
    )
    result = {
        "world": str(written.file),
        "craft": written.craft,
        "triangles": written.triangles,
        "bytes": written.size,
    }
    print(json.dumps(result))
