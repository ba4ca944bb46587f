# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of a graphics card share: its measured limits, timing, rooflines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from bench.common import Skip, Timing, measure
from turret_ai import execution
from turret_ai.execution import ExecutionSettings


def dry_run(quick: bool) -> bool:
    """Whether there is no card, so that small networks show on the CPU that the code runs.

    Raises:
        Skip: no card, and figures were asked for.
    """
    if torch.cuda.is_available():
        return False
    if not quick:
        raise Skip("no NVIDIA GPU that PyTorch sees; with --quick: a dry run on the CPU")
    return True


def device() -> torch.device:
    """The card, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def name() -> str:
    """The card's name, for notes."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "dry run on the CPU"


def plain_fp32() -> None:
    """Have PyTorch compute in fp32 proper: TF32 would make the baseline something else."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def wait() -> None:
    """Until the card has done all that it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(call: Callable[[], object], runs: int, at_most_s: float = 15.0) -> Timing:
    """Wall-clock times of a call, each until the card is idle again."""

    def whole() -> None:
        call()
        wait()

    return measure(whole, runs=runs, warm_up=3, at_most_s=at_most_s)


def providers() -> list[str]:
    """What ONNX Runtime can run on here, the CPU last."""
    return execution.available()


def missing() -> str:
    """Why the card's providers are not among them, "" if they are."""
    absent = [p for p in ("tensorrt", "cuda") if p not in providers()]
    if not absent:
        return ""
    if not execution.gpu_name():
        return f"no NVIDIA GPU: {' and '.join(absent)} not run"
    return f"{' and '.join(absent)} not run: pip install 'turret_ai[gpu]' and onnxruntime-gpu"


def on(provider: str, fp16: bool, cache_folder: str) -> ExecutionSettings:
    """Settings that run a model there."""
    return ExecutionSettings(provider=provider, fp16=fp16, engine_cache=cache_folder)


@dataclass(frozen=True, slots=True)
class Limits:
    """flops: of 16-bit products, a second. bandwidth: of the memory, bytes a second."""

    flops: float
    bandwidth: float


@cache
def limits() -> Limits:
    """Measured here: a large matrix product and a large copy (read and written bytes counted)."""
    where, large = device(), torch.cuda.is_available()
    side = 8192 if large else 512
    a = torch.randn(side, side, device=where, dtype=torch.bfloat16)
    product = timed(lambda: a @ a, runs=10, at_most_s=5.0).best
    source = torch.empty((2**31 if large else 2**24) // 4, device=where)
    target = torch.empty_like(source)
    copy = timed(lambda: target.copy_(source), runs=10, at_most_s=5.0).best
    return Limits(2 * side**3 / product, 2 * source.numel() * 4 / copy)


@dataclass(frozen=True, slots=True)
class Work:
    """What one call of a network takes at least: operations, and bytes of 16-bit weights and
    layer outputs (each written once and read once)."""

    flops: float
    bytes: float

    @property
    def seconds(self) -> float:
        """By the roofline (Williams, Waterman and Patterson, 2009): the slower of the two."""
        found = limits()
        return max(self.flops / found.flops, self.bytes / found.bandwidth)


def work(network: nn.Module, call: Callable[[], object]) -> Work:
    """Count what a call of a network does."""
    outputs = 0

    def count(module: nn.Module, _: object, result: object) -> None:
        nonlocal outputs
        if isinstance(result, Tensor) and not any(module.children()):
            outputs += result.numel()

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    try:
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            call()
    finally:
        for hook in hooks:
            hook.remove()
    weights = sum(p.numel() for p in network.parameters())
    return Work(float(counter.get_total_flops()), 2.0 * (weights + 2 * outputs))


def difference(found: object, expected: object) -> float:
    """The largest difference of two arrays, as a share of the expected one's largest value."""
    import numpy as np

    a, b = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if a.shape != b.shape or not np.isfinite(a).all():
        return float("inf")
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-12))


def seconds_of(call: Callable[[], object]) -> tuple[object, float]:
    """What a call gives, and how long it took."""
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began
