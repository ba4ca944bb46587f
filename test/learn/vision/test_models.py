# SPDX-License-Identifier: Apache-2.0
"""Textured models: AC3D files are read, liveries found, surfaces drawn; broken files are named."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from craft_material import BLUE, RED, box, paint
from PIL import Image

from turret_ai.aim.camera import Camera
from turret_ai.errors import ConfigError, InputError
from turret_ai.simulate import render
from turret_ai.simulate.craft import TYPES
from turret_ai.simulate.livery import Livery
from turret_ai.simulate.models import ac3d, catalogue, textured


@pytest.fixture
def aircraft(tmp_path: Path) -> Path:
    """An aircraft as FlightGear keeps it: a model, and a livery in a folder beside."""
    model = tmp_path / "A320" / "Models" / "A320.ac"
    model.parent.mkdir(parents=True)
    model.write_text(box("..\\Textures\\skin.png"))
    paint(tmp_path / "A320" / "Textures" / "Red" / "skin.png", RED, RED)
    paint(tmp_path / "A320" / "Textures" / "Both" / "skin.png", RED, BLUE)
    return model


def seen(model: Path, livery: textured.Textures) -> tuple[np.ndarray, np.ndarray]:
    mesh = textured.load(model, livery)
    camera = Camera.from_fov(80, 60, math.radians(40))
    placed = render.Placed(
        mesh, Livery((), (), "plain", 0), np.array([9.0, 0, 0]),
        np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), False,
    )  # fmt: skip
    return render.paint(placed, camera, np.eye(3))


def test_a_file_gives_its_faces_in_place_and_no_lines(tmp_path):
    (tmp_path / "a.ac").write_text(box())
    model = ac3d.read(tmp_path / "a.ac")
    (part,) = model.parts
    assert (part.name, part.texture, len(part.faces)) == ("body of it", "skin.png", 12)
    assert part.vertices.min(0) == pytest.approx([10, 0, 0])
    assert part.vertices.max(0) == pytest.approx([14, 1, 1])
    assert part.uv.shape == (12, 3, 2)
    assert ac3d.texture_names(tmp_path / "a.ac") == {"skin.png"}


def test_windows_line_ends_and_a_child_too_many_are_read(tmp_path):
    (tmp_path / "a.ac").write_bytes(
        box().replace("kids 1", "kids 2").encode().replace(b"\n", b"\r\n")
    )
    assert len(ac3d.read(tmp_path / "a.ac").parts) == 1


def test_liveries_are_the_folders_that_hold_the_model_s_textures(aircraft):
    found = textured.liveries(aircraft)
    assert {name: path.name for name, path in found.items()} == {
        "Textures/Both": "Both",
        "Textures/Red": "Red",
    }


def test_liveries_are_what_livery_files_name(tmp_path):
    model = tmp_path / "Pup" / "Models" / "pup.ac"
    model.parent.mkdir(parents=True)
    model.write_text(box("skin.png"))
    paint(model.parent / "skin.png", RED, BLUE)
    folder = model.parent / "Liveries"
    files = {
        "club.xml": "<!-- <texture>no.png</texture> --><texture>Liveries/club.png</texture>",
        "two.xml": "<skin>Liveries/club.png</skin><wing>Liveries/wing.png</wing>",
        "gone.xml": "<texture>Liveries/gone.png</texture>",
        "other.xml": "<texture>Liveries/narrow.png</texture>",
    }
    paint(folder / "club.png", BLUE, BLUE)
    paint(folder / "wing.png", RED, RED)
    paint(folder / "skin.png", RED, RED)
    Image.fromarray(np.zeros((8, 4, 3), np.uint8)).save(folder / "narrow.png")
    for name, text in files.items():
        (folder / name).write_text(f"<PropertyList>{text}</PropertyList>")
    found = textured.liveries(model)
    assert set(found) == {"Models/Liveries/club", "Models/Liveries/two", ""}
    assert found["Models/Liveries/two"] == (("skin.png", folder / "club.png"),)
    picture, there = seen(model, found["Models/Liveries/club"])
    assert (np.abs(picture[there].astype(int) - BLUE).max(1) < 6).all()
    plain, there = seen(model, found[""])
    assert 0.2 < (np.abs(plain[there].astype(int) - RED).max(1) < 6).mean() < 0.8


def test_a_livery_s_texture_lies_where_the_model_says(aircraft):
    picture, there = seen(aircraft, aircraft.parents[1] / "Textures" / "Both")
    assert there.mean() > 0.05
    colours = picture[there].astype(int)
    red = (np.abs(colours - RED).max(1) < 6).mean()
    blue = (np.abs(colours - BLUE).max(1) < 6).mean()
    assert red + blue > 0.99
    assert 0.35 < red < 0.65
    plain, there = seen(aircraft, aircraft.parents[1] / "Textures" / "Red")
    assert (np.abs(plain[there].astype(int) - RED).max(1) < 6).all()


def test_rays_go_through_where_a_texture_is_clear(aircraft):
    half = aircraft.parents[1] / "Textures" / "Half"
    paint(half / "skin.png", (*RED, 255), (*RED, 0))
    _, whole = seen(aircraft, aircraft.parents[1] / "Textures" / "Red")
    _, rest = seen(aircraft, half)
    assert 0.4 < rest.sum() / whole.sum() < 0.75


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3ds", "not an AC3D file"),
        (box()[:300], "broken near line"),
        ("AC3Db\nOBJECT world\nkids 0\n", "no faces"),
        (box().replace("refs 4\n0 ", "refs 4\n99 "), "isn't there"),
        (box(x="nan"), "no numbers"),
        (box(texture="missing.png"), "none of its textures"),
    ],
)
def test_a_bad_model_is_named_with_what_is_wrong(tmp_path, text, words):
    path = tmp_path / "bad.ac"
    path.write_text(text)
    paint(tmp_path / "skin.png", RED, BLUE)
    with pytest.raises(InputError, match=r"bad\.ac") as caught:
        textured.load(path)
    assert words in str(caught.value)


def test_a_broken_texture_is_named(tmp_path):
    (tmp_path / "a.ac").write_text(box())
    (tmp_path / "skin.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"skin\.png is not a texture"):
        textured.load(tmp_path / "a.ac")


def test_the_table_names_each_airframe_once_and_only_known_types():
    kinds = catalogue.kinds()
    names = [k.airframe for k in kinds]
    assert len(names) == len(set(names))
    for split in ("train", "val"):
        assert {k.type_name for k in kinds if k.split == split} == set(TYPES)
    photographs = catalogue.photographs()
    assert {s for _, s in photographs.values()} == {"train", "val"}


def test_only_models_of_the_table_are_found_and_bad_ones_are_named(aircraft):
    folder = aircraft.parents[2]
    (folder / "unknown.ac").write_text(box())
    (folder / "A321-iberia.ac").write_text("no model")
    entries, problems = catalogue.find(folder)
    assert [e.kind.airframe for e in entries] == ["airbus a320"]
    assert len(entries[0].liveries) == 2
    assert len(problems) == 1
    assert "A321-iberia.ac" in problems[0]
    with pytest.raises(InputError, match="no model that the table"):
        catalogue.find(folder / "A320" / "Textures")


def test_a_star_in_the_table_stays_within_a_name(aircraft):
    folder = aircraft.parents[2]
    for path in ("dhc2/Models/dhc2w.ac", "dhc2/Models/cabin.ac"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(box())
    line = "{airframe: beaver, type: light aircraft, files: [dhc2*.ac]}"
    (folder / "craft_models.yaml").write_text(f"craft:\n- {line}\n")
    catalogue.find.cache_clear()
    entries, problems = catalogue.find(folder)
    assert [e.path.name for e in entries] == ["dhc2w.ac"] and not problems


def test_a_folder_s_own_table_goes_before_ours(aircraft):
    folder = aircraft.parents[2]
    line = "{airframe: mine, type: drone, files: [Models/A320.ac]}"
    (folder / "craft_models.yaml").write_text(f"craft:\n- {line}\n")
    catalogue.find.cache_clear()
    (entry,), _ = catalogue.find(folder)
    assert (entry.kind.airframe, entry.kind.type_name) == ("mine", "drone")
    (folder / "craft_models.yaml").write_text("craft:\n- {airframe: x, type: ship, files: []}\n")
    catalogue.find.cache_clear()
    catalogue.kinds.cache_clear()
    with pytest.raises(ConfigError, match="unknown type 'ship'"):
        catalogue.find(folder)


OBJ = """mtllib skin.mtl
o body
v 0 0 0
v 4 0 0
v 4 1 0
v 0 1 0
v 0 0 1
v 4 0 1
v 4 1 1
v 0 1 1
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl hull
f 1/1 2/2 3/3 4/4
f 5/1 6/2 7/3 8/4
f 1/1 2/2 6/3 5/4
f 4/1 3/2 7/3 8/4
f 1/1 4/4 8/4 5/1
f 2/2 3/3 7/3 6/2
"""


@pytest.fixture
def obj(tmp_path: Path) -> Path:
    """An OBJ file with a texture beside, and a livery in a folder."""
    model = tmp_path / "Kit" / "models" / "kit.obj"
    model.parent.mkdir(parents=True)
    model.write_text(OBJ)
    (model.parent / "skin.mtl").write_text("newmtl hull\nKd 0 0 0\nmap_Kd -s 1 1 1 skin.png\n")
    paint(model.parent / "skin.png", RED, RED)
    paint(tmp_path / "Kit" / "Blue" / "skin.png", BLUE, BLUE)
    return model


def middle(model: Path, livery: textured.Textures) -> np.ndarray:
    rgb, there = seen(model, livery)
    return np.median(rgb[there], axis=0)


def test_obj_files_are_drawn_with_their_textures_and_liveries(obj):
    pytest.importorskip("trimesh")
    liveries = textured.liveries(obj)
    assert set(liveries) == {"", "Blue"}
    assert middle(obj, liveries[""]) == pytest.approx(RED, abs=12)
    assert middle(obj, liveries["Blue"]) == pytest.approx(BLUE, abs=12)


@pytest.mark.parametrize("name", ["kit.glb", "kit.gltf"])
def test_gltf_files_are_drawn_with_the_textures_within(obj, name):
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.load_scene(obj)
    for mesh in scene.geometry.values():
        mesh.visual.material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=Image.new("RGB", (8, 8), BLUE)
        )
    made = scene.export(file_type=Path(name).suffix[1:])
    folder = obj.parent / "gltf"
    folder.mkdir()
    for part, data in made.items() if isinstance(made, dict) else [(name, made)]:
        (folder / (name if part.endswith(".gltf") else part)).write_bytes(data)
    model = folder / name
    assert middle(model, textured.liveries(model)[""]) == pytest.approx(BLUE, abs=12)


def test_plain_materials_keep_their_colour(obj):
    pytest.importorskip("trimesh")
    (obj.parent / "skin.mtl").write_text("newmtl hull\nKd 0 0 1\n")
    assert middle(obj, None) == pytest.approx((0, 0, 255), abs=12)


BROKEN = {
    "cut.glb": b"glTF\x02\x00\x00\x00\xff\x00\x00\x00",
    "other.gltf": b"{not json",
    "empty.obj": b"# nothing\n",
    "text.obj": b"\x00\x01\x02 no model",
    "nan.obj": OBJ.replace("v 4 1 1", "v nan 1 1").encode(),
    "far.obj": OBJ.replace("f 1/1 2/2 3/3", "f 1/1 2/2 300/3").encode(),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_broken_files_of_other_formats_are_named(tmp_path, name):
    pytest.importorskip("trimesh")
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(InputError, match=name):
        textured.load(tmp_path / name)


def test_a_folder_of_several_formats_leaves_out_what_cannot_be_read(obj, tmp_path, monkeypatch):
    pytest.importorskip("trimesh")
    (obj.parent / "bad.gltf").write_bytes(b"{not json")
    lines = ["craft:"]
    for file in ("kit.obj", "bad.gltf"):
        lines.append(f"  - {{airframe: {file}, type: drone, files: [{file}]}}")
    (tmp_path / catalogue.TABLE).write_text("\n".join(lines))
    catalogue.find.cache_clear()
    entries, problems = catalogue.find(tmp_path)
    assert [e.path.name for e in entries] == ["kit.obj"]
    assert len(problems) == 1 and "bad.gltf" in problems[0]
    monkeypatch.setitem(sys.modules, "trimesh", None)
    catalogue.find.cache_clear()
    with pytest.raises(InputError, match="no model"):
        catalogue.find(tmp_path)
    catalogue.find.cache_clear()
