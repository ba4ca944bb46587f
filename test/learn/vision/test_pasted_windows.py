# SPDX-License-Identifier: Apache-2.0
"""Windows for the detector that are composed of cut-out craft and photographs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.errors import ConfigError
from turret_ai.learn.vision import crop_bank, lite_data, pasted_windows, staging
from turret_ai.learn.vision.augment import Augmentation
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.learn.vision.pasted_windows import Material, Pasted
from turret_ai.learn.vision.relight import Relight
from turret_ai.see import images
from turret_ai.see.boxes import iou

TYPES = ["drone", "missile"]
SIZE = 128
CLEAN = staging.Staging(
    scale=staging.Scale(median=24, spread=0.3, smallest=12, largest=60),
    moves=staging.Moves(steep=0.5),
    light=Relight(
        tint=0, exposure=0, overexposed=0, shade=0, contrast=0, haze=0, soften=0
    ),
    noise=Augmentation(
        sensor=0, brightness=0, contrast=0, gamma=(1, 1), tint=0, blur=0, motion=0, rescale=0,
        gaussian=0, iso=0, multiplicative=0, jpeg=0,
    ),
)  # fmt: skip


def _crop(type_name: str) -> Crop:
    """A red bar or cross with its cover."""
    cover = np.zeros((68, 68), np.uint8)
    cover[30:38, 14:54] = 255
    if type_name == "drone":
        cover[14:54, 30:38] = 255
    red = np.zeros((68, 68), np.uint8)
    layer = np.dstack([cover, red, red, cover])
    ys, xs = np.nonzero(cover)
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)
    origin = Origin(type_name, "painted", type_name, "", "train")
    return Crop(layer, box, f"red {type_name}", None, origin)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    crop_bank.save(folder / "painted_train_0.npz", [_crop(t) for t in TYPES])
    (folder / "grounds").mkdir()
    grey = np.full((200, 260, 3), 90, np.uint8)
    for number in range(2):
        images.save(folder / "grounds" / f"{number}.png", grey)
    return folder


@pytest.fixture(scope="module")
def material(folder):
    made = Material(Pasted(folders=[folder], backgrounds=[folder / "grounds"]), TYPES, 0)
    made.grounds = [g for g in made.grounds if (g == 90).all()]  # without the made-up skies
    return made


def _settings(**more):
    return Pasted(share=1, staging=CLEAN, mean_craft=3, **more)


@given(st.integers(0, 500))
@settings(max_examples=60, deadline=None)
def test_boxes_end_where_the_craft_do_and_none_is_left_out(material, seed):
    rng = np.random.default_rng(seed)
    pixels, boxes, vague = pasted_windows.window(material, _settings(over_edge=0.5), SIZE, rng)
    assert pixels.shape == (SIZE, SIZE, 4)
    every = np.concatenate([boxes, vague])
    assert (every >= 0).all() and (every <= SIZE).all()
    solid = pixels[..., 3] >= staging.SOLID
    outside = solid.copy()
    for x0, y0, x1, y1 in every.astype(int).tolist():
        part = solid[y0:y1, x0:x1]
        assert part.any(axis=0)[[0, -1]].all() and part.any(axis=1)[[0, -1]].all()
        outside[y0:y1, x0:x1] = False
    assert not outside.any()
    overlaps = iou(every, every) - np.eye(len(every))
    assert overlaps.max(initial=0.0) <= 0.0
    # What is solid is the craft's red, what is clear the background.
    whole = pixels[..., 3] == 255
    assert (np.abs(pixels[whole][:, :3].astype(int) - [255, 0, 0]) < 12).all()
    assert (pixels[pixels[..., 3] == 0][:, :3] == 90).all()


@given(st.integers(0, 200))
@settings(max_examples=20, deadline=None)
def test_craft_that_may_not_be_cut_off_lie_inside_and_count(material, seed):
    rng = np.random.default_rng(seed)
    _pixels, boxes, vague = pasted_windows.window(material, _settings(over_edge=0), SIZE, rng)
    # The layer's corner is on whole pixels: half a one may be beyond the edge, and no more.
    assert (boxes >= 0).all() and (boxes <= SIZE).all()
    sides = vague[:, 2:] - vague[:, :2]
    assert (sides.min(axis=1, initial=99) < 4).all()  # those too thin to ask for


def test_a_batch_is_a_function_of_its_seed_and_knows_its_covers(material):
    made = [
        pasted_windows.batch(material, _settings(), 3, SIZE, np.random.default_rng(7))
        for _ in range(2)
    ]
    assert made[0].images.shape == (3, 3, SIZE, SIZE) and float(made[0].images.max()) <= 1
    assert (made[0].images == made[1].images).all()
    for boxes, cover in zip(made[0].boxes, made[0].covers, strict=True):
        assert cover is not None and cover.shape == (SIZE // 4, SIZE // 4)
        assert (cover.sum() > 0) == (len(boxes) > 0)


def test_backgrounds_without_craft_and_shards_without_craft_are_told_apart(folder, tmp_path):
    empty = pasted_windows.window(
        Material(Pasted(folders=[folder], backgrounds=[folder / "grounds"]), TYPES, 0),
        Pasted(share=1, staging=CLEAN, mean_craft=0),
        SIZE,
        np.random.default_rng(0),
    )
    assert not len(empty[1]) and not empty[0][..., 3].any()
    with pytest.raises(ConfigError, match="no craft in shards"):
        Material(Pasted(folders=[tmp_path]), TYPES, 0)
    assert len(lite_data.grounds([tmp_path], 5, 0)) == 60  # made-up skies alone
