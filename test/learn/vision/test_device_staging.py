# SPDX-License-Identifier: Apache-2.0
"""Batches that are staged on a device look like crops that are staged one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from turret_ai.errors import ConfigError
from turret_ai.learn.vision import staging
from turret_ai.learn.vision.augment import Augmentation
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.learn.vision.device_staging import NOTHING, DeviceStaging, Stock
from turret_ai.learn.vision.relight import Relight
from turret_ai.learn.vision.spoiling import jpeg
from turret_ai.learn.vision.staging import Moves, Scale, Staging
from turret_ai.see import images
from turret_ai.see.cropping import CropShape, crop_boxes

SHAPE = CropShape(context=0.15, fit="square")
SIZE, EACH = 48, 100
CPU = torch.device("cpu")
QUIET = Augmentation(
    sensor=0, brightness=0, contrast=0, gamma=(1, 1), tint=0, blur=0, motion=0, rescale=0,
    gaussian=0, iso=0, multiplicative=0, jpeg=0,
)  # fmt: skip
STILL = Moves(flip=0, rotation=0, stretch=0, box_shift=0, box_stretch=0)
DARK = Relight(tint=0, exposure=0, overexposed=0, shade=0, contrast=0, haze=0, soften=0)
LIT = Relight(shade=1, haze=1, soften=1, overexposed=0.3)
TURNED = Moves(rotation=30, steep=0.5, stretch=0.2)
SMALL = Scale(median=34, spread=0.3, largest=56)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Many small operations: threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def noisy(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    coarse = rng.integers(0, 256, (6, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def crops() -> list[Crop]:
    rng = np.random.default_rng(3)
    found = []
    for number in range(12):
        side = int(rng.integers(60, 150))
        cover = np.zeros((side, side), np.uint8)
        length = int(side * rng.uniform(0.2, 0.28))
        middle, axes = (side // 2, side // 2), (length, length // 3)
        cv2.ellipse(cover, middle, axes, 10 * number, 0, 360, 255, -1)
        cover = cv2.GaussianBlur(cover, (0, 0), 0.6)
        colours = noisy(side, side, rng)
        layer = np.dstack([colours * (cover[..., None] / 255.0), cover]).astype(np.uint8)
        x, y, w, h = cv2.boundingRect((cover >= 64).astype(np.uint8))
        box = np.float32([x, y, x + w, y + h])
        found.append(Crop(layer, box, "red drone", None, Origin("drone", "painted")))
    return found


@pytest.fixture(scope="module")
def grounds() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [noisy(192, int(rng.integers(192, 260)), rng) for _ in range(6)]


def one_by_one(crops, grounds, settings, numbers, seed=0):
    rng = np.random.default_rng(seed)
    pictures, covers = [], []
    for n in numbers:
        made = (
            staging.nothing(grounds, settings, rng)
            if n == NOTHING
            else staging.stage(crops[n], settings, grounds, rng)
        )
        pictures.append(crop_boxes(made.pixels, made.box[None], SIZE, SHAPE)[0])
        cover = np.repeat(made.cover[..., None], 3, axis=2)
        covers.append(crop_boxes(cover, made.box[None], SIZE // 4, SHAPE)[0, ..., 0] / 255)
    return np.stack(pictures).astype(np.float32), np.stack(covers)


def on_device(crops, grounds, settings, numbers, seed=0):
    stage = DeviceStaging(crops, grounds, settings, SHAPE, SIZE, CPU)
    generator = torch.Generator().manual_seed(seed)
    seen, covers = [], []
    for start in range(0, len(numbers), 40):
        found = stage(torch.tensor(numbers[start : start + 40]), generator)
        seen.append(found[0].permute(0, 2, 3, 1).numpy() * 255)
        covers.append(found[1].numpy())
    return np.concatenate(seen), np.concatenate(covers)


def features(pictures: np.ndarray, covers: np.ndarray) -> dict[str, np.ndarray]:
    """What tells a picture by its light, contrast, colours, sharpness, grain, and its craft."""
    across = np.diff(pictures, axis=2)
    return {
        "light": pictures.mean((1, 2, 3)),
        "contrast": pictures.std((1, 2, 3)),
        "colour": (pictures[..., 0] - pictures[..., 2]).mean((1, 2)),
        "edges": np.abs(across).mean((1, 2, 3)),
        "grain": np.abs(np.diff(across, axis=2)).mean((1, 2, 3)),
        "coarse grain": np.abs(pictures[:, :, 4:] - pictures[:, :, :-4]).mean((1, 2, 3)),
        "cover": covers.mean((1, 2)),
        "extent": (covers > 0.5).any(1).mean(1),
        "height": (covers > 0.5).any(2).mean(1),
    }


def compare(crops, grounds, settings, numbers):
    here = features(*one_by_one(crops, grounds, settings, numbers))
    there = features(*on_device(crops, grounds, settings, numbers))
    apart = {name: ks_2samp(here[name], there[name]).statistic for name in here}
    # Two samples of 100 of one distribution differ by more than .275 once in a thousand times.
    assert max(apart.values()) < 0.275, apart


def test_crops_without_chance_are_the_same_pixel_by_pixel(crops):
    flat = [np.full((192, 192, 3), 90, np.uint8)]
    scale = Scale(spread=0, median=60, enlarge=5)
    settings = Staging(scale=scale, moves=STILL, light=DARK, noise=QUIET)
    numbers = list(range(len(crops)))
    here, masks = one_by_one(crops, flat, settings, numbers)
    there, covers = on_device(crops, flat, settings, numbers)
    assert np.abs(here - there).mean() < 1.2 and np.abs(masks - covers).mean() < 0.02


@pytest.mark.parametrize(
    "noise",
    [
        {"sensor": 1.0},
        {"brightness": 0.3, "contrast": 0.4, "gamma": (0.6, 1.6), "tint": 0.2},
        {"blur": 1.0, "blur_sigma": (0.4, 2.0)},
        {"motion": 1.0},
        {"rescale": 1.0},
        {"gaussian": 1.0},
        {"iso": 1.0},
        {"multiplicative": 1.0, "multiplicative_range": (0.5, 1.5)},
        {"jpeg": 1.0, "jpeg_quality": (10, 60)},
    ],
    ids=lambda noise: next(iter(noise)),
)
def test_each_kind_of_noise_is_alike(crops, grounds, noise):
    settings = Staging(scale=SMALL, light=DARK, noise=QUIET.model_copy(update=noise))
    numbers = [i % len(crops) for i in range(EACH)]
    compare(crops, grounds, settings, numbers)


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("moves", Staging(scale=SMALL, moves=TURNED, noise=QUIET, light=DARK)),
        ("sizes", Staging(scale=Scale(median=24, spread=0.6, largest=80), noise=QUIET, light=DARK)),
        ("light", Staging(scale=SMALL, light=LIT, noise=QUIET)),
        ("edges", Staging(scale=SMALL, moves=Moves(cut=1), noise=QUIET, light=DARK)),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_moves_sizes_and_light_are_alike(crops, grounds, part, settings):
    compare(crops, grounds, settings, [i % len(crops) for i in range(EACH)])


def test_places_without_craft_are_alike(grounds, crops):
    settings = Staging(scale=SMALL, noise=QUIET)
    compare(crops, grounds, settings, [NOTHING] * EACH)
    _, covers = on_device(crops, grounds, settings, [NOTHING] * 8)
    assert not covers.any()


def test_pictures_keep_their_own_background_and_their_cover_is_unknown_or_nothing(grounds):
    rng = np.random.default_rng(5)
    box = np.float32([20, 30, 70, 60])
    photo = [
        Crop(noisy(90, 90, rng), box, caption, None, Origin(kind))
        for caption, kind in (("red drone", "drone"), ("", ""))
    ]
    settings = Staging(moves=STILL, light=Relight(shade=1), noise=QUIET)
    here, covers = on_device(photo, [np.zeros((192, 192, 3), np.uint8)], settings, [0, 1])
    assert (covers[0] == -1).all() and (covers[1] == 0).all()
    rng = np.random.default_rng(0)
    scaled = staging.stage(photo[0], settings, grounds, rng)
    there = crop_boxes(scaled.pixels, scaled.box[None], SIZE, SHAPE)[0]
    assert np.abs(here[0] - there).mean() < 6  # drawn at another size


def test_jpeg_is_that_of_the_coder():
    rng = np.random.default_rng(6)
    pictures = np.stack([noisy(64, 64, rng) for _ in range(6)])
    quality = [8, 25, 49, 50, 75, 95]
    tensor = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    ours = jpeg(tensor, torch.tensor(quality)).permute(0, 2, 3, 1).numpy()
    for picture, q, mine in zip(pictures, quality, ours, strict=True):
        theirs = images.decode(images.encode(picture, ".jpg", q)).astype(np.float32)
        loss = np.abs(theirs - picture).mean()
        assert np.abs(mine - theirs).mean() < 0.15 * loss + 0.5, q


def test_the_same_seed_gives_the_same_batch_and_samples_stay_within_their_picture(crops, grounds):
    first, second = (on_device(crops, grounds, Staging(), [0, 1, NOTHING], 7) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    stock = Stock.of([np.full((4, 4, 3), 10, np.uint8), np.full((5, 3, 3), 200, np.uint8)], CPU)
    far = torch.linspace(-20, 20, 30).expand(2, 30, 30)
    found = stock.sample(torch.tensor([0, 1]), far, far, torch.tensor([False, True]))
    assert torch.allclose(found[0], torch.tensor(10.0), atol=1e-3)
    assert found[1, :, 0, 0].max() == 0 and found[1].max() == pytest.approx(200, abs=1e-2)


def test_local_equalisation_is_refused(crops, grounds):
    with pytest.raises(ConfigError, match="staging_on=cpu"):
        on_device(crops, grounds, Staging(noise=Augmentation(clahe=0.5, sensor=0)), [0])
