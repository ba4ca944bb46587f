# SPDX-License-Identifier: Apache-2.0
"""Eight types of craft, several airframes each, and none of the test set's in the training set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.errors import ConfigError, InputError
from turret_ai.simulate import airframes, craft, mesh

ALL = [(t, v.name) for t in craft.TYPES for v in craft.variants(t)]


@pytest.mark.parametrize("type_name", craft.TYPES)
def test_each_type_has_five_airframes_or_more_to_train_on_and_some_to_test_on(type_name):
    assert len(craft.variants(type_name, "train")) >= 5
    assert len(craft.variants(type_name, "val")) >= 1
    assert len(craft.variants(type_name, "test")) >= 2


def test_no_airframe_of_one_split_is_in_another():
    shapes = {}
    for type_name, name in ALL:
        low, high = craft.build(type_name, name).bounds
        key = (type_name, *np.round(high - low, 3), craft.build(type_name, name).triangles)
        assert key not in shapes, f"{name} is {shapes.get(key)} again"
        shapes[key] = name


@pytest.mark.parametrize(("type_name", "name"), ALL)
def test_an_airframe_is_finite_centred_and_of_a_sane_size(type_name, name):
    frame = craft.build(type_name, name)
    low, high = frame.bounds
    assert np.isfinite([low, high]).all()
    assert low + high == pytest.approx(np.zeros(3), abs=1e-6)
    assert 1.0 < frame.size < 80.0
    assert 300 < frame.triangles < 8000
    assert any(role == "paint" for role, _ in frame.parts)


def test_airliners_are_larger_than_light_aircraft_and_those_larger_than_multicopters():
    def size(t: str, v: str) -> float:
        return craft.build(t, v).size

    assert size("commercial aircraft", "narrow-body") > 3 * size("light aircraft", "high-wing")
    assert size("light aircraft", "high-wing") > 3 * size("drone", "quad")


def test_a_spinning_craft_has_discs_where_its_blades_were():
    still, spinning = (mesh.load("helicopter", "light", s) for s in (False, True))
    assert len(spinning.faces) < len(still.faces)
    assert not still.discs
    assert len(spinning.discs) == 2
    assert np.ptp(spinning.outline, axis=0) == pytest.approx(
        np.ptp(still.outline, axis=0), rel=0.15
    )


def test_corner_normals_are_unit_vectors_that_look_outwards():
    model = mesh.load("missile", "ballistic")
    assert np.linalg.norm(model.normals, axis=2) == pytest.approx(1.0, abs=1e-3)
    a, b, c = (model.vertices[model.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    real = np.linalg.norm(flat, axis=1) > 1e-8
    assert (np.einsum("mc,mc->m", flat, model.normals.mean(1))[real] > 0).mean() > 0.99


def test_unknown_names_are_answered_with_those_that_exist():
    with pytest.raises(InputError, match="helicopter"):
        craft.variants("zeppelin")
    with pytest.raises(InputError, match="long-wing"):
        craft.build("drone", "nothing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "no types"),
        ("balloon: {}", "balloon"),
        ("drone: 3", "drone"),
        ("drone: {mine: 3}", "drone mine"),
        ("drone: {mine: {build: kite}}", "kite"),
        ("drone: {mine: {build: multicopter, split: exam}}", "exam"),
        ("drone: {mine: {build: multicopter, armz: 3}}", "armz"),
        ("drone: {mine: {build: multicopter, arms: many}}", "arms"),
    ],
)
def test_a_file_of_airframes_that_makes_no_sense_is_told_in_one_line(tmp_path, text, said):
    file = tmp_path / "airframes.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as told:
        for variant in airframes.read(file)["drone"]:
            variant.assemble()
    assert "\n" not in str(told.value)


def test_an_airframe_of_ones_own_is_a_line_of_numbers(tmp_path):
    file = tmp_path / "airframes.yaml"
    file.write_text("drone: {mine: {build: multicopter, arms: 5, reach: 2}}")
    (mine,) = airframes.read(file)["drone"]
    assert len(mine.assemble().discs) == 5


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(craft.TYPES), st.integers(0, 2**32 - 1))
def test_offspring_are_airframes_of_their_type_and_like_no_other(type_name, seed):
    rng = np.random.default_rng(seed)
    listed = craft.variants(type_name, "train")
    parent = listed[int(rng.integers(len(listed)))]
    child = airframes.offspring(parent, listed, rng)
    frame = child.assemble()
    assert (child.type_name, child.split) == (type_name, "train")
    assert child.numbers not in [v.numbers for v in listed]
    low, high = frame.bounds
    assert np.isfinite([low, high]).all()
    assert 0.3 < frame.size / parent.assemble().size < 3.0
    assert frame.triangles > 40


def test_offspring_depend_on_the_seed_alone():
    listed = craft.variants("drone", "train")
    first, second = (
        airframes.offspring(listed[0], listed, np.random.default_rng(5)) for _ in range(2)
    )
    assert first.numbers == second.numbers
