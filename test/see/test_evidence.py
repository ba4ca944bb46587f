# SPDX-License-Identifier: Apache-2.0
"""One score from what encoders say: heads beside the cosine, and captions in unknown words."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import tiny_models
import yaml
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from turret_ai.errors import ModelError
from turret_ai.see import evidence
from turret_ai.see.description import Heads, Terms
from turret_ai.see.evidence import Evidence, Wanted
from turret_ai.see.locator import load
from turret_ai.types import LocationStatus

HEADS = Heads(types=["light aircraft", "aircraft", "drone"], colours=["red", "blue"], craft=True)


@pytest.mark.parametrize(
    ("caption", "number", "colours"),
    [
        ("red and blue light aircraft", 0, [1, 1]),
        ("Blue aircraft", 1, [0, 1]),
        ("a drone, red, flying", 2, [1, 0]),
        ("red balloon", None, [1, 0]),
        ("dronelike thing", None, [0, 0]),
        ("light-aircraft", 0, [0, 0]),
    ],
)
def test_a_caption_says_which_type_and_colours_it_means(caption, number, colours):
    wanted = Wanted.read(caption, HEADS)
    assert wanted.type_number == number and wanted.colours.tolist() == [bool(c) for c in colours]


def _evidence(count: int, seed: int = 0) -> Evidence:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 4)).astype(np.float32)
    types = np.log(rng.dirichlet(np.ones(3), count)).astype(np.float32)
    return Evidence(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        types,
        rng.normal(size=(count, 2)).astype(np.float32),
        rng.normal(size=count).astype(np.float32),
    )


def test_features_are_cosine_detection_and_log_probabilities():
    found = _evidence(5)
    text = np.float32([1, 0, 0, 0])
    detection = np.linspace(0, 1, 5).astype(np.float32)
    table = evidence.features(found, text, Wanted.read("red drone", HEADS), detection)
    p = 1 / (1 + np.exp(-found.colours))
    assert table[:, 0] == pytest.approx(found.vectors[:, 0])
    assert table[:, 1] == pytest.approx(detection)
    assert table[:, 2] == pytest.approx(np.log(1 / (1 + np.exp(-found.craft))), abs=1e-5)
    assert table[:, 3] == pytest.approx(found.types[:, 2])
    assert table[:, 4] == pytest.approx(np.log(p[:, 0] * (1 - p[:, 1])), abs=1e-5)
    unknown = evidence.features(found, text, Wanted.read("balloon", HEADS), detection)
    assert (unknown[:, 3:] == 0).all() and (unknown[:, :3] == table[:, :3]).all()


@given(st.integers(1, 4), st.integers(0, 50))
def test_views_are_averaged_and_batches_joined(count, seed):
    first, second = _evidence(count, seed), _evidence(count, seed + 1)
    both = Evidence.mean([first, second])
    assert np.linalg.norm(both.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert both.craft == pytest.approx((first.craft + second.craft) / 2)
    joined = Evidence.join([first, second])
    assert joined.types.shape == (2 * count, 3)
    assert (joined.craft[:count] == first.craft).all()


def test_log_odds_and_probabilities():
    terms = Terms(cosine=2.0, detection=1.0, craft=0.5, types=1.0, colours=1.0, bias=-1.0)
    table = np.array([[0.5, 0.5, -1.0, -0.5, -0.25], [0, 0, 0, 0, 0]])
    odds = evidence.log_odds(table, terms)
    assert odds == pytest.approx([1.0 + 0.5 - 0.5 - 0.5 - 0.25 - 1.0, -1.0])
    assert evidence.probability(np.array([0.0, 1000.0, -1000.0])) == pytest.approx([0.5, 1, 0])


@pytest.fixture
def with_craft_head(tiny, tmp_path):
    """The colour matcher with a head that calls only green things craft."""
    folder = tiny_models.colour_matcher(
        tmp_path / "heads",
        heads={"craft": True},
        score={"cosine": 30.0, "craft": 20.0, "bias": -20.0},
    )
    model = onnx.load(str(folder / "image.onnx"))
    weight = np.float32([[-100], [100], [-100]])
    model.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    model.graph.node.append(helper.make_node("MatMul", ["embedding", "w"], ["craft"]))
    model.graph.output.append(helper.make_tensor_value_info("craft", TensorProto.FLOAT, ["n", 1]))
    onnx.save(model, str(folder / "image.onnx"))
    return folder


def test_what_is_no_craft_loses_though_its_words_fit_better(settings, with_craft_head):
    picture = tiny_models.scene(224, 128, {"red": (40, 30), "green": (120, 64)})
    matching = settings.matching.model_copy(
        update={"models": [str(with_craft_head)], "not_found_below": 0.0}
    )
    answer = load(settings.model_copy(update={"matching": matching})).locate(picture, "red drone")
    assert answer.box is not None and answer.box.centre == pytest.approx((120, 64), abs=3)
    plain = load(settings).locate(picture, "red drone")
    assert plain.box is not None and plain.box.centre == pytest.approx((40, 30), abs=3)


def test_whoever_plays_for_points_always_gets_an_answer(settings):
    picture = tiny_models.scene(224, 128, {"red": (40, 30)})
    assert load(settings).locate(picture, "blue drone").status is LocationStatus.NOT_FOUND
    matching = settings.matching.model_copy(update={"always_answer": True})
    answer = load(settings.model_copy(update={"matching": matching})).locate(picture, "blue drone")
    assert answer.status is not LocationStatus.NOT_FOUND and answer.box is not None
    assert answer.match_score < 0.01


def test_a_head_that_the_model_lacks_is_named(settings, tiny, tmp_path):
    folder = tiny_models.colour_matcher(tmp_path / "m", heads={"types": ["drone", "jet"]})
    assert yaml.safe_load((folder / "model.yaml").read_text())["heads"]["types"]
    matching = settings.matching.model_copy(update={"models": [str(folder)]})
    locator = load(settings.model_copy(update={"matching": matching}))
    with pytest.raises(ModelError, match="types"):
        locator.locate(tiny_models.scene(224, 128, {"red": (40, 30)}), "red drone")
