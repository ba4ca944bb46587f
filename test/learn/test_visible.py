# SPDX-License-Identifier: Apache-2.0
"""What the sensor hides is found, taken out of the picture and out of its labels."""

import numpy as np
import pytest

from turret_ai.errors import InputError
from turret_ai.learn import image_files, images
from turret_ai.learn.images import Settings
from turret_ai.learn.visible import erase, visible_share
from turret_ai.simulate import sensor
from turret_ai.simulate.render import Drawn
from turret_ai.types import Box

BARE = np.full((80, 120, 3), 200, np.uint8)


def craft(brightness: int, left: int = 40, width: int = 40) -> tuple[np.ndarray, Drawn]:
    """A picture with a bar of `width` x 20 px of one brightness, and what was drawn."""
    image = BARE.copy()
    image[30:50, left : left + width] = brightness
    cover = np.ones((20, width), np.float32)
    return image, Drawn(Box(left, 30, width, 20), left, 30, cover)


def test_a_clear_craft_is_seen_whole():
    image, drawn = craft(90)
    assert visible_share(image, BARE, BARE, drawn, drawn.box) == pytest.approx(1.0)


def test_a_craft_of_its_background_s_brightness_is_not_seen():
    image, drawn = craft(203)
    assert visible_share(image, BARE, BARE, drawn, drawn.box) == 0.0


def test_only_the_part_that_differs_is_seen():
    image, drawn = craft(90)
    image[:, 60:] = 200
    assert visible_share(image, BARE, BARE, drawn, drawn.box) == pytest.approx(0.5, abs=0.1)


def test_noise_hides_what_could_be_seen_without_it():
    image, drawn = craft(180)
    noise = np.random.default_rng(0).normal(0, 60, BARE.shape)
    noisy = np.clip(BARE + noise, 0, 255).astype(np.uint8)
    assert visible_share(image, BARE, BARE, drawn, drawn.box) == pytest.approx(1.0)
    assert visible_share(image, BARE, noisy, drawn, drawn.box) < 0.2


def test_a_craft_at_the_frame_s_edge_is_measured_inside_it():
    image = BARE.copy()
    image[:10, :15] = 40
    drawn = Drawn(Box(-10, -5, 25, 15), 0, 0, np.ones((10, 15), np.float32))
    assert visible_share(image, BARE, BARE, drawn, Box(0, 0, 15, 10)) == pytest.approx(1.0)


def test_erasing_shows_the_background_again_and_spares_other_craft():
    image, hidden = craft(203)
    _, other = craft(20, left=70)
    image[30:50, 70:110] = 20
    erase(image, BARE, hidden, [other])
    assert (image[30:50, 40:60] == 200).all()
    assert (image[30:50, 70:110] == 20).all()


@pytest.mark.parametrize("level", sensor.LEVELS)
def test_two_pictures_from_one_generator_state_get_the_same_noise(level):
    grey = np.full((60, 80, 3), 120, np.uint8)
    marked = grey.copy()
    marked[20:30, 20:30] = 60
    for seed in range(6):
        first, second = (
            sensor.degrade(picture, np.random.default_rng(seed), level).astype(int)
            for picture in (grey, marked)
        )
        assert (first[45:, 50:] == second[45:, 50:]).all()


def test_labels_masks_and_pictures_agree():
    settings = Settings(panorama_width=1024, panorama_reuse=50)
    for index in range(4):
        made = images.encode(index, 0, "train", settings)
        numbers = set(np.unique(made.mask).tolist()) - {0}
        assert numbers <= set(range(1, len(made.labels) + 1))
        for number, (_, _, _, box) in enumerate(made.labels, 1):
            ys, xs = np.nonzero(made.mask == number)
            if len(ys):
                assert box.left - 2 <= xs.min() and xs.max() <= box.left + box.width + 2
                assert box.top - 2 <= ys.min() and ys.max() <= box.top + box.height + 2
        assert len(numbers) >= len(made.labels) - 1


def test_a_mask_that_is_none_or_of_another_size_is_named(tmp_path):
    settings = Settings(panorama_width=1024, panorama_reuse=50)
    image_files.write(tmp_path, 1, 0, 0, "train", settings, workers=1)
    picture, mask = tmp_path / "images" / "image_0.jpg", tmp_path / "masks" / "image_0.png"
    assert image_files.mask_beside(picture, 870, 1520).shape == (870, 1520)
    with pytest.raises(InputError, match="640x480"):
        image_files.mask_beside(picture, 480, 640)
    mask.write_bytes(mask.read_bytes()[:40])
    with pytest.raises(InputError, match=mask.name):
        image_files.mask_beside(picture, 870, 1520)
    mask.unlink()
    assert image_files.mask_beside(picture, 870, 1520) is None


def test_the_noisier_the_fewer_craft_are_left():
    def count(levels: tuple[float, float, float]) -> int:
        settings = Settings(
            panorama_width=1024, panorama_reuse=50, levels=levels, wide_share=0.6, largest_px=30
        )
        return sum(len(images.encode(k, 3, "train", settings).labels) for k in range(8))

    clean, strong = count((1, 0, 0)), count((0, 0, 1))
    assert 0 < strong < clean
