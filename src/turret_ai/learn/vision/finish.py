# SPDX-License-Identifier: Apache-2.0
"""What follows a training of a matcher: export, a fitted score, figures of the whole see stage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from turret_ai.execution import ExecutionSettings
from turret_ai.learn.budget import Budget
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

_FEWEST = 8
"""Pictures of a manifest that a score is fitted on, at least."""


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

    def with_model(self, folder: Path) -> Finish:
        """The same, with the exported matcher in another folder."""
        return self.model_copy(update={"model": str(folder)})


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


def run(settings: Finish, out: Path, budget: Budget | None = None) -> list[dict[str, Any]]:
    """Export a run, fit its score and measure it; figures go to `figures.jsonl` of the model.

    Args:
        out: the run's folder.
        budget: half of what is left after the export goes to the score, and the measurement ends
            with it; fewer pictures are looked at then.

    Raises:
        ModelError, InputError: as of exports, manifests and pictures.
    """
    from turret_ai.learn.vision import calibrate, export

    folder = Path(settings.model)
    export.matcher(out / f"{settings.checkpoint}.pt", folder)
    detection = Remembered(Detection(DetectionSettings(), ExecutionSettings()))
    most = settings.score_pictures
    if budget is not None and settings.score_on:
        most = _affordable(settings, folder, detection, budget)
    marked = [m for p in settings.score_on for m in calibrate.marked(p, most)]
    for model in [str(folder), *settings.beside] if marked else []:
        if Path(model).is_dir():  # a shipped one stays as it is
            calibrate.matcher(Path(model), marked, detection)
    rows: list[dict[str, Any]] = []
    for evaluation in settings.evaluate:
        rows += _measure(evaluation, str(folder), settings, detection, budget)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "figures.jsonl").write_text(text, encoding="utf-8")
    return rows


def told(row: Mapping[str, Any]) -> str:
    """A line about one measurement."""
    return (
        f"{' + '.join(row['models'])} on {row['manifest']} ({row['degrade']}, "
        f"{row['captions']} captions of {row['pictures']} pictures): hit rate {row['vlm']:.3f} "
        f"(standard error {row['vlm_standard_error']:.3f}), always answering "
        f"{row['vlm_always_answering']:.3f}, top-1 given true boxes {row['matcher_top1']:.3f}"
    )


def _affordable(settings: Finish, folder: Path, detection: Remembered, budget: Budget) -> int:
    """Pictures of each manifest that half of the time is enough for, by the time of the first."""
    from turret_ai.learn.vision import calibrate

    see = Locator(SeeSettings(matching=MatchingSettings(models=[str(folder)])))
    see.detection = detection  # type: ignore[assignment]
    (first, *_) = calibrate.marked(settings.score_on[0], 1)
    see.look(first.image)  # the first is slower than the others
    began = budget.now()
    see.look(np.ascontiguousarray(first.image[:, ::-1]))
    each = max(1e-3, budget.now() - began)
    count = int(budget.left / 2 / each) // len(settings.score_on)
    if count < settings.score_pictures:
        count = max(_FEWEST, count)
        budget.say(f"the score is fitted on {count} pictures of each manifest: {each:.2f} s each")
    return min(count, settings.score_pictures)


def _measure(
    evaluation: Evaluation,
    own: str,
    settings: Finish,
    detection: Remembered,
    budget: Budget | None,
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
            within = data if budget is None else budget.within(data, str(evaluation.pictures))
            result = vlm_score.score(see, within)
            about = {"models": models, "manifest": str(evaluation.pictures), "degrade": level}
            by = result.by(vlm_score.type_group)
            rows.append({**about, **result.figures(), "by_type": by})
    return rows
