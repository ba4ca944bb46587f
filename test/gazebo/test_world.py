# SPDX-License-Identifier: Apache-2.0
"""Worlds are made from the embedded simulator's scenes, and show the same."""

import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from sdf_reader import GazeboWorld, Obj, matrix

from turret_ai import share
from turret_ai.aim.camera import Camera
from turret_ai.aim.limits import Limits
from turret_ai.cli.app import main
from turret_ai.errors import InputError
from turret_ai.see.boxes import iou
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.gazebo import flight, truth, turret
from turret_ai.simulate.gazebo import world as worlds
from turret_ai.simulate.path import pose
from turret_ai.simulate.world import World

SHIPPED = sorted(path.stem for path in (share.root() / "worlds").glob("*.sdf"))
SYSTEMS = {
    "gz-sim-physics-system": "gz::sim::systems::Physics",
    "gz-sim-user-commands-system": "gz::sim::systems::UserCommands",
    "gz-sim-scene-broadcaster-system": "gz::sim::systems::SceneBroadcaster",
    "gz-sim-sensors-system": "gz::sim::systems::Sensors",
    "gz-sim-label-system": "gz::sim::systems::Label",
}

LABEL = '<sdf><plugin name="gz::sim::systems::Label">{}</plugin></sdf>'

SCENE = {
    "name": "test range",
    "panorama": {"kind": "desert", "seed": 3, "mood": "clear", "width": 1024},
    "craft": [
        {
            "type": "fighter jet",
            "variant": "delta",
            "colours": ["grey", "red"],
            "pattern": "wings",
            "heading": 20.0,
            "elevation": 18.0,
            "distance": 90.0,
            "attitude": {"course": 100.0, "climb": 10.0, "bank": 20.0},
            "path": {"shape": "circle", "extent": 8.0, "period": 20.0},
        },
        {
            "type": "helicopter",
            "variant": "{helicopter}",
            "colours": ["white"],
            "heading": 345.0,
            "elevation": 12.0,
            "distance": 60.0,
            "attitude": {"course": 230.0},
        },
        {
            "type": "light aircraft",
            "variant": "high-wing",
            "colours": ["yellow"],
            "heading": 0.0,
            "elevation": 30.0,
            "distance": 70.0,
            "attitude": {"course": 80.0, "climb": 5.0, "bank": -10.0},
            "path": {"shape": "line", "extent": 20.0, "period": 15.3},
        },
    ],
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    from turret_ai.simulate.craft import variants

    data = json.loads(json.dumps(SCENE).replace("{helicopter}", variants("helicopter")[0].name))
    return scenes.parse(data, tmp_path_factory.mktemp("scene") / "range.yaml")


@pytest.fixture(scope="module")
def written(scene, tmp_path_factory):
    return worlds.write(scene, tmp_path_factory.mktemp("world") / "range.sdf")


@pytest.fixture(scope="module")
def seen(written):
    return GazeboWorld(written.file, share.path("description"))


def test_a_world_passes_the_sdf_checker(written, sdf_errors):
    assert sdf_errors(written.file) == []


def test_the_turret_of_a_world_is_found_and_checked_with_it(written, sdf_errors, tmp_path):
    broken = tmp_path / "broken.sdf"
    broken.write_text(written.file.read_text().replace("model://turret", "model://nothing"))
    assert sdf_errors(broken)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_world_passes_the_sdf_checker(name, sdf_errors):
    assert sdf_errors(share.path(f"worlds/{name}.sdf")) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_world_is_the_scene_of_its_name(name):
    told = truth.captions(share.path(f"worlds/{name}.sdf"))
    scene = scenes.load(name)
    again = f"make it again: turret-ai world {name} -o worlds/{name}.sdf --panorama-width 3072"
    assert list(told.values()) == [entry.caption for entry in scene.craft], again
    shown = GazeboWorld(share.path(f"worlds/{name}.sdf"), share.path("description"))
    for entry, (caption, _, there) in zip(scene.craft, sorted_craft(shown, told), strict=True):
        place, _ = pose(entry.place, entry.attitude, entry.path, 0.0)
        assert caption == entry.caption
        assert np.allclose(there[:3, 3] - [0, 0, worlds.camera_height()], place, atol=0.01), again


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_world_has_the_materials_that_the_command_writes_now(name, tmp_path):
    made = worlds.files_of(
        worlds.write(scenes.load(name), tmp_path / "x.sdf", panorama_width=256).file
    )
    shipped = share.path(f"worlds/{name}_files")
    again = f"make it again: turret-ai world {name} -o worlds/{name}.sdf --panorama-width 3072"
    files = sorted(path.name for path in made.glob("*.mtl"))
    assert len(files) > 3
    for file in files:
        assert (shipped / file).read_text() == (made / file).read_text(), again


def sorted_craft(shown, told):
    order = list(told.values())
    return sorted(shown.craft(0.0), key=lambda each: order.index(each[0]))


def test_the_shipped_worlds_show_every_type_in_several_liveries():
    captions = [
        caption
        for name in SHIPPED
        for caption in truth.captions(share.path(f"worlds/{name}.sdf")).values()
    ]
    from turret_ai.simulate.craft import TYPES

    assert len(SHIPPED) >= 3
    assert all(any(caption.endswith(kind) for caption in captions) for kind in TYPES)
    assert len(set(captions)) > 12


@pytest.mark.parametrize("name", SHIPPED)
def test_meshes_are_small_and_whole(name):
    folder = share.path(f"worlds/{name}_files")
    files = [f for f in folder.glob("*.obj") if f.stem != "panorama"]
    assert sum(f.stat().st_size for f in folder.iterdir()) < 4e6
    for file in files:
        mesh = Obj(file)
        assert 300 <= len(mesh.faces) <= 12_000
        assert file.stat().st_size < 600e3
        assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.points)
        assert set(mesh.materials) == set(mesh.colours)
        assert all(m.startswith(file.stem) for m in mesh.colours), "names must differ by file"
        for colours in mesh.colours.values():
            # What an MTL leaves out is 0 for Gazebo: a mirror.
            assert 0.2 <= colours["Pr"][0] <= 1.0
            assert all(0.0 <= v <= 1.0 for v in colours["Kd"])


@pytest.mark.parametrize("name", SHIPPED)
def test_the_panoramas_mesh_names_a_material_that_exists(name):
    # Gazebo's reader warns of faces without one.
    shell = Obj(share.path(f"worlds/{name}_files/panorama.obj"))
    assert set(shell.materials) == set(shell.colours) == {"panorama"}
    first = share.path(f"worlds/{name}_files/panorama.obj").read_text().splitlines()[0]
    assert first == "mtllib panorama.mtl"


def test_the_ground_below_the_turret_is_never_in_the_picture(written):
    # The lowest ray of the camera at the lowest pitch; the embedded simulator shows no ground.
    down = Limits().pitch_max + turret.VERTICAL_FOV / 2.0
    meets = worlds.camera_height() / math.tan(down)
    root = ElementTree.parse(written.file).getroot()
    ground = next(m for m in root.iter("model") if m.get("name") == "ground")
    radii = [float(r.text) for r in ground.iter("radius")]
    assert radii and max(radii) < meets


def test_every_file_that_a_world_names_is_there(written):
    text = written.file.read_text()
    for name in re.findall(r"<(?:uri|filename|emissive_map)>([^<]+)<", text):
        if not name.startswith("model://"):
            assert (written.file.parent / name).is_file(), name


def test_systems_are_named_as_in_gazebo(written):
    root = ElementTree.parse(written.file).getroot()
    found = {plugin.get("filename"): plugin.get("name") for plugin in root.iter("plugin")}
    assert found == SYSTEMS


def test_labels_are_bytes_that_name_the_craft(written, scene):
    assert truth.captions(written.file) == {
        k: entry.caption for k, entry in enumerate(scene.craft, start=1)
    }
    assert all(1 <= label <= 254 for label in truth.captions(written.file))


def test_standing_craft_are_models_and_moving_ones_are_actors(written):
    root = ElementTree.parse(written.file).getroot()
    assert [a.get("name") for a in root.iter("actor")] == [
        "grey_and_red_fighter_jet",
        "yellow_light_aircraft",
    ]
    assert any(m.get("name") == "white_helicopter" for m in root.iter("model"))


def test_a_still_world_has_no_actors(scene, tmp_path):
    file = worlds.write(scene, tmp_path / "still.sdf", still=True, panorama_width=256).file
    assert not list(ElementTree.parse(file).getroot().iter("actor"))


@pytest.mark.parametrize("time_s", [0.0, 3.3, 7.649, 7.66, 12.5, 31.0])
def test_craft_are_where_the_embedded_simulator_has_them_at_the_same_time(seen, scene, time_s):
    entries = {entry.caption: entry for entry in scene.craft}
    for caption, _, there in seen.craft(time_s):
        entry = entries[caption]
        place, turn = pose(entry.place, entry.attitude, entry.path, time_s)
        assert np.linalg.norm(there[:3, 3] - [0, 0, worlds.camera_height()] - place) < 0.1
        cosine = (np.trace(there[:3, :3].T @ turn) - 1.0) / 2.0
        assert math.acos(min(1.0, cosine)) < math.radians(7.0)  # one step of the circle


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, -15.0), (-20.0, -15.0), (25.0, -5.0)])
def test_the_turret_sees_the_same_picture_in_both_simulators(seen, scene, yaw, pitch):
    width = 760
    camera = Camera.from_fov(width, 435, math.radians(70.0))
    yaw, pitch = math.radians(yaw), math.radians(pitch)
    world = World(scene)
    image, boxes = seen.trace(yaw, pitch, 2.0, width)
    wanted = world.render(camera, yaw, pitch, 2.0).astype(float)
    assert np.corrcoef(image.reshape(-1), wanted.reshape(-1))[0, 1] > 0.97
    compared = 0
    for each in world.truth(camera, yaw, pitch, 2.0):
        if each.visible > 0.95:
            box = each.box
            wanted_box = [box.left, box.top, box.left + box.width, box.top + box.height]
            # Rods thinner than a pixel fall between the rays; the eye lies 9 cm before the axes.
            assert iou(np.array([boxes[each.caption]]), np.array([wanted_box]))[0, 0] > 0.8
            compared += 1
    assert compared


def test_the_panorama_is_seen_from_within(written):
    shell = Obj(worlds.files_of(written.file) / "panorama.obj")
    a, b, c = (shell.points[shell.faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    assert (np.einsum("ij,ij->i", normals, a + b + c) < 0).all()


def test_landmarks_stand_at_the_compass_points_below_all_craft(written, scene):
    root = ElementTree.parse(written.file).getroot()
    poses = {m.get("name"): m.findtext("pose") for m in root.iter("model")}
    north = matrix(poses["landmark_north"])[:3, 3]
    east = matrix(poses["landmark_east"])[:3, 3]
    assert north[0] > 10 and abs(north[1]) < 1e-6
    assert east[1] < -10 and abs(east[0]) < 1e-6
    top = worlds.LANDMARK_SIZE[2] - worlds.camera_height()
    assert math.degrees(math.atan2(top, worlds.LANDMARK_DISTANCE)) < 5.0


def test_rotations_become_the_same_roll_pitch_and_yaw():
    rng = np.random.default_rng(4)
    for angles in rng.uniform(-math.pi, math.pi, (200, 3)):
        turn = matrix("0 0 0 " + " ".join(map(str, angles)))[:3, :3]
        again = matrix("0 0 0 " + " ".join(map(str, flight.roll_pitch_yaw(turn))))[:3, :3]
        assert np.allclose(turn, again, atol=1e-7)
    up = matrix(f"0 0 0 0.3 {-math.pi / 2} 0.4")[:3, :3]
    again = matrix("0 0 0 " + " ".join(map(str, flight.roll_pitch_yaw(up))))[:3, :3]
    assert np.allclose(up, again, atol=1e-6)


def test_the_command_says_what_it_made_and_gives_a_slow_machine_less(tmp_path, capsys, sdf_errors):
    file = tmp_path / "desert.sdf"
    words = ["--camera-rate", "2.5", "--camera-width", "763", "--no-shadows"]
    assert main(["world", "desert", "-o", str(file), "--panorama-width", "512", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["world"] == str(file) and told["craft"] > 0 and told["triangles"] > 1000
    assert sdf_errors(file) == []
    world = ElementTree.parse(file).getroot().find("world")
    assert world.findtext("scene/shadows") == "false"
    assert {light.findtext("cast_shadows") for light in world.iter("light")} == {"false"}
    assert world.find("include") is None
    model = next(m for m in world.iter("model") if m.get("name") == turret.MODEL)
    assert [float(v) for v in model.findtext("pose").split()] == [0, 0, worlds.PEDESTAL, 0, 0, 0]
    sizes, shapes = [], []
    for sensor in model.iter("sensor"):
        width, height = (int(sensor.findtext(f"camera/image/{s}")) for s in ("width", "height"))
        focal = width / 2 / math.tan(float(sensor.findtext("camera/horizontal_fov")) / 2)
        shapes.append(2 * math.atan(height / 2 / focal))
        sizes.append((width, height))
        assert float(sensor.findtext("update_rate")) == 2.5
    assert sizes == [(764, 436), (382, 218)]  # the truth's pixels are two of the image's
    assert shapes == pytest.approx([turret.VERTICAL_FOV] * 2, rel=1e-6)


def test_a_world_must_be_an_sdf_file(scene, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.sdf"):
        worlds.write(scene, tmp_path / "world.xml")


@pytest.mark.parametrize(
    "text",
    [
        "<sdf",
        LABEL.format("<label>x</label><caption>a</caption>"),
        LABEL.format("<label>3</label>"),
    ],
)
def test_a_broken_world_is_named(text, tmp_path):
    file = tmp_path / "world.sdf"
    file.write_text(text)
    with pytest.raises(InputError, match=r"world\.sdf"):
        truth.captions(file)
