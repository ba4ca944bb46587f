# SPDX-License-Identifier: Apache-2.0
"""Packs of crops: textured, painted and photographed craft, kept within one split, resumable."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from craft_material import RED, box, paint, photograph, sky

from turret_ai.cli.app import main
from turret_ai.errors import InputError
from turret_ai.learn import backdrop
from turret_ai.learn.images import Settings
from turret_ai.learn.vision import (
    craft_crops,
    crop_bank,
    packs,
    photo_crops,
    photo_cutouts,
    photo_segments,
    windows,
)
from turret_ai.see.boxes import Boxes

WHITE = (240, 240, 240)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """Models of two airframes, one for each split, and a broken one."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("A320/Models/A320.ac", "757/Models/757-200.ac"):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(box())
        paint(path.parent.parent / "Textures" / "Red" / "skin.png", RED, RED)
    (folder / "A321-x.ac").write_text(box(x="nan"))
    paint(folder / "skin.png", RED, RED)
    return folder


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(packs, "SHARD", 20)


def test_textured_crops_show_the_split_s_airframes_with_their_colours(models, tmp_path):
    for split, airframe in (("train", "airbus a320"), ("val", "boeing 757")):
        made, problems = packs.write("textured", tmp_path, 20, 3, split, models)
        crops = crop_bank.load(made[0])
        assert len(crops) >= 20
        assert {c.origin.airframe for c in crops} == {airframe}
        assert {c.origin.split for c in crops} == {split}
        assert {c.caption for c in crops} == {"red commercial aircraft"}
        if split == "train":
            assert any("A321-x.ac" in p for p in problems)


def test_the_cover_of_a_crop_fits_its_box(models, tmp_path):
    made, _ = packs.write("textured", tmp_path, 20, 4, "train", models)
    for crop in crop_bank.load(made[0]):
        ys, xs = np.nonzero(crop.pixels[..., 3] > 61)
        found = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert np.abs(crop.box - found).max() <= 1
        assert (crop.pixels[..., :3] <= crop.pixels[..., 3:].astype(int) + 1).all()  # premultiplied


def test_a_shard_that_is_there_is_kept(tmp_path):
    made, _ = packs.write("painted", tmp_path, 20, 5, "train", Path())
    before = made[0].stat().st_mtime_ns
    again, _ = packs.write("painted", tmp_path, 20, 5, "train", Path())
    assert again == made
    assert made[0].stat().st_mtime_ns == before
    crops = crop_bank.load(made[0])
    assert {c.origin.source for c in crops} == {"painted"}
    assert all(c.caption.endswith(c.origin.type_name) for c in crops)


def test_a_craft_is_cut_from_a_plain_sky(tmp_path):
    cutout = photo_cutouts.cut(photograph())
    assert isinstance(cutout, photo_cutouts.Cutout)
    assert cutout.cover[112, 60] == 1.0
    assert cutout.cover[:20].max() == 0.0
    true = (np.abs(photograph().astype(int) - RED).max(axis=2) < 8).sum()
    assert cutout.cover.sum() == pytest.approx(true, rel=0.08)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.random.default_rng(1).integers(0, 255, (224, 224, 3)).astype(np.uint8), "no plain sky"),
        (sky(), "nothing"),
        (sky(40, 40), "small"),
        (photograph()[108:], "cut by the frame"),
    ],
)
def test_photographs_that_cannot_be_cut_well_are_turned_down(picture, reason):
    assert photo_cutouts.cut(picture) == reason


def _before_a_landscape(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A painted craft, 150 px long, before drawn ground; where it is."""
    crops = craft_crops.painted_row(number, 5, "train")
    crop = max(crops, key=lambda c: len(c.pixels))
    scale = 150 / float(np.ptp(crop.box.reshape(2, 2), axis=0).max())
    side = round(len(crop.pixels) * scale)
    layer = cv2.resize(crop.pixels, (side, side), interpolation=cv2.INTER_CUBIC).astype(float)
    rng = np.random.default_rng(number)
    ground, *_ = backdrop.background(3, 4711, "train", Settings(), rng)
    y, x = (int(rng.integers(n - side)) for n in ground.shape[:2])
    cover = np.clip(layer[..., 3:] / 255, 0, 1)
    laid = layer[..., :3] + ground[y : y + side, x : x + side] * (1 - cover)
    return np.clip(laid, 0, 255).astype(np.uint8), cover[..., 0] > 0.5


def test_craft_are_cut_from_any_background_with_the_help_of_our_models():
    guide = photo_segments.Segmenter("detector_photos", "matcher_lite")
    overlaps = []
    for number in range(12):
        picture, true = _before_a_landscape(number)
        assert isinstance(photo_cutouts.cut(picture), str)  # no plain sky is behind them
        found = guide.cut(picture)
        if isinstance(found, photo_cutouts.Cutout):
            cut = found.cover > 0.5
            overlaps.append((cut & true).sum() / (cut | true).sum())
    assert len(overlaps) >= 6
    assert np.mean(overlaps) > 0.8
    noise = np.random.default_rng(1).integers(0, 255, (224, 224, 3)).astype(np.uint8)
    assert isinstance(guide.cut(noise), str)
    assert isinstance(guide.cut(sky()), str)
    assert guide.cut(sky(40, 40)) == "small"


def test_a_craft_that_fills_the_photograph_is_turned_down(monkeypatch):
    guide = photo_segments.Segmenter("detector_photos", "matcher_lite")
    whole = Boxes.of([[0, 0, 224, 224]])
    monkeypatch.setattr(guide, "_detect", lambda _: whole)
    monkeypatch.setattr(
        guide,
        "_likely",
        lambda *_: np.linspace(0.55, 1, 224 * 224, dtype=np.float32).reshape(224, 224),
    )
    assert guide.cut(photograph()) == "too small or too large"


def test_photographs_by_airframe_become_crops_and_broken_ones_are_named(tmp_path):
    folder = tmp_path / "photos" / "train" / "Airbus A320"
    folder.mkdir(parents=True)
    for k, colour in enumerate([RED, WHITE, (30, 60, 160)]):
        cv2.imwrite(str(folder / f"{k}.jpg"), photograph(colour)[..., ::-1])
    (folder / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "photos" / "Unknown").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "Unknown" / "x.jpg"), photograph())
    made, problems = packs.write("photographs", tmp_path, 1, 0, "train", tmp_path / "photos")
    crops = crop_bank.load(made[0])
    assert {c.origin.airframe for c in crops} == {"Airbus A320"}
    assert {c.origin.type_name for c in crops} == {"commercial aircraft"}
    assert "red commercial aircraft" in {c.caption for c in crops}
    assert len(problems) == 1
    assert "broken.jpg" in problems[0]


def test_photographs_lie_in_folders_by_type_as_well_and_a_film_stays_in_one_split(tmp_path):
    folder = tmp_path / "photos" / "light_aircraft"
    folder.mkdir(parents=True)
    for film in range(12):
        for frame in (1, 20):
            cv2.imwrite(str(folder / f"film{film}x_{frame}.png"), photograph()[..., ::-1])
    found = {}
    for split in ("train", "val"):
        made, problems = packs.write("photographs", tmp_path, 1, 0, split, tmp_path / "photos")
        found[split] = [c for path in made for c in crop_bank.load(path)]
        assert not problems
    films = {split: {c.origin.airframe for c in crops} for split, crops in found.items()}
    assert films["train"] | films["val"] == {f"film{k}x" for k in range(12)}
    assert not films["train"] & films["val"]
    assert {c.origin.type_name for crops in found.values() for c in crops} == {"light aircraft"}
    assert all(c.caption.endswith("light aircraft") for crops in found.values() for c in crops)


def test_numbered_photographs_are_no_film():
    splits = [photo_crops._kind(Path(f"helicopter/image_{k:04d}.jpg")) for k in range(400)]
    assert {name for name, _ in splits} == {"helicopter"}
    assert 0.08 < np.mean([split == "val" for _, split in splits]) < 0.21


@pytest.mark.parametrize("uncut", [True, False])
def test_what_cannot_be_cut_keeps_its_background_if_that_is_asked(uncut, tmp_path, monkeypatch):
    folder = tmp_path / "photos" / "fighter jet"
    folder.mkdir(parents=True)
    for number in range(8):
        cv2.imwrite(str(folder / f"{number}a.png"), _before_a_landscape(number)[0][..., ::-1])
    monkeypatch.setattr(photo_segments.Segmenter, "cut", lambda *_: "no clear outline")
    guides = ("detector_photos", "matcher_lite")
    crops = []
    for split in ("train", "val"):
        made, _ = packs.write(
            "photographs", tmp_path, 1, 0, split, tmp_path / "photos", 1, guides, uncut
        )
        crops += [c for path in made for c in crop_bank.load(path)]
    assert bool(crops) == uncut
    for crop in crops:
        assert crop.pixels.shape[2] == 3
        assert (crop.origin.source, crop.origin.type_name) == ("uncut", "fighter jet")
        assert crop.caption == ""
        assert 80 < np.ptp(crop.box[::2]) < 176


def test_kinds_and_folders_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match="no kind"):
        packs.write("drawn", tmp_path, 1, 0, "train", tmp_path)
    with pytest.raises(InputError, match="not a folder of models"):
        packs.write("textured", tmp_path, 1, 0, "train", tmp_path / "none")
    with pytest.raises(InputError, match="no folders of photographs"):
        packs.write("photographs", tmp_path, 1, 0, "train", tmp_path)


def test_older_shards_without_origins_are_read(tmp_path):
    crop = crop_bank.cut(sky(), np.array([10, 10, 60, 50], np.float32), "red drone")
    crop_bank.save(tmp_path / "a.npz", [crop])
    with np.load(tmp_path / "a.npz") as file:
        np.savez(tmp_path / "old.npz", **{k: file[k] for k in file.files if k != "origins"})
    (back,) = crop_bank.load(tmp_path / "old.npz")
    assert back.caption == "red drone"
    assert back.origin == crop_bank.Origin()


def test_windows_are_cut_from_photos_and_panoramas_and_broken_files_are_named(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "photo.jpg"), sky(800, 1200))
    cv2.imwrite(str(folder / "panorama.png"), sky(512, 1024))
    cv2.imwrite(str(folder / "texture.png"), sky(300, 300))
    (folder / "broken.jpg").write_bytes(b"")
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    assert cv2.imwrite(str(folder / "light.exr"), sky(512, 1024).astype(np.float32) / 100)
    (folder / "broken.exr").write_bytes(b"v/1\x01nothing")
    count, problems = windows.write([folder], tmp_path / "out", 5, 1.0, 0)
    assert count == len(list((tmp_path / "out").glob("*.jpg"))) == 16
    assert len(problems) == 2
    assert {"broken.exr", "broken.jpg"} <= {
        w.strip(":").rsplit("/")[-1] for p in problems for w in p.split()
    }


def test_the_command_names_what_it_left_out(models, tmp_path, capsys):
    arguments = ["synth", "crops", "textured", str(tmp_path), "--material", str(models)]
    assert main([*arguments, "--num-crops", "20", "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert "textured_train_3_000.npz" in said.out
    assert "A321-x.ac" in said.err


def test_photographs_stay_uncut_only_where_our_models_look_for_craft(tmp_path, capsys):
    assert main(["synth", "crops", "photographs", str(tmp_path), "--uncut"]) != 0
    assert "--any-background" in capsys.readouterr().err
