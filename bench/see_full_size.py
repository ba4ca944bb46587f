# SPDX-License-Identifier: Apache-2.0
"""Full-size public networks (random weights) through the same code: SigLIP and Real-ESRGAN"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.common import Row, Skip, race

TIMEOUT_S = 600


def run(quick: bool) -> list[Row]:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    from turret_ai.execution import cpu_threads

    torch.set_num_threads(cpu_threads(0))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = _upscaler(root / "esrgan", quick)
        name = "base-patch16-224" if quick else "large-patch16-384"
        return rows + _siglip(root / "siglip", name, quick)


def _upscaler(folder: Path, quick: bool) -> list[Row]:
    import numpy as np
    import torch

    from bench import _full_size
    from turret_ai.execution import ExecutionSettings
    from turret_ai.see.settings import UpscalerSettings
    from turret_ai.see.upscaler import Upscaler

    network = _full_size.upscaler(folder)
    ours = Upscaler(UpscalerSettings(model=str(folder)), ExecutionSettings())
    crop = np.random.default_rng(0).integers(0, 255, (44, 44, 3)).astype(np.uint8)
    tensor = torch.rand(1, 3, 64, 64)

    def eager() -> object:
        with torch.inference_mode():
            return network(tensor)

    mine, theirs = race(lambda: ours([crop]), eager, runs=4 if quick else 15)
    return [
        Row("Real-ESRGAN x4v3 of a 44x44 crop, padded to 64x64", mine.milliseconds, "ms",
            "eager PyTorch", theirs.milliseconds, note=mine.note)
    ]  # fmt: skip


def _siglip(folder: Path, name: str, quick: bool) -> list[Row]:
    import numpy as np
    import torch

    from bench import _full_size
    from turret_ai.execution import ExecutionSettings
    from turret_ai.see.encoders import DualEncoder

    side = _full_size.SIGLIP[name][4]
    model = _full_size.siglip(folder, name)
    encoder = DualEncoder(str(folder / "onnx"), ExecutionSettings(), 1)
    crops = np.random.default_rng(0).integers(0, 255, (1, side, side, 3)).astype(np.uint8)
    tensor, ids = torch.rand(1, 3, side, side), torch.ones(1, 64, dtype=torch.int64)

    def eager_image() -> object:
        with torch.inference_mode():
            return model.vision_model(pixel_values=tensor)

    def eager_text() -> object:
        with torch.inference_mode():
            return model.text_model(input_ids=ids)

    runs = 3 if quick else 5
    image, theirs_image = race(
        lambda: encoder.encode_images(crops), eager_image, runs=runs, warm_up=1
    )
    text, theirs_text = race(
        lambda: encoder.encode_texts(["blue jet"]), eager_text, runs=runs, warm_up=1
    )
    return [
        Row(f"SigLIP {name}, one crop", image.milliseconds, "ms", "eager PyTorch",
            theirs_image.milliseconds, note=image.note),
        Row(f"SigLIP {name}, one caption", text.milliseconds, "ms", "eager PyTorch",
            theirs_text.milliseconds, note=text.note),
    ]  # fmt: skip
