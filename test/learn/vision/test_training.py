# SPDX-License-Identifier: Apache-2.0
"""Each training command, a few steps of it, on pictures of a few shapes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from turret_ai.cli import app as cli
from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.learn import config as configs
from turret_ai.learn import loop
from turret_ai.learn import schedule as schedules
from turret_ai.learn.vision import crop_bank, efficientnet_lite, export
from turret_ai.learn.vision.matcher_config import AnyConfig, SmallConfig
from turret_ai.learn.vision.train_detector import DetectorConfig
from turret_ai.see import images
from turret_ai.see.locator import load
from turret_ai.see.settings import DetectionSettings, MatchingSettings, SeeSettings

COLOURS = {"red": (210, 30, 30), "blue": (30, 60, 200), "white": (240, 240, 240)}


def shapes(folder: Path, count: int, seed: int) -> Path:
    """Pictures with coloured bars (missiles) and squares (drones), and their manifest."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    lines = []
    for i in range(count):
        picture = rng.integers(90, 130, (160, 224, 3)).astype(np.uint8)
        annotations = []
        for k in range(2):
            name = str(rng.choice(list(COLOURS)))
            kind, (w, h) = (("missile", (44, 12)), ("drone", (26, 26)))[int(rng.integers(2))]
            x, y = int(rng.integers(4, 224 - w)), int(rng.integers(k * 80 + 4, k * 80 + 76 - h))
            picture[y : y + h, x : x + w] = COLOURS[name]
            annotations.append({"caption": f"{name} {kind}", "bbox": [x, y, w, h]})
        images.save(folder / "images" / f"{i}.png", picture)
        lines.append(json.dumps({"image": f"{i}.png", "annotations": annotations}))
    manifest = folder / "data.jsonl"
    manifest.write_text("\n".join(lines))
    return manifest


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("shapes")
    return shapes(root / "train", 8, 0), shapes(root / "val", 3, 1)


SCHEDULE = [
    "schedule.precision=fp32",  # accelerate keeps the first precision of a process
    "schedule.steps=4",
    "schedule.lr=1e-3",
    "schedule.validate_every=2",
    "schedule.save_every=2",
    "schedule.logger=none",
]
SMALL_DETECTOR = [
    "batch=2", "crops.size=64", "model.channels=[4,8,8,8,8]", "model.blocks=[1,1,1,1]",
    "model.head=8", "layers=[]", "init=''", "drawn.count=0",
]  # fmt: skip
SMALL_MATCHER = [
    "batch=8", "model.image_size=32", "model.channels=[8,8,8,8]", "model.width=16",
    "model.blocks=[1,1,1,1]", "model.layers=1", "model.embedding=16", "init=''",
    "drawn.count=0", "mistakes.detector=''", "backgrounds=[]", "validation_backgrounds=[]",
    "made_up_windows=2",
]  # fmt: skip


def _train(kind: str, name: str, data: tuple[Path, Path], out: Path, more: list[str]) -> int:
    paths = [f"train=[{data[0]}]", f"validation=[{data[1]}]", f"out={out}"]
    return cli.main(["train", kind, name, *paths, *SCHEDULE, *more])


def _weights(path: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["model"]
    return weights


@pytest.mark.parametrize(
    ("kind", "small"), [("detector", SMALL_DETECTOR), ("matcher", SMALL_MATCHER)]
)
def test_a_resumed_run_gives_the_model_of_an_uninterrupted_one(tmp_path, data, kind, small):
    name = f"{kind}_small"
    assert _train(kind, name, data, tmp_path / "whole", small) == 0
    # The cut run has the same schedule and is stopped, as by Ctrl-C, after two steps.
    stopped = _stop_after(2)
    with stopped:
        assert _train(kind, name, data, tmp_path / "cut", small) != 0
    assert torch.load(tmp_path / "cut" / "last.pt", weights_only=True)["step"] == 2
    assert _train(kind, name, data, tmp_path / "cut", [*small, "resume=true"]) == 0
    whole, cut = (_weights(tmp_path / n / "last.pt") for n in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    for key, value in whole.items():
        assert torch.equal(value, cut[key]), key


@pytest.mark.parametrize(
    ("kind", "small"), [("detector", SMALL_DETECTOR), ("matcher", SMALL_MATCHER)]
)
def test_a_training_ends_with_the_export_or_tells_that_the_time_is_too_short(
    tmp_path, data, kind, small, capsys
):
    more = [*small, "schedule.steps=1", "--export", str(tmp_path / "model")]
    assert _train(kind, f"{kind}_small", data, tmp_path / "run", more) == 0
    assert (tmp_path / "model" / "model.yaml").is_file()
    more = [*small, "--budget", "0.001", "--kept", "0.5"]
    assert _train(kind, f"{kind}_small", data, tmp_path / "short", more) == 2
    assert "0.001 minutes are too few: after 1 steps" in capsys.readouterr().err


class _stop_after:
    """Makes the loop feel Ctrl-C once so many steps are done."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.sent = False

    def __enter__(self) -> None:
        self.original = loop.learning_rate

        def rate(step: int, schedule: schedules.Schedule) -> float:
            if step == self.steps - 1 and not self.sent:  # asked for each group of parameters
                self.sent = True
                os.kill(os.getpid(), signal.SIGINT)
            return self.original(step, schedule)

        loop.learning_rate = rate

    def __exit__(self, *_: object) -> None:
        loop.learning_rate = self.original


def test_a_detector_learns_from_composed_windows_beside_pictures_and_alone(tmp_path, data):
    rng = np.random.default_rng(0)
    cover = np.zeros((40, 40), np.uint8)
    cover[15:25, 5:35] = 255
    layer = np.dstack([cover, cover // 2, cover // 3, cover])
    origin = crop_bank.Origin("missile", "painted", "bar", "", "train")
    crop = crop_bank.Crop(layer, np.float32([5, 15, 35, 25]), "red missile", None, origin)
    crop_bank.save(tmp_path / "packs" / "painted_train_0.npz", [crop])
    (tmp_path / "photos").mkdir()
    images.save(tmp_path / "photos" / "a.png", rng.integers(0, 255, (90, 120, 3), np.uint8))
    places = f"folders: [{tmp_path / 'packs'}], backgrounds: [{tmp_path / 'photos'}]"
    for share, more in ((0.5, []), (1.0, ["train=[]"])):
        words = [*SMALL_DETECTOR, f"pasted={{share: {share}, {places}}}", *more]
        assert _train("detector", "detector_small", data, tmp_path / str(share), words) == 0
        figures = (tmp_path / str(share) / "log.jsonl").read_text()
        assert "validation/score" in figures
    words = [*SMALL_DETECTOR, f"pasted={{share: 0.5, folders: [{tmp_path / 'photos'}]}}"]
    assert _train("detector", "detector_small", data, tmp_path / "none", words) == 2


def test_a_detector_learns_on_imagenet_weights_and_is_exported(tmp_path, data):
    torch.manual_seed(0)
    whole = efficientnet_lite.EfficientNetLite()
    for module in whole.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.5
    with torch.no_grad():
        for _ in range(8):  # without statistics its maps are flat, and every cell a local maximum
            whole(torch.randn(4, 3, 64, 64))
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    lite = [*SMALL_DETECTOR, "model.lite=true", f"backbone={tmp_path / 'w.pth'}"]
    slow = [*lite, "schedule.lr=1e-12", "schedule.weight_decay=0"]
    assert _train("detector", "detector_small", data, tmp_path / "run", slow) == 0
    stem = _weights(tmp_path / "run" / "best.pt")["backbone._conv_stem.weight"]
    assert torch.allclose(stem, whole._conv_stem.weight, atol=1e-6)
    assert cli.main(["export", "detector", str(tmp_path / "run/best.pt"), str(tmp_path / "d")]) == 0
    settings = DetectionSettings(models=[str(tmp_path / "d")], confidence=0.001)
    picture = images.load(data[1].parent / "images" / "0.png")
    assert load(SeeSettings(detection=settings)).locate(picture, "red drone").candidates
    other = [word for word in lite if word != "model.lite=true"]
    assert _train("detector", "detector_small", data, tmp_path / "no", other) == 2


def test_trained_models_are_exported_and_locate(tmp_path, data):
    assert _train("detector", "detector_small", data, tmp_path / "d", SMALL_DETECTOR) == 0
    assert _train("matcher", "matcher_small", data, tmp_path / "m", SMALL_MATCHER) == 0
    for kind, run in (("detector", "d"), ("matcher", "m")):
        best, out = str(tmp_path / run / "best.pt"), str(tmp_path / f"{run}_onnx")
        assert cli.main(["export", kind, best, out]) == 0
    settings = SeeSettings(
        detection=DetectionSettings(models=[str(tmp_path / "d_onnx")], confidence=0.001),
        matching=MatchingSettings(models=[str(tmp_path / "m_onnx")], not_found_below=0.0),
    )
    picture = images.load(data[1].parent / "images" / "0.png")
    assert load(settings).locate(picture, "red drone").candidates


@pytest.mark.parametrize(
    ("kind", "small"), [("detector", SMALL_DETECTOR), ("matcher", SMALL_MATCHER)]
)
def test_training_goes_on_from_an_exported_model_or_a_checkpoint(tmp_path, data, kind, small):
    name, first = f"{kind}_small", tmp_path / "first" / "best.pt"
    assert _train(kind, name, data, tmp_path / "first", small) == 0
    assert cli.main(["export", kind, str(first), str(tmp_path / "out")]) == 0
    for number, start in enumerate((first, tmp_path / "out")):
        more = [*small, f"init={start}", "schedule.lr=1e-12", "schedule.weight_decay=0"]
        assert _train(kind, name, data, tmp_path / str(number), more) == 0
        best = _weights(tmp_path / str(number) / "best.pt")
        weight = next(k for k in best if k.endswith("stages.1.0.0.weight"))
        if start.suffix == ".pt":
            assert torch.allclose(best[weight], _weights(first)[weight], atol=1e-6)
        assert not torch.equal(best[weight], torch.zeros_like(best[weight]))
    assert _train(kind, name, data, tmp_path / "x", [*small, "init=nowhere"]) != 0


def test_pictures_are_drawn_for_a_training(tmp_path, data):
    drawn = f"drawn={{folder: {tmp_path / 'drawn'}, count: 2, craft: [2, 3]}}"
    more = [*SMALL_DETECTOR, "train=[]", drawn]
    assert _train("detector", "detector_small", data, tmp_path / "run", more) == 0
    assert len(list((tmp_path / "drawn" / "images").glob("*.jpg"))) == 2
    assert _train("detector", "detector_small", data, tmp_path / "no", [*more[:-1]]) == 2


def test_a_matcher_learns_from_the_mistakes_of_a_detector(tmp_path, data):
    assert _train("detector", "detector_small", data, tmp_path / "d", SMALL_DETECTOR) == 0
    found = tmp_path / "detector"
    assert cli.main(["export", "detector", str(tmp_path / "d" / "best.pt"), str(found)]) == 0
    mistakes = f"mistakes={{detector: {found}, pictures: [{data[0]}], confidence: 0.0001}}"
    assert _train("matcher", "matcher_small", data, tmp_path / "m", [*SMALL_MATCHER, mistakes]) == 0
    crops = crop_bank.load(tmp_path / "m" / "mistakes.npz")
    assert crops and all(c.caption == "" for c in crops)


def test_an_upscaler_learns_and_is_exported(tmp_path, data):
    more = ["side=8", "batch=2", "model.features=4", "model.convolutions=1"]
    assert _train("upscaler", "upscaler_small", data, tmp_path / "u", more) == 0
    assert export.upscaler(tmp_path / "u" / "best.pt", tmp_path / "out") < 1e-3


def test_a_siglip_is_tuned(tmp_path, data, siglip):
    more = [
        f"pretrained={siglip}", "batch=4", "schedule.accumulate=2", "schedule.compile=false",
        "schedule.precision=fp32", "schedule.workers=0",
    ]  # fmt: skip
    assert _train("matcher", "siglip_large_2024", data, tmp_path / "s", more) == 0
    from turret_ai.learn.vision import export_public

    parity = export_public.siglip(str(siglip), tmp_path / "out", tmp_path / "s" / "best.pt")
    assert parity < 1e-3
    matching = MatchingSettings(models=[str(tmp_path / "out")])
    from turret_ai.execution import ExecutionSettings
    from turret_ai.see.matcher import Matcher

    vector = Matcher(matching, ExecutionSettings(provider="cpu")).encode_caption("red drone")[0]
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-4)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SigLIP of random weights with a tokenizer of a few words."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    folder = tmp_path_factory.mktemp("siglip")
    text = "<pad> <unk> this is a photo of red blue white missile drone and camouflage"
    words = text.split()
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    small = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }  # fmt: skip
    config = transformers.SiglipConfig(
        text_config={**small, "vocab_size": len(words), "max_position_embeddings": 16},
        vision_config={**small, "image_size": 32, "patch_size": 16},
    )
    torch.manual_seed(0)
    transformers.SiglipModel(config).save_pretrained(folder)
    return folder


def test_a_key_that_no_configuration_has_is_named():
    with pytest.raises(ConfigError, match=r"schedule\.stepps"):
        configs.load("detector_small", ["schedule.stepps=3"], DetectorConfig)
    with pytest.raises(ConfigError, match="batch"):
        configs.load("matcher_small", ["batch=none"], SmallConfig)
    with pytest.raises(ConfigError, match="key=value"):
        configs.load("matcher_small", ["batch"], SmallConfig)


@pytest.mark.parametrize(
    "name",
    [
        "matcher_small",
        "matcher_lite",
        "siglip_large_2024",
        "detector_small",
        "detector_photos",
        "detector_lite",
        "detector_dfine_2024",
    ],
)
def test_shipped_configurations_are_whole(name):
    model = DetectorConfig if name.startswith("detector") else AnyConfig
    assert configs.load(name, [], model).root.schedule.steps > 0


def test_a_folder_of_a_run_is_not_overwritten(tmp_path, data, capsys):
    assert _train("upscaler", "upscaler_small", data, tmp_path, ["side=8", "batch=1"]) == 0
    assert _train("upscaler", "upscaler_small", data, tmp_path, ["side=8", "batch=1"]) == 2
    assert "resume=true" in capsys.readouterr().err


def test_a_checkpoint_of_another_model_is_refused(tmp_path, data):
    assert _train("upscaler", "upscaler_small", data, tmp_path, ["side=8", "batch=1"]) == 0
    with pytest.raises(ModelError, match="upscaler"):
        export.detector(tmp_path / "best.pt", tmp_path / "out")
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match=r"broken\.pt"):
        export.detector(tmp_path / "broken.pt", tmp_path / "out")
    with pytest.raises(InputError, match=r"nowhere\.pt"):
        export.matcher(tmp_path / "nowhere.pt", tmp_path / "out")


def test_manifests_with_holes_are_named(tmp_path, data):
    from turret_ai.see import manifests

    with pytest.raises(InputError, match="manifest"):
        manifests.read(tmp_path)
    lost = tmp_path / "lost.jsonl"
    lost.write_text('{"image": "gone.jpg", "annotations": []}')
    with pytest.raises(InputError, match=r"gone\.jpg"):
        manifests.read(lost)
    lost.write_text('{"image": "gone.jpg"}')
    with pytest.raises(InputError, match="line 1"):
        manifests.read(lost)
    lost.write_text("")
    with pytest.raises(InputError, match="no images"):
        manifests.read(lost)


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    loop.save(path, {"kind": "x", "step": 1})
    monkeypatch.setattr(torch, "save", _no_space)
    with pytest.raises(InputError, match=r"last\.pt"):
        loop.save(path, {"kind": "x", "step": 2})
    assert loop.load(path, "x")["step"] == 1


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_the_rate_rises_then_falls():
    schedule = schedules.Schedule(steps=100, lr=1.0, warmup=0.1, final_lr=0.01)
    rates = [schedules.learning_rate(s, schedule) for s in range(100)]
    assert max(rates) == pytest.approx(1.0) and rates.index(max(rates)) in (9, 10)
    assert rates[-1] == pytest.approx(0.01, abs=0.01)
    assert rates[10:] == sorted(rates[10:], reverse=True)
