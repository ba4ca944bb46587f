# SPDX-License-Identifier: Apache-2.0
"""Serve the vision stage over HTTP."""

from __future__ import annotations

import base64

from bench.common import Row, Skip, race


def run(quick: bool) -> list[Row]:
    try:
        from fastapi.testclient import TestClient
    except ImportError as error:
        raise Skip("needs the extra server: pip install 'turret_ai[server]'") from error
    from turret_ai.act.competition.cases import CAMERA_PITCH, camera
    from turret_ai.act.services.app import Stages, create_app
    from turret_ai.errors import TurretError
    from turret_ai.see import images, locator
    from turret_ai.simulate import scene as scenes
    from turret_ai.simulate.world import World

    try:
        eyes = locator.load()
    except TurretError as error:
        raise Skip(str(error)) from error
    eyes.warm_up()
    world = World(scenes.load("airfield"))
    picture = images.encode(world.render(camera(), 0.0, CAMERA_PITCH))
    code = base64.b64encode(picture).decode()
    captions = [craft.caption for craft in world.scene.craft]
    batch = [{"b64": code, "caption": caption} for caption in captions]
    client = TestClient(create_app(Stages(locator=eyes)))

    def together() -> None:
        client.post("/identify", json={"instances": batch}).raise_for_status()

    def one_by_one() -> None:
        for instance in batch:
            client.post("/identify", json={"instances": [instance]}).raise_for_status()

    ours, theirs = race(together, one_by_one, runs=3 if quick else 10)
    return [
        Row(
            f"/identify: {len(batch)} captions of one image in one request",
            ours.milliseconds,
            "ms",
            "one request each",
            theirs.milliseconds,
            note=ours.note,
        )
    ]
