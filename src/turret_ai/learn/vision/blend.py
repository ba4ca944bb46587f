# SPDX-License-Identifier: Apache-2.0
"""The weights between a network and the one that it was tuned from.

A network that is tuned for new pictures forgets some of the old ones; the mean of both weights
keeps most of either (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
Where the start is an exported detector, normalisations are folded into their convolutions first:
their statistics are no weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from turret_ai.learn import warm_start
from turret_ai.learn.vision.detector_model import Detector, DetectorShape
from turret_ai.learn.vision.efficientnet_lite import NORMS
from turret_ai.see.description import DetectorDescription, read


def mean(one: Mapping[str, Tensor], other: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) of one checkpoint's weights and `share` of the other's, which went on from it;
    statistics of normalisations likewise, counts as the other has them."""
    return {
        name: torch.lerp(one[name], value, share) if value.is_floating_point() else value
        for name, value in other.items()
    }


def with_exported(tuned: Detector, shape: DetectorShape, name: str, share: float) -> Detector:
    """The mean of a detector and an exported one of its shape, for use, not for training.

    Args:
        name: of the exported one, or its folder. share: of the tuned one's weights, 0 to 1.

    Raises:
        ModelError: no such detector, or one of another size.
    """
    folder, about = read(name, DetectorDescription)
    start = Detector(shape)
    warm_start.restore(start, folder / about.file, "detector", norms=NORMS)
    return between(start, tuned, share, Detector(shape))


def between(one: Detector, other: Detector, share: float, into: Detector) -> Detector:
    """Put (1 - share) of one's weights and `share` of the other's into a third, for use."""
    weights = [_folded(one), _folded(other)]
    modules = dict(into.named_modules())
    with torch.no_grad():
        for path in weights[0]:
            pairs = zip(weights[0][path], weights[1][path], strict=True)
            weight, bias = ((1 - share) * a + share * b for a, b in pairs)
            convolution = modules[path]
            assert isinstance(convolution, nn.Conv2d)
            convolution.weight.copy_(weight)
            if convolution.bias is not None:
                convolution.bias.copy_(bias)
                continue
            norm = modules[warm_start.after(path, NORMS)]
            assert isinstance(norm, nn.BatchNorm2d)
            norm.weight.fill_(1.0)
            norm.bias.copy_(bias)
            norm.running_mean.zero_()  # type: ignore[union-attr]
            norm.running_var.fill_(1.0 - norm.eps)  # type: ignore[union-attr]
    into.eval()
    return into


def _folded(model: Detector) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution by its path, with the normalisation after it."""
    modules = dict(model.named_modules())
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for path, module in modules.items():
        if not isinstance(module, nn.Conv2d):
            continue
        if module.bias is not None:
            found[path] = (module.weight, module.bias)
            continue
        norm = modules[warm_start.after(path, NORMS)]
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_var is not None and norm.running_mean is not None
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight = module.weight * gain[:, None, None, None]
        found[path] = (weight, norm.bias - norm.running_mean * gain)
    return found
