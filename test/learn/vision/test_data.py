# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.learn.vision import backgrounds, captions, crop_bank
from turret_ai.learn.vision.augment import Augmentation, spoil
from turret_ai.learn.vision.captions import Attributes
from turret_ai.learn.vision.detector_data import CropSettings, cut, paste
from turret_ai.learn.vision.detector_model import (
    STRIDE,
    Detector,
    DetectorShape,
    cover_loss,
    detection_loss,
    giou,
    targets,
)
from turret_ai.learn.vision.matcher_config import Jitter
from turret_ai.learn.vision.matcher_data import stage
from turret_ai.learn.vision.matcher_model import choice_loss
from turret_ai.see.heads import decode_centres

TYPES = ["drone", "fighter jet", "fighter plane", "light aircraft"]
COLOURS = ["red", "blue", "white", "black"]
attributes = st.builds(
    Attributes,
    st.sampled_from(TYPES),
    st.sets(st.sampled_from(COLOURS), min_size=1, max_size=3).map(frozenset),
)


@given(attributes, st.integers(0, 10000))
def test_a_paraphrase_means_the_same(wanted, seed):
    text = captions.paraphrase(wanted, np.random.default_rng(seed))
    assert captions.parse(text, TYPES, COLOURS) == wanted


@given(attributes, st.integers(0, 10000))
def test_a_near_miss_differs_in_exactly_one_thing(wanted, seed):
    other = captions.near_miss(wanted, TYPES, COLOURS, np.random.default_rng(seed))
    assert other != wanted and other.colours
    if other.type_name != wanted.type_name:
        assert other.colours == wanted.colours
    else:
        assert len(other.colours - wanted.colours) <= 1
        assert len(wanted.colours - other.colours) <= 1


def test_captions_are_written_as_the_competition_writes_them():
    assert captions.compose(["grey"], "drone", False) == "grey drone"
    assert captions.compose(["grey", "red"], "drone", True) == "grey and red camouflage drone"
    assert captions.compose(["a", "b", "c"], "jet", False) == "a, b, and c jet"


def test_the_choice_counts_no_rival_that_fits_as_well():
    fits = torch.tensor([[True, False], [False, True], [True, False]])
    sure = torch.where(fits, 50.0, -50.0)
    assert float(choice_loss(sure, fits)) == pytest.approx(0.0, abs=1e-5)
    assert float(choice_loss(-sure, fits)) == pytest.approx(100.0, rel=1e-2)
    # Two captions and one rival picture for each, all alike: log 2 among both.
    assert float(choice_loss(torch.zeros(2, 2), torch.eye(2).bool())) == pytest.approx(np.log(2))
    nothing = choice_loss(torch.zeros(2, 2, requires_grad=True), torch.zeros(2, 2).bool())
    nothing.backward()
    assert float(nothing.detach()) == 0.0


def test_a_small_box_counts_as_much_as_a_large_one():
    boxes = torch.tensor([[8.0, 8, 24, 24], [40, 40, 120, 120]])
    heat, index = targets(boxes, torch.tensor([0, 0]), 1, 32, 32)
    ignore = torch.zeros(1, 32, 32, dtype=torch.bool)

    def loss(wrong: int) -> float:
        y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
        sides = torch.zeros(1, 4, 32, 32)
        for i, (x0, y0, x1, y1) in enumerate((boxes / STRIDE).tolist()):
            cells = index[0] == i
            made = torch.stack([x + 0.5 - x0, y + 0.5 - y0, x1 - x - 0.5, y1 - y - 0.5])
            grown = made * (1.5 if i == wrong else 1.0)
            sides[0][:, cells] = grown[:, cells].clamp(min=1e-3).log()
        return float(
            detection_loss(torch.zeros(1, 1, 32, 32), sides, heat, index, boxes, ignore)[1]
        )

    assert loss(wrong=-1) == pytest.approx(0.0, abs=1e-4)
    assert loss(wrong=0) == pytest.approx(loss(wrong=1), rel=0.1)


@settings(deadline=None)
@given(st.integers(0, 10000))
def test_a_window_shows_what_its_boxes_say(seed):
    rng = np.random.default_rng(seed)
    picture = np.full((200, 300, 3), 100, np.uint8)
    x, y = int(rng.integers(0, 240)), int(rng.integers(0, 160))
    picture[y : y + 30, x : x + 50] = (250, 0, 0)
    boxes = np.array([[x, y, x + 50, y + 30]], np.float32)
    crops = CropSettings(size=128, zoom=(0.7, 1.5))
    window, inside, vague = cut(picture, boxes, crops, rng)
    red = window[..., 0].astype(int) - window[..., 1] > 120
    if len(inside):
        ys, xs = np.nonzero(red)
        found = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert inside[0] == pytest.approx(found, abs=1.6)
    elif not len(vague):
        assert red.sum() < 60


def test_spoiling_is_the_same_for_the_same_number_and_noise_is_on_every_channel():
    grey = np.full((80, 80, 3), 128, np.uint8)
    noisy = Augmentation(
        sensor=0, gaussian=1, gaussian_sigma=(0.1, 0.1), blur=0, motion=0, iso=0, rescale=0,
        multiplicative=0, jpeg=0,
    )  # fmt: skip
    a, b = (spoil(grey, noisy, np.random.default_rng(3)) for _ in range(2))
    assert (a == b).all()
    assert min(a[..., c].std() for c in range(3)) > 10


@pytest.mark.parametrize("seed", range(6))
def test_every_chain_gives_a_picture_of_the_same_shape(seed):
    picture = np.random.default_rng(0).integers(0, 255, (50, 64, 3)).astype(np.uint8)
    spoilt = spoil(picture, Augmentation(clahe=0.5), np.random.default_rng(seed))
    assert spoilt.shape == picture.shape and spoilt.dtype == np.uint8


def test_crops_are_saved_and_read_again(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    made = [
        crop_bank.cut(picture, np.array([20, 30, 60, 50], np.float32), "red drone"),
        crop_bank.cut(np.dstack([picture] * 2)[..., :4], np.array([0, 0, 9, 9.0]), "blue drone"),
    ]
    crop_bank.save(tmp_path / "a.npz", made)
    for back, crop in zip(crop_bank.load(tmp_path), made, strict=True):
        assert (back.pixels == crop.pixels).all() and back.caption == crop.caption
        assert back.box == pytest.approx(crop.box)


def test_a_layer_covers_its_background_only_where_it_is():
    layer = np.zeros((20, 20, 4), np.uint8)
    layer[5:15, 5:15] = (200, 10, 10, 255)
    ground = np.full((backgrounds.SIDE,) * 2 + (3,), 90, np.uint8)
    laid = backgrounds.lay_on(layer, ground, np.random.default_rng(0))
    assert (laid[7, 7] == (200, 10, 10)).all() and (laid[0, 0] == 90).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_pasted_craft_get_boxes_that_do_not_overlap_and_belong_to_the_mask(channels):
    layer = np.zeros((30, 30, 4), np.uint8)
    layer[5:25, 5:25] = (200, 10, 10, 255)
    crop = crop_bank.Crop(layer, np.array([5, 5, 25, 25], np.float32), "red drone")
    window = np.zeros((128, 128, channels), np.uint8)
    none = np.zeros((0, 4), np.float32)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        drawn, boxes = paste(window, none, [crop], CropSettings(paste_most=4), rng)
        for x0, y0, x1, y1 in boxes.round().astype(int):
            middle = drawn[(y0 + y1) // 2, (x0 + x1) // 2]
            assert middle[0] > 150
            assert channels == 3 or middle[3] == 255
        if channels == 4:
            assert (np.abs(drawn[..., 3] / 255 - drawn[..., 0] / 200) < 0.02).all()


@given(
    st.lists(
        st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(8, 60), st.floats(8, 60)),
        min_size=1,
        max_size=1,
    )
)
def test_perfect_maps_decode_to_the_box_they_were_made_from(rows):
    boxes = torch.tensor([[x, y, min(127.0, x + w), min(127.0, y + h)] for x, y, w, h in rows])
    heat, index = targets(boxes, torch.zeros(1, dtype=torch.int64), 1, 32, 32)
    ys, xs = np.mgrid[0:32, 0:32]
    cx, cy = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    x0, y0, x1, y1 = boxes[0].tolist()
    sides = np.stack([cx - x0, cy - y0, x1 - cx, y1 - cy])[None].astype(np.float32)
    found = decode_centres(heat[None].numpy(), sides, STRIDE, 0.999, 10)[0]
    assert found.xyxy[0] == pytest.approx([x0, y0, x1, y1], abs=0.01)
    assert (index >= 0).any()


def test_giou_of_the_same_box_is_one_and_of_far_ones_negative():
    a = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    b = torch.tensor([[0.0, 0, 10, 10], [90, 90, 100, 100]])
    values = giou(a, b)
    assert values[0] == pytest.approx(1.0) and values[1] < -0.9


def test_the_detector_keeps_the_shape_it_promises():
    small = DetectorShape(channels=(4, 4, 4, 4, 4), blocks=(1, 1, 1, 1), head=8)
    heat, sides, cover = Detector(small)(torch.rand(2, 3, 64, 96))
    assert heat.shape == (2, 1, 16, 24) and sides.shape == (2, 4, 16, 24)
    assert cover.shape == (2, 1, 16, 24)


def test_what_is_not_known_to_be_craft_asks_nothing_of_the_cover():
    wanted = torch.full((1, 4, 4), -1.0)
    assert float(cover_loss(torch.randn(1, 1, 4, 4), wanted)) == 0.0
    wanted[0, 1, 1], wanted[0, 2, 2] = 1.0, 0.0
    right = torch.zeros(1, 1, 4, 4)
    right[0, 0, 1, 1], right[0, 0, 2, 2] = 30.0, -30.0
    assert float(cover_loss(right, wanted)) == pytest.approx(0.0, abs=1e-5)
    assert float(cover_loss(-right, wanted)) > 10


@settings(deadline=None)
@given(st.integers(0, 10000))
def test_a_mask_goes_where_its_picture_goes(seed):
    rng = np.random.default_rng(seed)
    picture = np.full((200, 300, 4), 100, np.uint8)
    picture[..., 3] = 0
    x, y = int(rng.integers(0, 240)), int(rng.integers(0, 160))
    picture[y : y + 30, x : x + 50] = (250, 0, 0, 255)
    boxes = np.array([[x, y, x + 50, y + 30]], np.float32)
    window, _, _ = cut(picture, boxes, CropSettings(size=128, zoom=(0.7, 1.5)), rng)
    red = (window[..., 0].astype(float) - window[..., 1]) / 250
    assert np.abs(window[..., 3] / 255 - red).max() < 0.02


def test_a_crop_s_cover_is_turned_like_its_picture():
    picture = np.full((90, 120, 3), 60, np.uint8)
    picture[30:50, 20:60] = 240
    cover = np.where(picture[..., 0] > 100, 255, 0).astype(np.uint8)
    crop = crop_bank.cut(picture, np.array([20, 30, 60, 50], np.float32), "red drone", cover)
    quiet = Augmentation(
        sensor=0, brightness=0, contrast=0, gamma=(1, 1), tint=0, gaussian=0, blur=0, motion=0,
        iso=0, rescale=0, multiplicative=0, jpeg=0,
    )  # fmt: skip
    for seed in range(8):
        rng = np.random.default_rng(seed)
        staged = stage(crop, Jitter(rotation=20.0, perspective=0.5), quiet, [], rng)
        assert staged.pixels.shape[2] == 3 and staged.cover is not None
        bright = staged.pixels[..., 0] > 150
        assert ((staged.cover > 127) != bright).mean() < 0.02
        assert bright.mean() > 0.05


def test_painted_crops_are_the_same_for_the_same_number():
    pytest.importorskip("embreex")
    from turret_ai.learn.vision import craft_crops

    (first, *_), (second, *_) = (craft_crops.painted_row(3, 5, "train") for _ in range(2))
    assert (first.pixels == second.pixels).all() and first.caption == second.caption
    x0, y0, x1, y1 = first.box.astype(int)
    assert first.pixels[y0:y1, x0:x1, 3].mean() > 20
