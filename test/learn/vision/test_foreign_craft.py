# SPDX-License-Identifier: Apache-2.0
"""Synthetic images of recipe 8: craft of models and photographs, on photographs."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from craft_material import RED, box, paint, photograph, sky

from turret_ai.errors import InputError
from turret_ai.learn import image_files, images
from turret_ai.learn.vision import packs

SMALL = {"width": 480, "height": 300, "craft": (3, 4), "panorama_width": 512, "clutter": False}


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("material")
    model = folder / "models" / "A320" / "Models" / "A320.ac"
    model.parent.mkdir(parents=True)
    model.write_text(box())
    paint(model.parent.parent / "Textures" / "Red" / "skin.png", RED, RED)
    photos = folder / "photos" / "Hawker Hurricane"
    photos.mkdir(parents=True)
    cv2.imwrite(str(photos / "a.jpg"), photograph((30, 60, 160))[..., ::-1])
    packs.write("photographs", folder / "cutouts", 1, 0, "train", folder / "photos")
    (folder / "backgrounds").mkdir()
    cv2.imwrite(str(folder / "backgrounds" / "sky.jpg"), sky(600, 900)[..., ::-1])
    (folder / "backgrounds" / "broken.jpg").write_bytes(b"")
    return folder


def made(material: Path, **shares: float) -> images.Settings:
    return images.Settings(
        **SMALL,
        levels=(1.0, 0.0, 0.0),
        backgrounds=str(material / "backgrounds"),
        craft_models=str(material / "models"),
        cutouts=str(material / "cutouts"),
        **shares,
    )


def test_craft_of_models_and_photographs_are_drawn_where_the_labels_say(material):
    settings = made(material, models_share=0.5, cutouts_share=0.5)
    captions: set[str] = set()
    for index in range(6):
        whole = images.encode(index, 3, "train", settings)
        for number, (text, _, _, found) in enumerate(whole.labels, 1):
            captions.add(text)
            ys, xs = np.nonzero(whole.mask == number)
            assert len(ys) > 5
            assert found.left - 2 <= xs.min() <= xs.max() + 1 <= found.left + found.width + 2
            assert found.top - 2 <= ys.min() <= ys.max() + 1 <= found.top + found.height + 2
    assert captions == {"red commercial aircraft", "blue fighter plane"}


def test_the_same_index_gives_the_same_image(material):
    settings = made(material)
    first, second = (images.encode(2, 3, "train", settings) for _ in range(2))
    assert first.jpeg == second.jpeg
    assert first.labels == second.labels


def test_the_recipe_is_8_only_with_craft_of_others(material):
    assert images.Settings().recipe == 7
    assert images.Settings(backgrounds="x").recipe == 7
    assert made(material).recipe == 8


def test_a_folder_that_was_begun_before_the_newer_settings_goes_on(tmp_path):
    settings = images.Settings(**SMALL, levels=(1.0, 0.0, 0.0))
    image_files.write(tmp_path, 1, 0, 0, "train", settings, 1)
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    for key in ("craft_models", "models_share", "cutouts", "cutouts_share", "backgrounds_share"):
        del recipe[key]
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    image_files.write(tmp_path, 1, 0, 0, "train", settings, 1)
    with pytest.raises(InputError, match="cutouts_share"):
        image_files.write(
            tmp_path,
            1,
            0,
            0,
            "train",
            images.Settings(**SMALL, levels=(1.0, 0.0, 0.0), cutouts_share=0.9),
            1,
        )


def test_material_that_is_not_there_is_named(material, tmp_path):
    with pytest.raises(InputError, match="not a folder of models"):
        images.encode(0, 0, "train", images.Settings(**SMALL, craft_models=str(tmp_path / "no")))
    with pytest.raises(InputError, match="no models of the split val"):
        images.encode(
            0,
            0,
            "val",
            images.Settings(**SMALL, craft_models=str(material / "models"), models_share=1.0),
        )
