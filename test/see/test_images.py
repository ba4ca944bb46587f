# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from turret_ai.errors import InputError
from turret_ai.see import images
from turret_ai.see.orientation import Orientation
from turret_ai.types import Box


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


def test_jpeg_2000_is_refused_since_opencv_dies_of_damaged_ones():
    file = io.BytesIO()
    Image.fromarray(_red()).save(file, "JPEG2000")
    with pytest.raises(InputError, match="not a picture that can be decoded"):
        images.decode(file.getvalue())


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(InputError):
        images.save(tmp_path / "a.xyz", _red())


def noise(height=90, width=60):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)


def held(picture, orientation, kind="PNG", **options):
    """The bytes of a picture with an EXIF orientation; its pixels are stored as they are."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_orientation_says(kind, orientation):
    data = held(noise(), orientation, kind, **({"lossless": True} if kind == "WEBP" else {}))
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    stored = noise()
    if kind == "JPEG":
        stored = np.asarray(Image.open(io.BytesIO(data)))
    limit = 3 if kind == "JPEG" else 0  # the decoders round differently
    assert np.abs(images.look(data).rgb.astype(int) - upright).max() <= limit
    assert np.abs(images.decode(data).astype(int) - stored).max() <= limit


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 99])
def test_a_box_in_the_turned_picture_is_given_where_it_was_stored(orientation):
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[5:9, 20:50] = 255
    picture = images.look(held(stored, orientation))
    rows, columns = np.nonzero(picture.rgb[..., 0])
    left, top = columns.min(), rows.min()
    box = Box(left, top, columns.max() + 1 - left, rows.max() + 1 - top)
    assert picture.stored_box(box) == Box(20, 5, 30, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_back_gives_the_stored_picture(orientation):
    turn = Orientation.of(orientation)
    np.testing.assert_array_equal(turn.stored(turn.upright(noise())), noise())


def segment_jpeg(progressive=False, thumbnail=False):
    options = {"quality": 80, "progressive": progressive}
    file = io.BytesIO()
    if thumbnail:
        small = io.BytesIO()
        Image.fromarray(noise(16, 16)).save(small, "JPEG")
        options["comment"] = small.getvalue()
    Image.fromarray(noise()).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("thumbnail", [False, True])
@pytest.mark.parametrize(
    "behind", [b"\0" * 500, b"\xff\xda junk", b"\xff\xd8\xff\xe1", b"....ftypmp42" * 50]
)
def test_bytes_behind_a_whole_jpeg_do_no_harm(progressive, thumbnail, behind):
    data = segment_jpeg(progressive, thumbnail)
    np.testing.assert_array_equal(images.decode(data + behind), images.decode(data))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("thumbnail", [False, True])
def test_a_jpeg_that_is_cut_is_named(progressive, thumbnail):
    data = segment_jpeg(progressive, thumbnail)
    for part in np.linspace(0.02, 0.999, 60):
        with pytest.raises(InputError, match="truncated"):
            images.decode(data[: int(len(data) * part)])


def huge_png(side=20_000):
    """A valid PNG of one colour: 50 KB for 400 million pixels."""
    body = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    coded = b"".join(body.compress(row) for _ in range(side)) + body.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = []
    for name, content in ((b"IHDR", head), (b"IDAT", coded), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(name + content))
        parts.append(struct.pack(">I", len(content)) + name + content + check)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [10_001, 20_000])
def test_too_many_pixels_are_refused_by_the_header(side, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="too large"):
        images.decode(huge_png(side))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_pixels_of_a_camera_s_depth_keep_their_light(bits):
    ramp = np.linspace(0, (1 << bits) - 1, 256).astype(np.uint16).reshape(16, 16)
    file = cv2.imencode(".png", ramp)[1].tobytes()
    assert np.abs(images.decode(file)[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1
