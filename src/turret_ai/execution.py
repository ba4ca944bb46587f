# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime sessions: the provider that is there, threads, TensorRT's profiles and engines.

https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.settings import Settings

NAMES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


Provider = Literal["auto", "cpu", "cuda", "tensorrt"]


class ExecutionSettings(Settings):
    """Where and how models run."""

    provider: Provider = Field(
        "auto", description="auto: TensorRT, CUDA or CPU, the first that is there"
    )
    device: int = Field(0, ge=0, le=64, description="index of the GPU")
    threads: int = Field(0, ge=0, le=256, description="CPU threads of a model; 0: by the machine")
    fp16: bool = Field(True, description="half precision where TensorRT runs")
    engine_cache: str = Field(
        "", description="folder for TensorRT engines; empty: turret_ai/engines in the user's cache"
    )


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of one input that TensorRT prepares for. Equal ones make a fixed engine."""

    least: tuple[int, ...]
    usual: tuple[int, ...]
    most: tuple[int, ...]


Profile = Mapping[str, Shapes]


@cache
def gpu_name() -> str:
    """The first GPU's name, or "" without one."""
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.splitlines()[0].strip() if told.stdout.strip() else ""


@cache
def tensorrt_version() -> str:
    """Of the installed TensorRT, or "" without one."""
    for package in ("tensorrt-cu13", "tensorrt-cu12", "tensorrt"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return ""


def available() -> list[str]:
    """Providers that can be tried here, best first. The wheel lists what it was built with, also on
    machines without a GPU; so a GPU's presence is asked for as well."""
    built = ort.get_available_providers()
    gpu = bool(gpu_name())
    usable = []
    if gpu and tensorrt_version() and NAMES["tensorrt"] in built:
        usable.append("tensorrt")
    if gpu and NAMES["cuda"] in built:
        usable.append("cuda")
    return [*usable, "cpu"]


def cpu_threads(asked: int) -> int:
    """Threads of one model: as asked, else the cores this process may use, at most eight."""
    return asked or max(1, min(8, len(os.sched_getaffinity(0))))


def engine_folder(model: Path, settings: ExecutionSettings) -> Path:
    """Where the engines of a model lie: named by GPU, TensorRT and content, so that a change of any
    of them builds anew."""
    root = settings.engine_cache or Path(
        os.environ.get("XDG_CACHE_HOME", "~/.cache"), "turret_ai", "engines"
    )
    digest = hashlib.sha256(model.read_bytes()).hexdigest()[:16]
    gpu = "".join(c if c.isalnum() else "-" for c in gpu_name() or "no-gpu")
    precision = "fp16" if settings.fp16 else "fp32"
    name = f"{gpu}_{tensorrt_version() or 'none'}_{precision}_{digest}"
    return Path(root).expanduser() / name


def _shape_text(profile: Profile, which: str) -> str:
    return ",".join(
        f"{name}:{'x'.join(map(str, getattr(shapes, which)))}" for name, shapes in profile.items()
    )


def provider_options(
    provider: str, model: Path, settings: ExecutionSettings, profile: Profile | None
) -> dict[str, Any]:
    """What ONNX Runtime is told about a provider."""
    if provider == "cpu":
        return {}
    options: dict[str, Any] = {"device_id": settings.device}
    if provider == "cuda":
        options["cudnn_conv_algo_search"] = "HEURISTIC"
        return options
    folder = engine_folder(model, settings)
    options.update(
        trt_fp16_enable=settings.fp16,
        trt_engine_cache_enable=True,
        trt_engine_cache_path=str(folder),
        trt_timing_cache_enable=True,
        trt_timing_cache_path=str(folder),
    )
    if profile:
        options.update(
            trt_profile_min_shapes=_shape_text(profile, "least"),
            trt_profile_opt_shapes=_shape_text(profile, "usual"),
            trt_profile_max_shapes=_shape_text(profile, "most"),
        )
    return options


class Session:
    """A loaded model.

    provider: what it really runs on: "tensorrt", "cuda" or "cpu".
    inputs, outputs: names in order. shapes: of the inputs, None where free.
    """

    def __init__(
        self, model: Path, settings: ExecutionSettings, profile: Profile | None = None
    ) -> None:
        """Load.

        Raises:
            ModelError: not an ONNX model, or one that can't run here.
            ConfigError: the provider that is asked for isn't there.
        """
        usable = available()
        if settings.provider == "auto":
            order = usable
        elif settings.provider in usable:
            order = [settings.provider, "cpu"] if settings.provider != "cpu" else ["cpu"]
        else:
            raise ConfigError(
                f"provider {settings.provider!r} is not available here (there are {usable}): it "
                "needs an NVIDIA GPU and `pip install 'turret_ai[gpu]'`"
            )
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = cpu_threads(settings.threads)
        options.inter_op_num_threads = 1
        # Waiting threads that spin would starve the other stages of a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if "tensorrt" in order:
            try:
                engine_folder(model, settings).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"the engine cache can't be written: {error}") from error
        try:
            self._session = ort.InferenceSession(
                str(model),
                options,
                providers=[NAMES[p] for p in order],
                provider_options=[provider_options(p, model, settings, profile) for p in order],
            )
        except Exception as error:  # ONNX Runtime's errors share no base class
            raise ModelError(f"{model} can't be loaded as an ONNX model: {error}") from error
        self.model = model
        used = self._session.get_providers()
        self.provider = next((p for p in order if NAMES[p] in used), "cpu")
        self.inputs = [i.name for i in self._session.get_inputs()]
        self.outputs = [o.name for o in self._session.get_outputs()]
        self.shapes = [
            [d if isinstance(d, int) else None for d in i.shape] for i in self._session.get_inputs()
        ]
        self.types = [i.type for i in self._session.get_inputs()]

    def __call__(self, *arrays: NDArray[Any], outputs: Sequence[str] = ()) -> list[NDArray[Any]]:
        """Run on the inputs in order.

        Raises:
            ModelError: shapes or types that the model doesn't take.
        """
        feed = {
            name: array.astype(np.float16) if kind == "tensor(float16)" else array
            for name, array, kind in zip(self.inputs, arrays, self.types, strict=False)
        }
        try:
            results = self._session.run(list(outputs) or None, feed)
        except Exception as error:
            raise ModelError(f"{self.model} failed: {error}") from error
        return [np.asarray(r) for r in results]
