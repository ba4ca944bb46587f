# SPDX-License-Identifier: Apache-2.0
"""Networks on a graphics card through ONNX Runtime: providers, precision, batches, engine cache"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.common import FAILED, Row, Skip

TIMEOUT_S = 420
TOLERANCE = {True: 2e-2, False: 2e-3}
"""Largest difference of fp16 and fp32 outputs to the CPU's, as a share of the largest value; more
is said in the note."""


@dataclass(frozen=True, slots=True)
class Case:
    """load: settings to a session. feeds: inputs by batch size. eager: the same on the card."""

    name: str
    load: Callable[[Any], Any]
    feeds: dict[int, Any]
    eager: Callable[[int], object] | None = None
    network: Any = field(default=None)


def run(quick: bool) -> list[Row]:
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    from bench import _gpu

    dry = _gpu.dry_run(quick)
    _gpu.plain_fp32()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in _cases(Path(folder), dry):
            rows += _measure(case, Path(folder) / "engines", quick)
    if told := _gpu.missing():
        rows.append(Row(told, 0.0, "", note=_gpu.name()))
    return rows


def _cases(root: Path, dry: bool) -> Iterator[Case]:
    """Full-size networks first: they matter most if time runs out."""
    import numpy as np
    import torch

    from bench import _full_size, _gpu
    from turret_ai.see.detector import Detector
    from turret_ai.see.encoders import DualEncoder
    from turret_ai.see.settings import SeeSettings, UpscalerSettings
    from turret_ai.see.upscaler import Upscaler

    where, random = _gpu.device(), np.random.default_rng(0)

    def uniform(*shape: int) -> Any:
        return random.random(shape, np.float32)

    def eager(call: Callable[[Any], object], feeds: dict[int, Any]) -> Callable[[int], object]:
        tensors = {n: torch.from_numpy(a).to(where) for n, a in feeds.items()}

        def run_one(size: int) -> object:
            with torch.inference_mode():
                return call(tensors[size])

        return run_one

    size = _full_size.SMALL_DETECTOR if dry else _full_size.DetectorSize()
    network = _full_size.detector(root / "yolo", size).to(where)
    feeds = {1: uniform(1, 3, size.height, size.width)}
    yield Case(
        f"detector like YOLOv6-L, {size.width}x{size.height}",
        lambda e: Detector(str(root / "yolo"), e).session, feeds, eager(network, feeds), network,
    )  # fmt: skip
    kind = "tiny" if dry else "large-patch16-384"
    siglip = _full_size.siglip(root / "siglip", kind).to(where)
    side = _full_size.SIGLIP[kind][4]
    batches = (1, 10, 20)
    feeds = {n: uniform(n, 3, side, side) for n in batches}
    yield Case(
        f"SigLIP {kind}, images",
        lambda e: DualEncoder(str(root / "siglip" / "onnx"), e, 20).image, feeds,
        eager(lambda t: siglip.vision_model(pixel_values=t).pooler_output, feeds),
        siglip.vision_model,
    )  # fmt: skip
    ids = {1: random.integers(0, 30000, (1, 64))}
    yield Case(
        f"SigLIP {kind}, a caption",
        lambda e: DualEncoder(str(root / "siglip" / "onnx"), e, 20).text, ids,
        eager(lambda t: siglip.text_model(input_ids=t).pooler_output, ids), siglip.text_model,
    )  # fmt: skip
    esrgan = _full_size.upscaler(root / "esrgan", small=dry).to(where)
    feeds = {n: uniform(n, 3, 64, 64) for n in batches}
    yield Case(
        "Real-ESRGAN x4v3, 64x64",
        lambda e: Upscaler(UpscalerSettings(model=str(root / "esrgan")), e).session, feeds,
        eager(esrgan, feeds), esrgan,
    )  # fmt: skip
    shipped = SeeSettings()
    for model in shipped.detection.models:
        feeds = {1: uniform(1, 3, 896, 1536)}
        yield Case(f"shipped detector {model}", lambda e, m=model: Detector(m, e).session, feeds)
    for model in shipped.matching.models:
        encoder = DualEncoder(model, _gpu.on("cpu", False, ""), 20)
        pixels = {n: uniform(n, 3, encoder.about.size, encoder.about.size) for n in batches}
        yield Case(
            f"shipped matcher {model}, images",
            lambda e, m=model: DualEncoder(m, e, 20).image, pixels,
        )  # fmt: skip


def _measure(case: Case, engines: Path, quick: bool) -> list[Row]:
    from bench import _gpu

    runs = 3 if quick else 20
    reference = case.load(_gpu.on("cpu", False, ""))
    expected = {n: reference(feed)[0] for n, feed in case.feeds.items()}
    rows = []
    for provider in _gpu.providers():
        for fp16 in (True, False) if provider == "tensorrt" else (False,):
            settings = _gpu.on(provider, fp16, str(engines))
            label = f"{case.name}: {provider}{' fp16' if fp16 else ''}"
            try:
                rows += _provider(case, label, settings, expected, runs)
            except Exception as error:  # one that fails must not hide the others
                rows.append(Row(f"{label}", 0.0, FAILED, note=str(error)[:300]))
    return rows


def _provider(case: Case, label: str, settings: Any, expected: Any, runs: int) -> list[Row]:
    from bench import _gpu

    def started() -> Any:
        session = case.load(settings)
        for feed in case.feeds.values():
            session(feed)
        return session

    _, first = _gpu.seconds_of(started)
    session, second = _gpu.seconds_of(started)
    rows = [Row(f"{label}: second start", second, "s", "first start", first, note=session.provider)]
    allowed = TOLERANCE[settings.fp16]
    for size, feed in case.feeds.items():
        off = _gpu.difference(session(feed)[0], expected[size])
        said = "outputs as the CPU's" if off <= allowed else "OUTPUTS DIFFER"
        ours = _gpu.timed(lambda f=feed: session(f), runs)
        theirs, bound = None, ""
        if case.eager is not None:
            theirs = _gpu.timed(lambda n=size: case.eager(n), runs).milliseconds
            work = _gpu.work(case.network, lambda n=size: case.eager(n))
            bound = f"; roofline {work.seconds * 1e3:.3g} ms"
        rows.append(
            Row(f"{label}, batch of {size}", ours.milliseconds, "ms",
                "eager PyTorch fp32" if theirs is not None else "", theirs,
                note=f"{said} (largest difference {off:.1e}){bound}; {_gpu.name()}")
        )  # fmt: skip
    return rows
