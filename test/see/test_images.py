from __future__ import annotations

import cv2
import numpy as np
import pytest

from turret_ai.errors import InputError
from turret_ai.see import images


def _red() -> np.ndarray:
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[..., 0] = 200
    return picture


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp"])
def test_a_saved_picture_comes_back_as_rgb(tmp_path, suffix):
    images.save(tmp_path / f"a{suffix}", _red())
    back = images.load(tmp_path / f"a{suffix}")
    assert back.shape == (20, 30, 3) and back[10, 10, 0] > 180 and back[10, 10, 2] < 30


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_odd_files_are_read_or_refused_by_name(tmp_path, channels, kind):
    if channels == 2:
        with pytest.raises(InputError, match="channels"):
            images.to_rgb(np.zeros((4, 4, 2), kind))
        return
    shape = (6, 7) if channels == 1 else (6, 7, channels)
    cv2.imwrite(str(tmp_path / "a.png"), np.full(shape, np.iinfo(kind).max // 2, kind))
    back = images.load(tmp_path / "a.png")
    assert back.shape == (6, 7, 3) and back.dtype == np.uint8
    assert abs(int(back[0, 0, 0]) - 127) <= 1


def test_a_single_pixel_is_a_picture(tmp_path):
    images.save(tmp_path / "a.png", np.full((1, 1, 3), 9, np.uint8))
    assert images.load(tmp_path / "a.png").tolist() == [[[9, 9, 9]]]


def test_what_is_no_picture_is_named(tmp_path):
    whole = images.encode(np.random.default_rng(0).integers(0, 255, (90, 90, 3)).astype(np.uint8))
    bad = {"cut.jpg": whole[: len(whole) // 2], "text.png": b"hello", "empty.jpg": b""}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            images.load(tmp_path / name)
    with pytest.raises(InputError, match=r"missing\.jpg"):
        images.load(tmp_path / "missing.jpg")


def test_arrays_that_are_no_pictures_are_refused():
    for bad in (np.zeros((0, 5, 3), np.uint8), np.zeros(5), np.zeros((2, 2, 3), np.int64)):
        with pytest.raises(InputError):
            images.to_rgb(bad)
    holes = np.full((3, 3, 3), np.nan, np.float32)
    with pytest.raises(InputError, match="finite"):
        images.to_rgb(holes)


def test_floats_are_scaled_and_bgr_is_turned():
    picture = np.zeros((2, 2, 3), np.float32)
    picture[..., 0] = 1.0
    assert images.to_rgb(picture, bgr=True)[0, 0].tolist() == [0, 0, 255]


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(InputError):
        images.save(tmp_path / "a.xyz", _red())
