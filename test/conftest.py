# SPDX-License-Identifier: Apache-2.0
"""Which files are left out where an extra is not installed, and how coroutines are run.

Not `pytest.importorskip` at the head of a file: ROS's pytest plugins (launch_testing) take a skip
there for the whole folder, and `colcon test` collects nothing.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for `bench`: colcon runs elsewhere

_NEEDS = {
    "common/test_gpu_check.py": ("torch", "transformers"),
    "nodes/test_gz_wire.py": ("zmq",),
    "nodes/test_real_gazebo.py": ("zmq",),
    "learn/test_loop.py": ("torch", "accelerate"),
    "learn/test_schedule.py": ("torch", "accelerate"),
    "learn/vision/test_device_staging.py": ("torch",),
    "learn/vision/test_fit_boxes.py": ("torch",),
    "learn/vision/test_fit_score.py": ("torch",),
    "learn/vision/test_halve.py": ("torch",),
    "learn/vision/test_lite.py": ("torch",),
    "console/test_browser.py": ("fastapi", "uvicorn", "playwright"),
    "console/test_server.py": ("fastapi", "uvicorn"),
    "console/test_sources.py": ("fastapi", "uvicorn"),
    "act/test_services.py": ("fastapi", "httpx"),
    "learn/test_asr_training.py": ("torch", "transformers"),
    "learn/test_narrowing.py": ("torch", "transformers"),
    "learn/test_neural_voices.py": ("espeakng_loader",),
    "learn/test_speech.py": ("espeakng_loader",),
    "learn/vision/test_calibrate.py": ("torch",),
    "learn/vision/test_data.py": ("torch",),
    "learn/vision/test_pasted_windows.py": ("torch",),
    "learn/vision/test_public.py": ("torch", "transformers", "accelerate"),
    "learn/vision/test_training.py": ("torch", "accelerate"),
    "learn/vision/test_packed.py": ("torch",),
    "learn/vision/test_warm_start.py": ("torch",),
    "nodes/test_chain.py": ("psutil",),
    "nodes/test_console_node.py": ("fastapi", "uvicorn"),
    "see": ("onnx",),
}
"""Files and folders to the modules, of extras, that they import at their head."""


def _missing(file: str) -> list[str]:
    return [name for name in _NEEDS[file] if importlib.util.find_spec(name) is None]


collect_ignore = [file for file in _NEEDS if _missing(file)]


def pytest_report_header() -> list[str]:
    return [f"left out: {file} needs {', '.join(_missing(file))}" for file in collect_ignore]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A name for a long text: colcon stops at a line of more than 64 kB, and waits for ever."""
    return f"{argname} of {len(val)}" if isinstance(val, (str, bytes)) and len(val) > 200 else None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine is run to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
