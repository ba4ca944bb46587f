# SPDX-License-Identifier: Apache-2.0
"""What follows a training of a matcher: export, a fitted score, figures of the whole see stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from turret_ai.execution import ExecutionSettings
from turret_ai.learn.config import Section
from turret_ai.see.boxes import Boxes
from turret_ai.see.detection import Detection
from turret_ai.see.locator import Locator
from turret_ai.see.settings import (
    DetectionSettings,
    MatchingSettings,
    SeeSettings,
)
from turret_ai.types import ImageArray


class Evaluation(Section):
    """Labelled pictures to measure on."""

    pictures: Path = Field(description="a manifest")
    most: int = Field(1000, ge=1)
    degrade: list[Literal["clean", "mild", "strong"]] = Field(["clean"], min_length=1)


class Finish(Section):
    """Nothing follows where `model` is empty."""

    model: str = Field("", description="folder for the exported matcher")
    checkpoint: Literal["last", "best"] = "last"
    score_on: list[Path] = Field([], description="manifests to fit the score on")
    score_pictures: int = Field(60, ge=8, description="most of each")
    beside: list[str] = Field(
        [], description="other matchers, of which ensembles with this one are measured as well"
    )
    alone: bool = Field(True, description="measure each of them alone, too")
    evaluate: list[Evaluation] = Field([], description="what to measure on")


class Remembered:
    """A detection that looks at the same picture only once."""

    def __init__(self, detection: Any) -> None:
        self.detection = detection
        self.detectors = detection.detectors
        self._found: dict[bytes, Boxes] = {}

    def __call__(self, image: ImageArray) -> Boxes:
        key = image[::7, ::5].tobytes()
        if key not in self._found:
            self._found[key] = self.detection(image)
        return self._found[key]

    def shaped(self, boxes: Boxes, image: ImageArray) -> Boxes:
        """As `Detection.shaped`."""
        shaped: Boxes = self.detection.shaped(boxes, image)
        return shaped


def run(settings: Finish, out: Path) -> list[dict[str, Any]]:
    """Export a run, fit its score and measure it; figures go to `figures.jsonl` of the model.

    Args:
        out: the run's folder.

    Raises:
        ModelError, InputError: as of exports, manifests and pictures.
    """
    from turret_ai.learn.vision import calibrate, export

    folder = Path(settings.model)
    export.matcher(out / f"{settings.checkpoint}.pt", folder)
    marked = [m for p in settings.score_on for m in calibrate.marked(p, settings.score_pictures)]
    detection = Remembered(Detection(DetectionSettings(), ExecutionSettings()))
    for model in [str(folder), *settings.beside] if marked else []:
        if Path(model).is_dir():  # a shipped one stays as it is
            calibrate.matcher(Path(model), marked, detection)
    rows: list[dict[str, Any]] = []
    for evaluation in settings.evaluate:
        rows += _measure(evaluation, str(folder), settings, detection)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "figures.jsonl").write_text(text, encoding="utf-8")
    return rows


def _measure(
    evaluation: Evaluation, own: str, settings: Finish, detection: Remembered
) -> list[dict[str, Any]]:
    from turret_ai.prove import vlm_score

    pictures = vlm_score.pictures(str(evaluation.pictures))[: evaluation.most]
    groups = [[own, b] for b in settings.beside]
    if settings.alone:
        groups = [[own], *([b] for b in settings.beside), *groups]
    rows = []
    for models in groups:
        see = Locator(SeeSettings(matching=MatchingSettings(models=models)))
        see.detection = detection  # type: ignore[assignment]
        for level in evaluation.degrade:
            data = pictures if level == "clean" else vlm_score.degraded(pictures, level)
            result = vlm_score.score(see, data)
            about = {"models": models, "manifest": str(evaluation.pictures), "degrade": level}
            by = result.by(vlm_score.type_group)
            rows.append({**about, **result.figures(), "by_type": by})
    return rows
