# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_models

from turret_ai.execution import ExecutionSettings
from turret_ai.see.locator import Locator, load
from turret_ai.see.settings import DetectionSettings, MatchingSettings, SeeSettings


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of tiny models by name."""
    root = tmp_path_factory.mktemp("models")
    return {
        "detector": str(tiny_models.blob_detector(root / "detector")),
        "matcher": str(tiny_models.colour_matcher(root / "matcher")),
        "upscaler": str(tiny_models.doubling_upscaler(root / "upscaler")),
    }


@pytest.fixture
def settings(tiny: dict[str, str]) -> SeeSettings:
    return SeeSettings(
        detection=DetectionSettings(models=[tiny["detector"]], nms_iou=0.3),
        matching=MatchingSettings(
            models=[tiny["matcher"]], not_found_below=0.5, ambiguous_margin=1.5
        ),
        execution=ExecutionSettings(provider="cpu", threads=1),
    )


@pytest.fixture
def locator(settings: SeeSettings) -> Locator:
    return load(settings)
