# SPDX-License-Identifier: Apache-2.0
"""locate, classify, ensemble and evaluate vlm as a user calls them."""

from __future__ import annotations

import json

import pytest
import tiny_models
from PIL import Image

from turret_ai.cli import app as cli
from turret_ai.see import images
from turret_ai.see.orientation import Orientation
from turret_ai.types import Box

SPOTS = {"red": (40, 30), "green": (120, 64)}


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "scene.png"
    images.save(path, tiny_models.scene(224, 128, SPOTS))
    return path


@pytest.fixture
def sets(tiny):
    values = [
        f"detection.models=[{tiny['detector']}]",
        "detection.nms_iou=0.3",
        f"matching.models=[{tiny['matcher']}]",
        "matching.not_found_below=0.5",
        "execution.provider=cpu",
    ]
    return [word for value in values for word in ("--set", value)]


def _lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_locate_prints_one_object_a_caption(picture, sets, tmp_path, capsys):
    saved, scores = tmp_path / "out.png", tmp_path / "scores.jsonl"
    captions = ["--caption", "red drone", "--caption", "blue jet"]
    more = ["--save", str(saved), "--save-scores", str(scores)]
    assert cli.main(["locate", str(picture), *captions, *more, *sets]) == 0
    red, blue = _lines(capsys.readouterr().out)
    left, top, width, height = red["bbox"]
    assert (left + width / 2, top + height / 2) == pytest.approx(SPOTS["red"], abs=3)
    assert red["status"] == "FOUND" and len(red["candidates"]) == 2
    assert blue["bbox"] is None and blue["status"] == "NOT_FOUND" and blue["reason"]
    assert images.load(saved).shape == (128, 224, 3)
    assert cli.main(["ensemble", str(scores), str(scores), "--weights", "1,2"]) == 0
    assert [row["caption"] for row in _lines(capsys.readouterr().out)] == ["red drone", "blue jet"]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_held_askew_is_turned_and_the_box_is_in_its_stored_pixels(
    orientation, sets, tmp_path, capsys
):
    turn = Orientation.of(orientation)
    path, saved = tmp_path / "scene.png", tmp_path / "saved.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = turn.stored(tiny_models.scene(224, 128, SPOTS))
    Image.fromarray(stored).save(path, exif=exif)
    words = ["locate", str(path), "--caption", "red drone", "--save", str(saved)]
    assert cli.main([*words, *sets]) == 0
    (found,) = _lines(capsys.readouterr().out)
    spot = turn.stored_box(Box(*SPOTS["red"], 0, 0), 224, 128)
    left, top, width, height = found["bbox"]
    assert (left + width / 2, top + height / 2) == pytest.approx((spot.left, spot.top), abs=3)
    assert images.load(saved).shape == (128, 224, 3)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["--set", "detection.confidance=1"], "detection.confidance"),
        (["--set", "detection.confidence=7"], "detection.confidence"),
        (["--set", "nonsense"], "key=value"),
        (["--set", "detection.models=[nowhere]"], "nowhere"),
        (["--templates", "missing.yaml"], "missing.yaml"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(picture, wrong, named, capsys):
    assert cli.main(["locate", str(picture), "--caption", "red", *wrong]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and named in told and "Traceback" not in told


def test_a_picture_that_is_none_is_one_line(tmp_path, sets, capsys):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8 no picture")
    assert cli.main(["locate", str(tmp_path / "a.jpg"), "--caption", "red", *sets]) == 2
    assert "a.jpg" in capsys.readouterr().err


def test_classify_goes_on_after_a_bad_picture(tmp_path, sets, capsys):
    for name in ("red", "blue"):
        images.save(tmp_path / f"{name}.png", tiny_models.scene(40, 40, {name: (20, 20)}, 30))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    words = ["classify", str(tmp_path), "--classes", "red, green, blue", "--drop", "0.3"]
    assert cli.main([*words, *sets]) == 0
    out, err = capsys.readouterr()
    assert {row["image"]: row["class"] for row in _lines(out)} == {
        "red.png": "red",
        "blue.png": "blue",
    }
    assert "bad.png" in err


def test_classify_needs_pictures_and_classes(tmp_path, sets, capsys):
    assert cli.main(["classify", str(tmp_path), "--classes", "a,b", *sets]) == 2
    assert "no pictures" in capsys.readouterr().err


def test_evaluate_vlm_gives_every_figure(tmp_path, picture, sets, capsys):
    boxes = {name: [x - 8, y - 8, 16, 16] for name, (x, y) in SPOTS.items()}
    annotations = [{"caption": f"{n} drone", "bbox": b} for n, b in boxes.items()]
    manifest = tmp_path / "data.jsonl"
    manifest.write_text(json.dumps({"image": picture.name, "annotations": annotations}))
    assert cli.main(["evaluate", "vlm", str(manifest), "--details", *sets]) == 0
    figures = _lines(capsys.readouterr().out)[0]
    assert figures["vlm"] == figures["detector_recall"] == figures["matcher_top1"] == 1.0
    assert figures["detector_map50"] == pytest.approx(1.0)
    assert figures["captions"] == 2 and figures["by_type"]["drone"]["captions"] == 2
