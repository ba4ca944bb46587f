# SPDX-License-Identifier: Apache-2.0
"""A whole turn of the vision stage on a graphics card, with full-size networks"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.common import Row, Skip

TIMEOUT_S = 300
CROPS = 10
"""Candidates of the picture, as many as one of the competition's has with a few mistakes."""
CAPTION = "blue jet"


def run(quick: bool) -> list[Row]:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    from bench import _full_size, _gpu

    dry = _gpu.dry_run(quick)
    _gpu.plain_fp32()
    size = _full_size.SMALL_DETECTOR if dry else _full_size.DetectorSize()
    kind = "tiny" if dry else "large-patch16-384"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        detector = _full_size.detector(root / "yolo", size).to(_gpu.device())
        siglip = _full_size.siglip(root / "siglip", kind).to(_gpu.device())
        turn = _turn(root, _full_size.picture(), _gpu.providers()[0])
        runs = 3 if quick else 30
        ours = _gpu.timed(turn, runs)
        image = torch.rand(1, 3, size.height, size.width)
        side = _full_size.SIGLIP[kind][4]
        crops = torch.rand(CROPS, 3, side, side)
        eager = _eager(detector, siglip, image, crops, torch.float32)
        plain = _gpu.timed(eager, runs)
        detect = _gpu.work(detector, lambda: detector(image.to(_gpu.device())))
        vision = siglip.vision_model
        match = _gpu.work(vision, lambda: vision(pixel_values=crops.to(_gpu.device())))
        bound = detect.seconds + match.seconds
        what = f"{_gpu.providers()[0]}, {CROPS} crops, {_gpu.name()}; {ours.note}"
        rows = [
            Row("the turn: picture and caption to box", ours.milliseconds, "ms",
                "eager PyTorch fp32, networks only", plain.milliseconds, note=what),
            Row("the turn: times its roofline", ours.median / bound, "x", note=(
                f"roofline {bound * 1e3:.3g} ms: {detect.flops / 1e9:.0f} and "
                f"{match.flops / 1e9:.0f} GFLOP at {_gpu.limits().flops / 1e12:.3g} TFLOP/s and "
                f"{_gpu.limits().bandwidth / 1e9:.0f} GB/s, both measured")),
        ]  # fmt: skip
        rows.append(_compiled(detector, siglip, image, crops, runs, ours.milliseconds))
    return rows


def _turn(root: Path, picture: Any, provider: str) -> Callable[[], object]:
    """The locator with these networks; a picture is not remembered."""
    from turret_ai.execution import ExecutionSettings
    from turret_ai.see import locator
    from turret_ai.see.settings import DetectionSettings, MatchingSettings, SeeSettings

    see = locator.load(
        SeeSettings(
            detection=DetectionSettings(
                models=[str(root / "yolo")], confidence=1e-6, limit=CROPS, flip=False
            ),
            matching=MatchingSettings(
                models=[str(root / "siglip" / "onnx")], flip=False, cached_images=0
            ),
            execution=ExecutionSettings(provider=provider, engine_cache=str(root / "engines")),
        )
    )
    see.warm_up()
    see.prepare(CAPTION)
    return lambda: see.locate(picture, CAPTION)


def _eager(detector: Any, siglip: Any, image: Any, crops: Any, kind: Any) -> Callable[[], object]:
    """The two networks one after the other in PyTorch, with the way to the card and back."""
    import torch

    from bench import _gpu

    where = _gpu.device()

    def call() -> object:
        with torch.inference_mode():
            boxes = detector(image.to(where, kind)).float().cpu()
            vectors = siglip.vision_model(pixel_values=crops.to(where, kind)).pooler_output
            return boxes, vectors.float().cpu()

    return call


def _compiled(detector: Any, siglip: Any, image: Any, crops: Any, runs: int, ours: float) -> Row:
    """Our turn beside torch.compile in bf16."""
    import torch

    from bench import _gpu

    base = "torch.compile bf16, networks only"
    if not torch.cuda.is_available():
        return Row("the turn beside torch.compile", ours, "ms", base, None, note="dry run")
    try:
        detector, siglip = detector.bfloat16(), siglip.bfloat16()
        fast = torch.compile(detector)
        siglip.vision_model = torch.compile(siglip.vision_model)
        found = _gpu.timed(_eager(fast, siglip, image, crops, torch.bfloat16), runs, 40.0)
    except Exception as error:  # no compiler, an unsupported card: the other rows stand
        return Row("the turn beside torch.compile", ours, "ms", base, None, note=str(error)[:200])
    return Row("the turn beside torch.compile", ours, "ms", base, found.milliseconds)
