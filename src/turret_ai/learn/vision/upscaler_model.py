# SPDX-License-Identifier: Apache-2.0
"""SRVGGNetCompact, the small network of Real-ESRGAN (Wang et al., 2021): everything at the size of
the input, one pixel shuffle at the end, the enlarged input added."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from turret_ai.errors import ModelError
from turret_ai.learn.config import Section


class UpscalerShape(Section):
    """realesr-general-x4v3 has 64 features, 32 convolutions and factor 4."""

    features: int = Field(24, ge=4)
    convolutions: int = Field(6, ge=1)
    factor: int = Field(4, ge=2, le=8)


class Upscaler(nn.Module):
    """RGB in [0, 1], (B, 3, H, W), to (B, 3, factor H, factor W). Names as in public weights."""

    def __init__(self, shape: UpscalerShape) -> None:
        super().__init__()
        self.factor = shape.factor
        layers: list[nn.Module] = [
            nn.Conv2d(3, shape.features, 3, 1, 1),
            nn.PReLU(shape.features),
        ]
        for _ in range(shape.convolutions):
            layers += [
                nn.Conv2d(shape.features, shape.features, 3, 1, 1),
                nn.PReLU(shape.features),
            ]
        layers.append(nn.Conv2d(shape.features, 3 * shape.factor**2, 3, 1, 1))
        self.body = nn.ModuleList(layers)
        self.shuffle = nn.PixelShuffle(shape.factor)

    def forward(self, image: Tensor) -> Tensor:
        x = image
        for layer in self.body:
            x = layer(x)
        base = F.interpolate(image, scale_factor=float(self.factor), mode="nearest")
        large: Tensor = self.shuffle(x) + base
        return large


def from_state(state: Mapping[str, Tensor], source: str) -> Upscaler:
    """The network that a state dict is of; its size is read from the weights.

    Raises:
        ModelError: weights of another architecture.
    """
    try:
        numbers = sorted({int(k.split(".")[1]) for k in state if k.startswith("body.")})
        features = int(state["body.0.weight"].shape[0])
        factor = round((int(state[f"body.{numbers[-1]}.weight"].shape[0]) / 3) ** 0.5)
        shape = UpscalerShape(
            features=features, convolutions=(len(numbers) - 3) // 2, factor=factor
        )
        model = Upscaler(shape)
        model.load_state_dict(dict(state))
    except (KeyError, IndexError, ValueError, RuntimeError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{source} holds no SRVGGNetCompact weights (realesr-general-x4v3, animevideov3)"
        ) from error
    return model
