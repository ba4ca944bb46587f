# SPDX-License-Identifier: Apache-2.0
"""`turret-ai render`: what the camera sees in a scene."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer


def render(
    scene: Annotated[str, typer.Argument(help="A shipped scene, a YAML file or a case's folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A PNG or JPEG file.")],
    heading: Annotated[float, typer.Option(help="Compass heading of the camera, degrees.")] = 0.0,
    elevation: Annotated[float, typer.Option(help="Upwards, degrees.")] = 15.0,
    time: Annotated[float, typer.Option(min=0.0, help="Seconds since the start.")] = 0.0,
    width: Annotated[int, typer.Option(min=16, max=8192)] = 1520,
    height: Annotated[int, typer.Option(min=16, max=8192)] = 870,
    fov: Annotated[float, typer.Option(min=5.0, max=150.0, help="Vertical, degrees.")] = 70.0,
    boxes: Annotated[bool, typer.Option("--boxes", help="Draw the true boxes.")] = False,
) -> None:
    """Write the image and print one JSON line for each craft in it."""
    import cv2

    from turret_ai.aim.camera import Camera
    from turret_ai.errors import InputError
    from turret_ai.simulate import scene as scenes
    from turret_ai.simulate.world import World
    from turret_ai.units import heading_to_yaw, pitch_to_elevation_deg, yaw_to_heading

    world = World(scenes.load(scene))
    camera = Camera.from_fov(width, height, math.radians(fov))
    yaw, pitch = heading_to_yaw(heading), -math.radians(elevation)
    image = world.render(camera, yaw, pitch, time)
    for each in world.truth(camera, yaw, pitch, time):
        if boxes:
            x, y, w, h = (round(v) for v in each.box.as_list())
            cv2.rectangle(image, (x, y), (x + w, y + h), (255, 0, 0), 1, cv2.LINE_AA)
            cv2.putText(image, each.caption, (x, max(14, y - 5)), cv2.FONT_HERSHEY_SIMPLEX, 0.5,
                        (255, 0, 0), 1, cv2.LINE_AA)  # fmt: skip
        record = {
            "caption": each.caption,
            "bbox": [round(v, 2) for v in each.box.as_list()],
            "heading": round(yaw_to_heading(each.yaw), 2),
            "elevation": round(pitch_to_elevation_deg(each.pitch), 2),
            "visible": round(each.visible, 3),
        }
        typer.echo(json.dumps(record))
    try:
        written = cv2.imwrite(str(out), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise InputError(f"{out} can't be written: give a .png or .jpg name") from error
    if not written:
        raise InputError(f"{out} can't be written")
