# SPDX-License-Identifier: Apache-2.0
"""Simulate the camera: a live frame, a cubemap's view, a synthetic image."""

from __future__ import annotations

import math
import time

from bench.common import SHARED_DATA, Row, measure, race


def run(quick: bool) -> list[Row]:
    import numpy as np

    from turret_ai.aim.camera import Camera, rotation
    from turret_ai.simulate import render, scene
    from turret_ai.simulate.world import World

    runs = 5 if quick else 30
    camera = Camera.from_fov(1520, 870, math.radians(70.0))
    world = World(scene.load("airfield"))
    pitch = -math.radians(15.0)
    headings = iter(np.linspace(0.0, 50.0, 10_000))
    view = rotation(-3.49, pitch)
    seen = world.truth(camera, -3.49, pitch)
    image = world.panorama.view(camera, view).copy()
    placed = [p for p, e in world._placed(0.0) if e.caption in {t.caption for t in seen}]
    rows_of_pixels = np.arange(camera.height) + 0.5

    def boxes_only() -> None:
        for each in placed:
            render.draw(image, each, camera, view, world.light)

    def every_pixel() -> None:
        x = (np.arange(camera.width) + 0.5).astype(np.float32)
        for each in placed:
            shader = render._Shader(each, camera, view, world.light)
            for y in rows_of_pixels:
                shader(x, np.full_like(x, y))

    frame = measure(lambda: world.render(camera, -float(next(headings)), pitch), runs=runs)
    ours, theirs = race(boxes_only, every_pixel, runs=3 if quick else 8, warm_up=1)
    before = time.process_time()
    for _ in range(runs):
        world.render(camera, -float(next(headings)), pitch)
    cpu = (time.process_time() - before) / runs
    rows = [
        Row("live frame, CPU time", cpu * 1e3, "CPU ms", note=f"mean of {runs}"),
        Row(
            "live frame 1520x870, scene airfield, camera turning",
            frame.milliseconds,
            "ms",
            note=f"{len(world.scene.craft)} craft in the scene; {frame.note}",
        ),
        Row(
            f"draw {len(placed)} craft with anti-aliasing",
            ours.milliseconds,
            "ms",
            "one ray for every pixel of the frame",
            theirs.milliseconds,
            note=ours.note,
        ),
        _synthetic(quick),
    ]
    return [*rows, *_cubemap(camera, runs)]


def _synthetic(quick: bool) -> Row:
    from turret_ai.learn import images

    settings = images.Settings()
    count = settings.panorama_reuse * (1 if quick else 4)
    images.encode(0, 1, "train", settings)
    began = time.process_time()
    for index in range(settings.panorama_reuse, settings.panorama_reuse + count):
        images.encode(index, 1, "train", settings)
    used = (time.process_time() - began) / count
    note = f"mean of {count}, panoramas and meshes built within"
    return Row("synthetic image with noise and labels, JPEG", used, "CPU s", note=note)


def _cubemap(camera: object, runs: int) -> list[Row]:
    import cv2
    import numpy as np

    from turret_ai.aim.camera import Camera, rotation
    from turret_ai.simulate.panorama import CUBE_FROM_BASE, Cubemap, _face_axes

    assert isinstance(camera, Camera)
    folder = SHARED_DATA / "til24" / "scene_0"
    if folder.is_dir():
        faces = [
            cv2.imread(str(folder / f"{name}.jpg"))
            for name in ("posx", "negx", "posy", "negy", "posz", "negz")
        ]
        source = "kit's scene 0"
    else:
        rng = np.random.default_rng(0)
        faces = [rng.integers(0, 255, (2048, 2048, 3), np.uint8) for _ in range(6)]
        source = "random faces"
    cubemap = Cubemap(faces)
    x = (camera.cx - (np.arange(camera.width) + 0.5)) / camera.fx
    y = (camera.cy - (np.arange(camera.height) + 0.5)) / camera.fy
    rays = np.ones((camera.height, camera.width, 3), np.float32)
    rays[..., 1], rays[..., 2] = x[None, :], y[:, None]
    axes = _face_axes()
    turn = iter(np.linspace(0.0, 60.0, 100_000))

    def look_up() -> None:
        view = rotation(float(next(turn)), -0.26)
        cube = rays @ (CUBE_FROM_BASE @ view).T.astype(np.float32)
        depth = np.stack([cube @ a.astype(np.float32) for a, _, _ in axes], -1)
        face = depth.argmax(-1)
        out = np.zeros((camera.height, camera.width, 3), np.uint8)
        for k, (axis, s, t) in enumerate(axes):
            here = face == k
            if not here.any():
                continue
            d = cube / np.maximum(cube @ axis.astype(np.float32), 1e-6)[..., None]
            u = ((d @ s.astype(np.float32)) + 1) * 1024 - 0.5
            v = ((d @ t.astype(np.float32)) + 1) * 1024 - 0.5
            part = cv2.remap(faces[k], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            out[here] = part[here]

    ours, theirs = race(
        lambda: cubemap.view(camera, rotation(float(next(turn)), -0.26)), look_up, runs=runs
    )
    return [
        Row(
            "view of a cubemap, camera turning",
            ours.milliseconds,
            "ms",
            "face and place of every pixel by numpy, cv2.remap",
            theirs.milliseconds,
            note=f"{source}; {ours.note}",
        )
    ]
