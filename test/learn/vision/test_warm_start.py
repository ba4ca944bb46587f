# SPDX-License-Identifier: Apache-2.0
"""Training that goes on from an exported model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from turret_ai import share
from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.learn import warm_start
from turret_ai.learn.vision import blend, efficientnet_lite, export
from turret_ai.learn.vision.detector_model import Detector, DetectorShape, Exported
from turret_ai.learn.vision.matcher_model import ImageEncoder, MatcherShape, TextEncoder

SHAPE = {"channels": (4, 8, 8, 8, 8), "blocks": (1, 1, 1, 1), "head": 8, "refine": 0}


def _used(model: nn.Module) -> nn.Module:
    """A network whose normalisations are no identities."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    torch.manual_seed(3)
    model = _used(Detector(DetectorShape(**SHAPE)))
    file = tmp_path_factory.mktemp("detector") / "model.onnx"
    names = ["peaks", "sides"]
    export.to_onnx(Exported(model), [torch.rand(1, 3, 64, 64)], file, ["image"], names, {})
    return model, file


def _same_maps(trained: nn.Module, other: nn.Module, image: torch.Tensor, within: float) -> None:
    """Both find the same centres and sides; the map of craft is for training and isn't exported."""
    for before, after in zip(trained(image)[:2], other(image)[:2], strict=True):
        assert torch.allclose(before, after, atol=within)


@pytest.mark.parametrize(
    ("node", "path"),
    [
        ("/stem/stem.0/Conv", "stem.0"),
        ("/net/stages.0/stages.0.1/first/first.0/Conv", "stages.0.1.first.0"),
        ("/net/heat/Conv", "heat"),
    ],
)
def test_exported_nodes_are_traced_to_their_modules(node, path):
    assert warm_start.module_path(node, "net") == path


def test_a_restored_detector_computes_what_the_exported_one_does(detector):
    trained, file = detector
    again = Detector(DetectorShape(**SHAPE)).eval()
    folded = warm_start.restore(again, file, "detector")
    image = torch.rand(2, 3, 64, 96)
    _same_maps(trained, again, image, 1e-4)
    assert len(folded) == sum(isinstance(m, nn.BatchNorm2d) for m in again.modules())


def test_a_detector_on_an_imagenet_backbone_comes_back_and_blends(tmp_path):
    shape = DetectorShape(lite=True, channels=(4, 8, 8, 16, 8), head=8)
    one, other = (_used(Detector(shape)) for _ in range(2))
    file, names = tmp_path / "model.onnx", ["peaks", "sides"]
    export.to_onnx(Exported(one), [torch.rand(1, 3, 64, 64)], file, ["image"], names, {})
    again = Detector(shape).eval()
    warm_start.restore(again, file, "detector", norms=efficientnet_lite.NORMS)
    image = torch.rand(2, 3, 64, 96)
    scale = one(image)[0].abs().max().item()
    _same_maps(one, again, image, 1e-3 * max(1.0, scale))
    for part, same in ((0.0, one), (1.0, other)):
        blended = blend.between(one, other, part, Detector(shape))
        _same_maps(same, blended, image, 1e-3 * max(1.0, scale))


def test_settled_normalisations_change_nothing_and_know_their_batch(detector):
    trained, file = detector
    again = Detector(DetectorShape(**SHAPE))
    folded = warm_start.restore(again, file, "detector")
    image = torch.rand(4, 3, 64, 64)
    warm_start.settle(again, folded, lambda: again(image))
    assert again.training
    # The batch's own statistics are those that were taken, so training starts at the same answers.
    for mode in (again.train(), again.eval()):
        _same_maps(trained, mode, image, 2e-2)
    assert not torch.allclose(folded[0].running_var, torch.ones_like(folded[0].running_var))


def test_blocks_that_the_file_lacks_start_as_identities(detector):
    trained, file = detector
    deeper = Detector(DetectorShape(**{**SHAPE, "refine": 2})).eval()
    warm_start.restore(deeper, file, "detector")
    image = torch.rand(1, 3, 64, 64)
    _same_maps(trained, deeper, image, 1e-4)


@pytest.mark.parametrize("source", ["export", "checkpoint"])
def test_channels_that_the_file_lacks_are_not_heard_at_first_and_then_learn(detector, source):
    trained, file = detector
    wider = Detector(DetectorShape(channels=(8, 12, 24, 16, 40), blocks=(1, 2, 1, 1), head=16))
    if source == "export":
        warm_start.restore(wider, file, "detector", widen=True)
    else:
        warm_start.transplant(wider, trained.state_dict(), Path("best.pt"), widen=True)
    image = torch.rand(2, 3, 64, 64)
    _same_maps(trained, wider.eval(), image, 1e-4)
    sum(y.square().mean() for y in wider.train()(image)).backward()
    new = wider.heat.weight.grad[:, SHAPE["head"] :]
    assert new.abs().max() > 0


def test_a_checkpoint_of_a_larger_or_another_network_is_refused(detector):
    trained, _ = detector
    narrower = Detector(DetectorShape(**{**SHAPE, "channels": (4, 8, 8, 8, 4)}))
    for other in (narrower, nn.Sequential(nn.Linear(2, 2))):
        with pytest.raises(ModelError, match=r"best\.pt is of a"):
            warm_start.transplant(other, trained.state_dict(), Path("best.pt"), widen=True)
    with pytest.raises(ModelError, match="another size"):
        wider = Detector(DetectorShape(**{**SHAPE, "head": 16}))
        warm_start.transplant(wider, trained.state_dict(), Path("best.pt"))


def test_both_encoders_of_a_matcher_come_back(tmp_path):
    torch.manual_seed(4)
    shape = MatcherShape(image_size=32, channels=(8, 8, 8, 8), width=16, layers=1, embedding=16)
    ids = torch.zeros(2, shape.tokens, dtype=torch.int64)
    ids[:, :4] = torch.tensor([5, 9, 300, 12])
    for network, example in ((ImageEncoder, torch.rand(2, 3, 32, 32)), (TextEncoder, ids)):
        trained, file = _used(network(shape)), tmp_path / "model.onnx"
        export.to_onnx(trained, [example], file, ["x"], ["y"], {})
        again = network(shape).eval()
        warm_start.restore(again, file)
        assert torch.allclose(trained(example), again(example), atol=1e-4)


def test_rounded_weights_are_multiplied_by_their_scales(tmp_path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    whole = np.array([[[[4]]], [[[-6]]]], np.int8)
    constants = [
        numpy_helper.from_array(whole, "w"),
        numpy_helper.from_array(np.array([0.5, 0.25], np.float32), "scale"),
        numpy_helper.from_array(np.zeros(2, np.int8), "zero"),
    ]
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["real"], axis=0),
        helper.make_node("Conv", ["x", "real"], ["y"], name="/0/Conv"),
    ]
    sides = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["b", c, "h", "w"])
        for n, c in (("x", 1), ("y", 2))
    ]
    graph = helper.make_graph(nodes, "rounded", sides[:1], sides[1:], constants)
    onnx.save(helper.make_model(graph), str(tmp_path / "model.onnx"))
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False))
    assert warm_start.restore(model, tmp_path / "model.onnx") == []
    assert model[0].weight.flatten().tolist() == [2.0, -1.5]


def test_other_models_and_broken_files_are_refused(tmp_path, detector):
    _, file = detector
    with pytest.raises(ModelError, match="another size"):
        larger = {**SHAPE, "head": 16}
        warm_start.restore(Detector(DetectorShape(**larger)), file, "detector")
    with pytest.raises(ModelError, match="no layer"):
        warm_start.restore(nn.Sequential(nn.Linear(2, 2)), file, "detector")
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not an ONNX"):
        warm_start.restore(Detector(), tmp_path / "model.onnx")


def test_a_rounded_detector_comes_back_as_it_computes():
    """The shipped one: its convolutions are int8, with a scale for each channel."""
    model = Detector(DetectorShape(blocks=(1, 3, 3, 3), refine=2))
    folded = warm_start.restore(model, share.resolve("detector_small", "models") / "model.onnx",
                                "detector")  # fmt: skip
    assert len(folded) == sum(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    session = Session(share.resolve("detector_small", "models") / "model.onnx",
                      ExecutionSettings(provider="cpu", threads=1))  # fmt: skip
    image = np.full((1, 3, 96, 160), 0.6, np.float32)
    image[:, :, 40:52, 60:110] = 0.2
    image[:, :, 30:40, 80:86] = 0.2
    peaks, sides = session(image)
    with torch.no_grad():
        heat, logs = Exported(model).eval()(torch.from_numpy(image))
    best = np.unravel_index(peaks[0, 0].argmax(), peaks[0, 0].shape)
    there = np.unravel_index(int(heat[0, 0].argmax()), heat[0, 0].shape)
    assert np.abs(np.subtract(best, there)).max() <= 1
    assert np.log(sides[(0, slice(None), *best)]) == pytest.approx(
        logs[(0, slice(None), *best)].log().numpy(), abs=0.3
    )


def test_a_blend_goes_from_the_one_detector_to_the_other(detector):
    torch.manual_seed(8)
    one, shape = detector[0], DetectorShape(**SHAPE)
    other = _used(Detector(shape))
    image = torch.rand(1, 3, 64, 64)
    for part, same in ((0.0, one), (1.0, other)):
        _same_maps(same, blend.between(one, other, part, Detector(shape)), image, 1e-4)
    half = blend.between(one, other, 0.5, Detector(shape))(image)[0]
    assert not torch.allclose(half, one(image)[0], atol=1e-3)
    shape = DetectorShape(blocks=(1, 3, 3, 3), refine=2)
    shipped = Detector(shape).eval()
    warm_start.restore(
        shipped, share.resolve("detector_small", "models") / "model.onnx", "detector"
    )
    _same_maps(shipped, blend.with_exported(shipped, shape, "detector_small", 0.4), image, 1e-3)
    with pytest.raises(ModelError):
        blend.with_exported(shipped, shape, "matcher_small", 0.5)
