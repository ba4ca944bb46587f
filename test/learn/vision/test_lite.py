# SPDX-License-Identifier: Apache-2.0
"""The dual encoder on an ImageNet backbone: how craft are staged, a short training, its export."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.cli import app as cli
from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn import config as configs
from turret_ai.learn import warm_start
from turret_ai.learn.budget import Budget
from turret_ai.learn.vision import (
    captions,
    crop_bank,
    export,
    fit_score,
    hard_negatives,
    lite_data,
    packed,
    probe,
    staging,
    train_matcher,
)
from turret_ai.learn.vision.crop_bank import Crop, Origin
from turret_ai.learn.vision.efficientnet_lite import NORMS, EfficientNetLite, load
from turret_ai.learn.vision.lite_config import LiteConfig
from turret_ai.learn.vision.lite_task import LiteTask
from turret_ai.learn.vision.matcher_config import AnyConfig
from turret_ai.learn.vision.matcher_lite import LiteMatcher, LiteShape
from turret_ai.learn.vision.matcher_model import Matcher, MatcherShape
from turret_ai.learn.vision.relight import Relight, relight
from turret_ai.see import images
from turret_ai.see.description import MatcherDescription, read
from turret_ai.see.encoders import DualEncoder

TYPES = ["drone", "helicopter", "missile"]
TONES = {"red": (220, 30, 30), "blue": (30, 60, 220), "white": (240, 240, 240)}
STILL = staging.Staging(moves=staging.Moves(flip=0, rotation=0, stretch=0))


def _crop(type_name: str, colour: str, seed: int, split: str = "train") -> Crop:
    """A bar, a cross or a disc of one colour with its cover."""
    rng = np.random.default_rng(seed)
    cover = np.zeros((80, 80), np.uint8)
    if type_name == "missile":
        cover[37:43, 15:65] = 255
    elif type_name == "drone":
        cover[20:60, 36:44] = cover[36:44, 20:60] = 255
    else:
        y, x = np.mgrid[:80, :80]
        cover[(x - 40) ** 2 + (y - 40) ** 2 < 400] = 255
    tone = np.clip(np.array(TONES[colour]) * rng.uniform(0.8, 1.0), 0, 255)
    layer = np.dstack([*(cover / 255 * t for t in tone), cover]).astype(np.uint8)
    ys, xs = np.nonzero(cover)
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)
    caption = "" if seed % 7 == 3 else f"{colour} {type_name}"
    return Crop(layer, box, caption, None, Origin(type_name, "painted", type_name, "", split))


@given(st.integers(0, 300), st.sampled_from(TYPES))
@settings(max_examples=40, deadline=None)
def test_the_staged_box_holds_the_craft_at_its_size(seed, type_name):
    rng = np.random.default_rng(seed)
    moves = staging.Moves(box_shift=0, box_stretch=0)
    grounds = [np.full((100, 100, 3), 90, np.uint8)]
    found = staging.stage(_crop(type_name, "red", seed), staging.Staging(moves=moves), grounds, rng)
    assert found.cover is not None and found.cover.shape == found.pixels.shape[:2]
    ys, xs = np.nonzero(found.cover >= staging.SOLID)
    assert found.box == pytest.approx([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    longer = max(found.box[2] - found.box[0], found.box[3] - found.box[1])
    assert found.pixels.shape[0] >= 1.3 * longer


@given(st.integers(0, 300), st.sampled_from(TYPES))
@settings(max_examples=40, deadline=None)
def test_the_edge_of_the_picture_cuts_a_craft_and_its_box(seed, type_name):
    grounds, crop = [np.full((100, 100, 3), 90, np.uint8)], _crop(type_name, "red", seed)
    whole, part = (
        staging.stage(
            crop,
            staging.Staging(moves=staging.Moves(box_shift=0, box_stretch=0, cut=chance)),
            grounds,
            np.random.default_rng(seed),
        )
        for chance in (0, 1)
    )
    assert part.cover is not None and part.cover.shape == part.pixels.shape[:2]
    ys, xs = np.nonzero(part.cover >= staging.SOLID)
    assert part.box == pytest.approx([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    height, width = part.cover.shape
    gaps = [part.box[0], part.box[1], width - part.box[2], height - part.box[3]]
    assert min(gaps) <= 1  # at the edge, but for a soft outline
    area = (part.cover >= staging.SOLID).sum() / (whole.cover >= staging.SOLID).sum()
    assert 0.2 < area < 1


@given(st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_another_light_leaves_the_cover_and_never_outshines_it(seed):
    layer = _crop("drone", "white", seed).pixels
    sky = np.array([120.0, 160.0, 210.0])
    lit = relight(layer, Relight(soften=0), sky, np.random.default_rng(seed))
    assert (lit[..., 3] == layer[..., 3]).all()
    assert (lit[..., :3] <= lit[..., 3:]).all()


def test_weights_of_imagenet_load_by_their_public_names(tmp_path):
    one, other = EfficientNetLite(), EfficientNetLite(frozen=3)
    torch.save(one.state_dict(), tmp_path / "w.pth")
    load(other, tmp_path / "w.pth")
    x = torch.rand(1, 3, 64, 64)
    one.eval(), other.eval()
    with torch.no_grad():
        for a, b in zip(one(x), other(x), strict=True):
            assert torch.equal(a, b)
    assert [tuple(a.shape[1:]) for a in one(x)] == [
        (24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)
    ]  # fmt: skip
    other.train()
    assert not other._bn0.training and other._blocks[5]._bn0.training
    assert not other._conv_stem.weight.requires_grad


@pytest.fixture
def packs(tmp_path):
    for split, count in (("train", 90), ("val", 24)):
        crops = [_crop(TYPES[i % 3], list(TONES)[(i // 3) % 3], i, split) for i in range(count)]
        crop_bank.save(tmp_path / "packs" / f"painted_{split}_000.npz", crops)
    rng = np.random.default_rng(0)
    places = [
        crop_bank.cut(rng.integers(0, 255, (60, 60, 3), np.uint8), np.float32([10, 10, 40, 30]), "")
        for _ in range(6)
    ]
    crop_bank.save(tmp_path / "packs" / "negative_train_000.npz", places)
    (tmp_path / "packs" / "negative_val_000.partial.npz").write_bytes(b"half written")
    (tmp_path / "grounds").mkdir()
    images.save(tmp_path / "grounds" / "a.png", rng.integers(0, 255, (90, 120, 3), np.uint8))
    return tmp_path


def _words(packs):
    return [
        f"packs.folders=[{packs / 'packs'}]",
        f"packs.backgrounds=[{packs / 'grounds'}]",
        "packs.held=16",
        f"out={packs / 'run'}",
        "backbone=''",
        "model.image_size=64",
        "batch=12",
        f"types={TYPES}",
        f"colours={list(TONES)}",
        "schedule.validate_every=2",
        "schedule.save_every=1",
        "schedule.logger=none",
    ]


def _looks(folder: Path, crops: np.ndarray) -> np.ndarray:
    return (
        DualEncoder(str(folder), ExecutionSettings(provider="cpu", threads=1), 8)
        .encode_images(crops)
        .vectors
    )


def test_a_short_training_goes_on_where_it_stopped_and_exports_its_heads(packs):
    words = _words(packs)
    train_matcher.run("matcher_lite", [*words, "schedule.steps=2"])
    best = train_matcher.run("matcher_lite", [*words, "schedule.steps=3", "resume=true"])
    assert best.is_file()
    assert export.matcher(packs / "run" / "last.pt", packs / "model") < 1e-3
    encoder = DualEncoder(str(packs / "model"), ExecutionSettings(provider="cpu", threads=1), 8)
    found = encoder.encode_images(np.zeros((5, 64, 64, 3), np.uint8))
    assert found.types is not None and np.exp(found.types).sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert found.colours is not None and found.colours.shape == (5, 3)
    assert found.craft is not None and found.craft.shape == (5,)
    assert encoder.encode_texts(["an unknown word"]).shape == (1, 128)
    # Another training starts from the exported one, which computes the same.
    file, again = packs / "model" / "image.onnx", LiteMatcher(LiteShape(image_size=64), 3, 3)
    folded = warm_start.restore(again, file, "model", norms=NORMS)
    assert len(folded) == sum(isinstance(m, torch.nn.BatchNorm2d) for m in again.image.modules())
    crops = np.random.default_rng(1).integers(0, 255, (3, 64, 64, 3), np.uint8)
    with torch.no_grad():
        x = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
        vectors = again.eval().answers(x)[0].numpy()
    assert vectors == pytest.approx(encoder.encode_images(crops).vectors, abs=1e-3)
    more = [f"init={packs / 'model'}", f"out={packs / 'more'}", "schedule.steps=1"]
    assert train_matcher.run("matcher_lite", [*words, *more]).is_file()
    # The mean of both, of which one or the other alone may be asked.
    export.matcher(packs / "more" / "last.pt", packs / "after")
    alone = [_looks(packs / name, crops) for name in ("model", "after")]
    for share, wanted in ((0.0, alone[0]), (1.0, alone[1]), (0.5, None)):
        export.matcher(packs / "more" / "last.pt", packs / "mean", packs / "run" / "last.pt", share)
        seen = _looks(packs / "mean", crops)
        if wanted is not None:
            assert seen == pytest.approx(wanted, abs=1e-5)
        else:
            assert all(np.abs(seen - a).max() > 1e-6 for a in alone)
    with pytest.raises(ModelError, match=r"model\.yaml"):
        words += [f"init={packs}", f"out={packs / 'no'}", "schedule.steps=1"]
        train_matcher.run("matcher_lite", words)


def test_bright_skies_take_their_share_of_the_backgrounds():
    plain = lite_data.grounds([], 10, 0)
    with_skies = lite_data.grounds([], 10, 0, skies=0.75)
    assert len(with_skies) == 4 * len(plain)
    skies = with_skies[len(plain) :]
    assert np.mean([np.asarray(s).std(axis=(0, 1)).mean() < 8 for s in skies]) > 0.7
    assert 0.5 < np.mean([np.median(s, axis=(0, 1)).min() > 235 for s in skies]) < 0.8


def test_a_validation_names_the_types_that_it_has(packs):
    """A type without held crops has no figure, and takes none from the next."""
    words = [*_words(packs), "types=[aircraft, drone, helicopter, missile]"]
    task = LiteTask(configs.load("matcher_lite", words, AnyConfig).root)
    found = task.validate(task.model.eval())
    assert {k for k in found if k.startswith("type of ")} == {f"type of {t}" for t in TYPES}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Two drawn pictures."""
    from turret_ai.learn import images as drawn

    folder = tmp_path_factory.mktemp("pictures")
    rows = []
    for index in range(2):
        rgb, labels = drawn.generate(index, seed=5, split="val")
        images.save(folder / f"{index}.jpg", rgb)
        marks = [{"caption": c, "bbox": b.as_list()} for c, _, _, b in labels]
        rows.append(json.dumps({"image": f"{index}.jpg", "annotations": marks}))
    file = folder / "pictures.jsonl"
    file.write_text("\n".join(rows))
    return file


def test_a_training_ends_with_a_fitted_model_and_its_figures(packs, manifest):
    train_matcher.run(
        "matcher_lite",
        [
            *_words(packs),
            "schedule.steps=1",
            f"finish.model={packs / 'model'}",
            f"finish.score_on=[{manifest}]",
            "finish.beside=[matcher_small]",
            f"finish.evaluate=[{{pictures: {manifest}, degrade: [clean, mild]}}]",
        ],
    )
    told = [json.loads(x) for x in (packs / "model" / "figures.jsonl").read_text().splitlines()]
    assert [len(t["models"]) for t in told] == [1, 1, 1, 1, 2, 2]
    assert {t["degrade"] for t in told} == {"clean", "mild"}
    assert all(0 <= t["vlm"] <= 1 and t["captions"] > 3 for t in told)
    about = read(str(packs / "model"), MatcherDescription)[1]
    assert about.score is not None and about.score.cosine >= 0
    again = ["export", "score", str(packs / "model"), str(manifest), "--most", "2"]
    assert cli.main([*again, "--detector", "detector_small"]) == 0
    assert cli.main([*again, "--detector", str(packs)]) == 2
    with pytest.raises(InputError, match="candidates"):
        fit_score.weights([])


@pytest.mark.timeout(300)
def test_under_a_budget_the_clock_ends_training_and_measurement(packs, manifest):
    made = packed.chosen([packs / "packs"], 80, 24, 6, 96, 0)[0]
    packed.write(packs / "pack.npz", made, lite_data.grounds([packs / "grounds"], 5, 0), 5)
    words = [w for w in _words(packs) if "packs.folders" not in w and "backgrounds" not in w]
    words += [f"packs.folders=[{packs / 'pack.npz'}]", f"packs.backgrounds=[{packs / 'pack.npz'}]"]
    words += ["staging_on=device", "packs.held=8", f"finish.score_on=[{manifest}]"]
    words += [f"finish.evaluate=[{{pictures: {manifest}, most: 1}}]", "finish.alone=false"]
    words += ["finish.beside=[matcher_small]"]
    said, figures = [], []
    ticks = itertools.count(0, 1.0)
    budget = Budget(2, kept=0.4, say=said.append, now=lambda: next(ticks))
    train_matcher.run("matcher_lite", words, budget, packs / "model", figures.append)
    assert (packs / "model" / "image.onnx").is_file()
    last = torch.load(packs / "run" / "last.pt", weights_only=True)
    assert 8 < last["step"] < 60 and last["along"] > 0.8
    assert "steps until" in said[0]
    validation, figure = figures
    assert validation.startswith("validation: step ") and "score 0" in validation
    assert "hit rate" in figure and "matcher_small" in figure


def test_crops_are_staged_where_the_model_is(packs):
    config = configs.load("matcher_lite", [*_words(packs), "staging_on=device"], LiteConfig)
    task = LiteTask(config)
    batch = task.batch(3)
    assert "image" not in batch
    made = task.prepare(batch)
    assert made["image"].shape == (12, 3, 64, 64) and made["mask"].shape == (12, 16, 16)
    assert made["image"].min() >= 0 and made["image"].max() <= 1
    there = made["type"] >= 0
    assert made["mask"][there].amax((1, 2)).min() > 0.5 and not made["mask"][~there].any()
    again = task.prepare(task.batch(3))
    assert torch.equal(made["image"], again["image"])
    loss, parts = task.loss(task.model, made)
    assert torch.isfinite(loss) and parts["mask"] > 0
    whole = LiteTask(configs.load("matcher_lite", [*_words(packs)], LiteConfig)).batch(3)
    assert whole["image"].shape == (12, 3, 64, 64)  # on a CPU they are staged one by one


def test_probes_on_a_trained_encoder_become_outputs_of_its_file(packs, tmp_path):
    rng = np.random.default_rng(2)
    crops = np.stack([np.full((64, 64, 3), t, np.uint8) for t in TONES.values()] * 8)
    crops = np.clip(crops + rng.normal(0, 8, crops.shape), 0, 255).astype(np.uint8)
    torch.manual_seed(0)
    model = Matcher(MatcherShape(blocks=(0, 0, 0, 0)), 3, 3).image.eval()
    file = tmp_path / "plain.onnx"
    example = torch.rand(2, 3, 64, 64)
    free = {"image": {0: "batch"}, "embedding": {0: "batch"}}
    export.to_onnx(model, [example], file, ["image"], ["embedding"], free)
    found = probe.features(file, [crops])
    kinds = np.arange(24) % 3
    labels = probe.Labels(
        np.where(kinds == 2, probe.UNKNOWN, kinds),
        np.where((kinds == 2)[:, None], -1, np.eye(3, dtype=np.float32)[kinds][:, :2]),
        (kinds != 2).astype(np.float32),
    )
    made = probe.fit(found, labels, 2)
    probe.attach(file, made, tmp_path / "image.onnx")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "image.onnx"))
    tensor = crops.transpose(0, 3, 1, 2).astype(np.float32) / 255
    outputs = dict(
        zip(
            [o.name for o in session.get_outputs()],
            session.run(None, {"image": tensor}),
            strict=True,
        )
    )
    assert outputs["types"][kinds != 2].argmax(axis=1).tolist() == kinds[kinds != 2].tolist()
    assert ((outputs["craft"][:, 0] > 0) == (kinds != 2)).all()
    with torch.no_grad():
        vectors = model(torch.from_numpy(tensor)).numpy()
    assert outputs["embedding"] == pytest.approx(vectors, abs=1e-4)
    with pytest.raises(ModelError, match="heads"):
        probe.attach(tmp_path / "image.onnx", made, tmp_path / "again.onnx")


def test_places_where_a_detector_is_fooled_are_cut_with_their_origin(tmp_path):
    rng = np.random.default_rng(0)
    picture = np.full((400, 700, 3), 200, np.uint8)
    for _ in range(30):
        x, y = int(rng.integers(20, 640)), int(rng.integers(20, 360))
        picture[y : y + 12, x : x + 40] = rng.integers(0, 120, 3)
    images.save(tmp_path / "a.png", picture)
    (tmp_path / "b.png").write_text("no picture")
    told = []
    found = hard_negatives.find(
        "detector_small", [tmp_path / "a.png", tmp_path / "b.png"], "train", 1,
        views=1, confidence=0.01, report=lambda number, remark: told.append((number, remark)),
    )  # fmt: skip
    assert found and all(c.origin == Origin("", "negative", "a", "", "train") for c in found)
    assert captions.parse(found[0].caption, TYPES, list(TONES)).type_name == ""
    shard = tmp_path / "negative_train_0.npz"
    words = ["synth", "mistakes", str(shard), str(tmp_path), "--confidence", "0.01"]
    assert cli.main(words) == 0 and crop_bank.load(shard)
    assert cli.main(["synth", "mistakes", str(shard), str(tmp_path / "nowhere")]) == 2
    assert told[0] == (1, "") and told[1][0] == 2 and "b.png" in told[1][1]
