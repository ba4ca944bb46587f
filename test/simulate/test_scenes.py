# SPDX-License-Identifier: Apache-2.0
"""The shipped scenes are valid, their commands can be carried out, and bad files are named."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from turret_ai import share
from turret_ai.aim.camera import Camera
from turret_ai.cli.app import main
from turret_ai.errors import InputError
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.arrange import arrange
from turret_ai.simulate.craft import TYPES
from turret_ai.simulate.world import World
from turret_ai.units import heading_to_yaw, pitch_to_elevation_deg, yaw_to_heading

CAMERA = Camera.from_fov(1520, 870, math.radians(70.0))
SMALL = Camera.from_fov(380, 218, math.radians(70.0))
PITCH = -math.radians(15.0)
SHIPPED = sorted(p.stem for p in share.path("scenes").glob("*.yaml"))


def _world(name: str) -> World:
    """The scene with a small panorama, which paints much faster."""
    scene = scenes.load(name)
    path = share.path(f"scenes/{name}.yaml")
    data = yaml.safe_load(path.read_text())
    data["panorama"]["width"] = 512
    return World(scenes.parse(data, scene.folder / f"{name}.yaml"))


def test_there_are_at_least_five_scenes_that_together_show_every_type():
    assert len(SHIPPED) >= 5
    shown = {craft.type for name in SHIPPED for craft in scenes.load(name).craft}
    assert shown == set(TYPES)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scene_has_craft_with_unique_captions_and_both_styles_of_commands(name):
    scene = scenes.load(name)
    captions = [c.caption for c in scene.craft]
    assert 5 <= len(captions) == len(set(captions)) <= 8
    assert {c.style for c in scene.commands} >= {"novice", "advanced"}
    for command in scene.commands:
        assert command.target in captions
        assert int(command.heading) % 5 == 0
        assert 5 <= int(command.heading) <= 360
        assert command.audio is not None
        assert command.audio.stat().st_size > 5000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_command_s_target_can_be_seen_from_its_heading(name):
    world = _world(name)
    for command in world.scene.commands:
        yaw = heading_to_yaw(float(command.heading))
        for time_s in (0.0, 3.0, 7.0):
            found = {t.caption: t for t in world.truth(CAMERA, yaw, PITCH, time_s)}
            truth = found[command.target]
            off = (yaw_to_heading(truth.yaw) - float(command.heading) + 180) % 360 - 180
            assert abs(off) <= 38
            assert 6 <= pitch_to_elevation_deg(truth.pitch) <= 40
            assert truth.visible > 0.6
            assert max(truth.box.width, truth.box.height) > 25


def test_the_true_boxes_surround_what_the_craft_change_in_the_image():
    world = _world("desert")
    empty = World(scenes.Scene(**{**_fields(world.scene), "craft": ()}))
    for heading in (0, 120, 240):
        yaw = heading_to_yaw(heading)
        changed = (world.render(CAMERA, yaw, PITCH) != empty.render(CAMERA, yaw, PITCH)).any(axis=2)
        for truth in world.truth(CAMERA, yaw, PITCH):
            x, y, w, h = truth.box.as_list()
            inside = changed[
                max(0, int(y) - 1) : int(y + h) + 2, max(0, int(x) - 1) : int(x + w) + 2
            ]
            assert inside.any()
            inside[:] = False
        assert not changed.any()


def _fields(scene: scenes.Scene) -> dict[str, object]:
    return {name: getattr(scene, name) for name in scene.__dataclass_fields__}


def test_craft_move_along_their_paths():
    scene = scenes.load("airfield")
    world = _world("airfield")
    moved = 0
    for entry in scene.craft:
        yaw = heading_to_yaw(entry.heading)
        boxes = []
        for time_s in (0.0, entry.path.period / 8):
            found = {t.caption: t for t in world.truth(CAMERA, yaw, PITCH, time_s)}
            boxes.append(found[entry.caption].box)
        moved += boxes[0] != boxes[1]
    assert moved == len(scene.craft)


def test_a_turn_of_the_camera_moves_a_craft_the_other_way():
    world = _world("desert")
    entry = world.scene.craft[0]
    lefts = []
    for offset in (-5, 0, 5):
        found = {
            t.caption: t for t in world.truth(CAMERA, heading_to_yaw(entry.heading + offset), PITCH)
        }
        lefts.append(found[entry.caption].box.left)
    assert lefts[0] > lefts[1] > lefts[2]


def test_the_same_moment_looks_the_same_twice():
    world = _world("city")
    first = world.render(SMALL, 0.3, PITCH, 2.0)
    assert np.array_equal(first, world.render(SMALL, 0.3, PITCH, 2.0))


def _minimal() -> dict[str, object]:
    craft = {
        "type": "drone", "variant": "quad", "colours": ["red"], "heading": 10, "elevation": 15,
        "distance": 20,
    }  # fmt: skip
    return {"name": "x", "panorama": {"kind": "desert", "width": 512}, "craft": [craft]}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"weather": 1}, "weather"),
        ({"panorama": {"kind": "desert", "image": "a.png"}}, "exactly one"),
        ({"craft": [{"type": "zeppelin"}]}, r"craft\.0"),
        ({"turret": {"yaw_rate": -1}}, r"turret\.yaw_rate"),
        ({"commands": [{"text": "", "heading": "7", "tool": "", "target": ""}]}, "heading"),
        ({"name": None}, "name"),
    ],
)
def test_a_bad_scene_is_refused_with_the_name_of_the_field(change, named):
    with pytest.raises(InputError, match=named):
        scenes.parse({**_minimal(), **change}, Path("bad.yaml"))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("type", "zeppelin", "zeppelin"),
        ("variant", "nothing", "quad-racer"),
        ("colours", ["pink"], "pink"),
        ("colours", [], "colours"),
        ("pattern", "plaid", "plaid"),
        ("distance", 0, "distance"),
    ],
)
def test_a_bad_craft_is_refused_with_what_would_be_right(field, value, named):
    data = _minimal()
    data["craft"] = [{**data["craft"][0], field: value}]  # type: ignore[index]
    with pytest.raises(InputError, match=named):
        scenes.parse(data, Path("bad.yaml"))


def test_two_craft_of_one_caption_are_refused():
    data = _minimal()
    data["craft"] = data["craft"] * 2  # type: ignore[operator]
    with pytest.raises(InputError, match="red drone"):
        scenes.parse(data, Path("bad.yaml"))


@pytest.mark.parametrize("content", ["", "a: [", "[1, 2]", "\x00"])
def test_a_file_that_is_no_scene_is_an_error_of_one_line(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"bad\.yaml"):
        scenes.load(path)


def test_a_case_without_its_json_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"case\.json"):
        scenes.load(tmp_path)


def test_arranged_scenes_load_and_are_the_same_for_the_same_seed():
    first, second = (arrange("x", "plaza", 5, count=3) for _ in range(2))
    assert first == second
    scene = scenes.parse(first, Path("x.yaml"))
    assert len(scene.craft) == 3
    with pytest.raises(InputError, match="airfield"):
        arrange("x", "moon", 0)


def test_render_writes_a_picture_and_prints_the_truth(tmp_path, capsys):
    out = tmp_path / "view.png"
    path = tmp_path / "scene.yaml"
    path.write_text(yaml.safe_dump(_minimal()))
    assert main(["render", str(path), "--heading", "10", "-o", str(out), "--boxes"]) == 0
    assert out.stat().st_size > 10_000
    assert '"caption": "red drone"' in capsys.readouterr().out


def test_render_of_an_unknown_scene_lists_the_shipped_ones(tmp_path, capsys):
    assert main(["render", "nowhere", "-o", str(tmp_path / "x.png")]) == 2
    assert "airfield" in capsys.readouterr().err
