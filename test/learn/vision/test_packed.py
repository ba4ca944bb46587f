# SPDX-License-Identifier: Apache-2.0
"""Shards and backgrounds in one small file, and a training that reads it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from turret_ai.cli import synth
from turret_ai.errors import InputError
from turret_ai.learn.vision import crop_bank, lite_data, packed
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.see import images

SOURCES = ("painted", "textured")


def layer(number: int, split: str, source: str, size: int = 100) -> Crop:
    rng = np.random.default_rng(number)
    cover = np.zeros((size, size), np.uint8)
    centre = (size // 2 + int(rng.integers(-3, 4)), size // 2)
    cv2.ellipse(cover, centre, (size // 4, size // 9), 15 * number, 0, 360, 255, -1)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.5)
    coarse = rng.integers(40, 220, (4, 4, 3), np.uint8)
    colours = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    pixels = np.dstack([colours * (cover[..., None] / 255.0), cover]).astype(np.uint8)
    x, y, w, h = cv2.boundingRect((cover >= 64).astype(np.uint8))
    kind = ("drone", "missile")[number % 2]
    box = np.float32([x, y, x + w, y + h])
    return Crop(pixels, box, f"red {kind}", None, Origin(kind, source, f"a{number}", "", split))


def place(number: int) -> Crop:
    rng = np.random.default_rng(number)
    pixels = cv2.resize(rng.integers(0, 256, (5, 5, 3), np.uint8), (60, 60))
    return crop_bank.cut(pixels, np.float32([10, 20, 50, 40]), "")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    for split, count in (("train", 24), ("val", 8)):
        for source in SOURCES:
            crops = [layer(i, split, source) for i in range(count)]
            crop_bank.save(folder / f"{source}_{split}_0.npz", crops)
    crop_bank.save(folder / "negative_train_0.npz", [place(i) for i in range(5)])
    (folder / "negative_val_0.partial.npz").write_bytes(b"half written")
    (tmp_path / "grounds").mkdir()
    rng = np.random.default_rng(1)
    ground = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (400, 300))
    images.save(tmp_path / "grounds" / "a.png", ground)
    return folder


def packing(shards: Path, out: Path, *words: str) -> str:
    arguments = ["pack", str(out), str(shards), "--backgrounds", str(shards.parent / "grounds")]
    done = CliRunner().invoke(synth.app, [*arguments, *words], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_a_pack_holds_what_the_shards_held(shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack.npz"
    said = packing(shards, out, "--megabytes", "1")
    assert "69 crops and 1 backgrounds" in said and "quality 95" in said
    found = packed.read(out)
    assert found.backgrounds[0].shape == (192, 256, 3)
    by_name = {(c.origin.airframe, c.origin.split, c.origin.source): c for c in found.crops}
    for number, split, source in ((0, "train", "painted"), (7, "val", "textured")):
        before = layer(number, split, source)
        after = by_name[f"a{number}", split, source]
        assert (after.caption, after.origin) == (before.caption, before.origin)
        size = before.box[2:] - before.box[:2]
        assert after.box[2:] - after.box[:2] == pytest.approx(size)
        assert after.pixels.shape[0] == after.pixels.shape[1] < before.pixels.shape[0]
        # The same pixels round the boxes' corners.
        (x, y), (left, top) = after.box[:2].astype(int), before.box[:2].astype(int)
        w, h = size.astype(int)
        error = (
            after.pixels[y : y + h, x : x + w].astype(float)
            - before.pixels[top : top + h, left : left + w]
        )
        assert np.abs(error).mean() < 4
        assert np.abs(error[..., 3]).max() < 110  # outlines are made up of one bit a pixel
    (empty, *_) = [c for c in found.crops if not c.caption]
    assert empty.pixels.shape[2] == 3 and empty.origin.split == "train"
    assert np.abs(empty.pixels.astype(float) - place(0).pixels).mean() < 60


def test_large_craft_are_reduced_and_few_are_kept_evenly(shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack.npz"
    words = ("--longest", "24", "--num-crops", "20", "--held", "4", "--negatives", "2")
    packing(shards, out, *words)
    crops = packed.read(out).crops
    train = [c for c in crops if c.origin.split == "train" and c.caption]
    groups = [(c.origin.type_name, c.origin.source) for c in train]
    assert len(train) == 20 and all(groups.count(g) == 5 for g in groups)
    assert sum(c.origin.split == "val" for c in crops) == 4
    assert max(float((c.box[2:] - c.box[:2]).max()) for c in train) <= 25


def test_too_little_room_lowers_the_quality_and_then_is_an_error(
    shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pack.npz"
    packing(shards, out, "--megabytes", "1")
    size = out.stat().st_size / 2**20
    said = packing(shards, out, "--megabytes", f"{0.8 * size:.5f}") if 0.8 * size > 0.1 else ""
    assert not said or ("quality 95" not in said and out.stat().st_size < 0.8 * size * 2**20)
    pieces, _ = packed.chosen([shards], 48, 16, 5, 96, 0)
    small = tmp_path / "small.npz"
    with pytest.raises(InputError, match="don't fit"):
        packed.write(small, pieces, [], 0.004)
    assert not small.exists()
    with pytest.raises(InputError, match="no crops"):
        packed.write(small, [], [], 1)


def test_what_is_no_pack_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 broken")
    np.savez(tmp_path / "y.npz", magic=np.array("something else"))
    crop_bank.save(tmp_path / "z.npz", [layer(0, "train", "painted")])
    for name in ("x.npz", "y.npz", "z.npz", "missing.npz"):
        with pytest.raises(InputError, match=name):
            packed.read(tmp_path / name)
    with pytest.raises(InputError, match="no shards"):
        packed.chosen([tmp_path / "none"], 1, 1, 1, 96, 0)
    with pytest.raises(InputError, match=r"ends with \.npz"):
        packing(tmp_path, tmp_path / "out.zip")


def test_a_training_reads_crops_and_backgrounds_of_a_pack(shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack.npz"
    packing(shards, out)
    craft = lite_data.Craft([out], {}, ["drone", "missile"], ["red"], "train")
    assert len(craft.crops) == 48 and len(craft.empty) == 5
    held = lite_data.Craft([out], {}, ["drone", "missile"], ["red"], "val")
    assert len(held.crops) == 16
    grounds = lite_data.grounds([out], 10, 0)
    assert len(grounds) == 61 and grounds[0].shape == (192, 256, 3)
