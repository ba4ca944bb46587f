# SPDX-License-Identifier: Apache-2.0
"""Synthetic images: the same every time, labelled truly, resumable, in the field's formats."""

import json

import cv2
import numpy as np
import pytest

from turret_ai.cli.app import main
from turret_ai.errors import InputError
from turret_ai.learn import image_files, images
from turret_ai.learn.images import Settings
from turret_ai.simulate import colours
from turret_ai.simulate.craft import TYPES

SMALL = Settings(panorama_width=1024, panorama_reuse=50)


@pytest.fixture(scope="module")
def batch():
    """Fourteen images with their labels."""
    return [images.generate(index, 0, "train", SMALL) for index in range(14)]


def test_an_image_depends_on_its_index_seed_and_split_alone():
    first, labels = images.generate(3, 0, "train", SMALL)
    images.generate(4, 0, "train", SMALL)
    again, labels_again = images.generate(3, 0, "train", SMALL)
    assert np.array_equal(first, again)
    assert labels == labels_again
    for other in ((4, 0, "train"), (3, 1, "train"), (3, 0, "test")):
        assert not np.array_equal(first, images.generate(*other, SMALL)[0])


def test_images_have_the_competition_s_size_and_three_to_eight_craft_with_unique_captions(batch):
    for rgb, labels in batch:
        assert rgb.shape == (870, 1520, 3)
        assert rgb.dtype == np.uint8
        assert 1 <= len(labels) <= 8
        captions = [label[0] for label in labels]
        assert len(set(captions)) == len(captions)
        for text, type_name, names, box in labels:
            assert type_name in TYPES
            assert text.endswith(type_name)
            assert all(name in text.split(type_name)[0] for name in names)
            assert set(names) <= set(colours.COLOURS)
            assert box.left >= 0
            assert box.top >= 0
            assert box.left + box.width <= 1520
            assert box.top + box.height <= 870
            assert box.width > 0
            assert box.height > 0


def test_no_description_also_fits_another_craft_of_the_image(batch):
    for _, labels in batch:
        for i, (_, kind, names, _) in enumerate(labels):
            for _, other_kind, other_names, _ in labels[i + 1 :]:
                nested = set(names) <= set(other_names) or set(other_names) <= set(names)
                assert kind != other_kind or not nested


def test_sizes_are_distributed_as_in_the_competition(batch):
    boxes = [label[3] for _, labels in batch for label in labels]
    # The competition's: 60x40, the 5th percentiles 32x24, the 95th 128x64. One craft in eight is
    # of any size, 8 to 420 px, so that the outer ones are loose.
    low, middle, high = np.percentile([box.width for box in boxes], [5, 50, 95])
    assert 12 < low < 40
    assert 50 < middle < 75
    assert 100 < high < 250
    low, middle, high = np.percentile([box.height for box in boxes], [5, 50, 95])
    assert 8 < low < 30
    assert 32 < middle < 48
    assert 58 < high < 150


def test_own_backgrounds_are_pasted_on(tmp_path):
    flat = np.full((500, 800, 3), (200, 120, 40), np.uint8)
    cv2.imwrite(str(tmp_path / "one.png"), flat)
    settings = Settings(backgrounds=str(tmp_path), levels=(1, 0, 0), clutter=False)
    rgb, labels = images.generate(0, 0, "train", settings)
    assert labels
    median = np.median(rgb.reshape(-1, 3), axis=0)
    assert median[0] < median[1] < median[2]


def test_an_empty_folder_of_backgrounds_and_an_unknown_split_are_named(tmp_path):
    with pytest.raises(InputError, match=tmp_path.name):
        images.generate(0, 0, "train", Settings(backgrounds=str(tmp_path)))
    with pytest.raises(InputError, match="holdout"):
        images.generate(0, 0, "holdout", SMALL)


def test_files_resume_and_end_the_same_as_in_one_go(tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    image_files.write(once, 3, 5, 0, "train", SMALL, workers=1)
    image_files.write(twice, 2, 5, 0, "train", SMALL, workers=1)
    before = (twice / "images" / "image_5.jpg").stat().st_mtime_ns
    image_files.write(twice, 3, 5, 0, "train", SMALL, workers=1)
    assert (twice / "images" / "image_5.jpg").stat().st_mtime_ns == before
    for name in ("vlm.jsonl", "coco.json", "images/image_7.jpg"):
        assert (once / name).read_bytes() == (twice / name).read_bytes()


def test_files_have_the_competition_s_and_coco_s_formats(tmp_path):
    path = image_files.write(tmp_path, 2, 0, 0, "val", SMALL, workers=1)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["image"] for line in lines] == ["image_0.jpg", "image_1.jpg"]
    coco = json.loads((tmp_path / "coco.json").read_text())
    assert len(coco["annotations"]) == sum(len(line["annotations"]) for line in lines)
    for line in lines:
        assert (tmp_path / "images" / line["image"]).is_file()
        for annotation in line["annotations"]:
            assert set(annotation) == {"caption", "bbox"}
            assert len(annotation["bbox"]) == 4
    assert {c["name"] for c in coco["categories"]} == set(TYPES)
    assert (tmp_path / "sheet.jpg").is_file()


def test_a_folder_of_another_recipe_is_refused(tmp_path, capsys):
    image_files.write(tmp_path, 1, 0, 0, "val", SMALL, workers=1)
    assert main(["synth", "images", str(tmp_path), "--num-images", "1"]) == 2
    assert "another recipe" in capsys.readouterr().err
