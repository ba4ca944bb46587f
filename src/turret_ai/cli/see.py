# SPDX-License-Identifier: Apache-2.0
"""`turret-ai locate`, `classify` and `ensemble`: pictures from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from turret_ai import documents
from turret_ai.errors import ConfigError, InputError
from turret_ai.overrides import apply, check

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting, such as matching.sharpen=2 (repeatable)."),
]
Templates = Annotated[
    Path | None, typer.Option(help="YAML with `templates`: texts with {caption}, averaged.")
]
SaveScores = Annotated[
    Path | None, typer.Option(help="Write every candidate's scores here, for `ensemble`.")
]

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def _settings(overrides: Iterable[str] | None, templates: Path | None) -> Any:
    from turret_ai.see.settings import SeeSettings

    tree: dict[str, Any] = {}
    if templates is not None:
        told = documents.read_yaml(templates)
        if not isinstance(told, dict) or "templates" not in told:
            raise ConfigError(f"{templates} holds no list `templates`")
        tree["matching"] = {"templates": told["templates"]}
    apply(tree, overrides or [])
    return check(tree, SeeSettings, "--set")


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    try:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}") from error


def locate(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    caption: Annotated[list[str], typer.Option(help="What to look for (repeatable).")],
    save: Annotated[Path | None, typer.Option(help="Write the picture with the boxes.")] = None,
    save_scores: SaveScores = None,
    templates: Templates = None,
    overrides: Set = None,
) -> None:
    """Find described craft in a picture: one JSON object a caption.

    A picture with an EXIF orientation is turned to be searched and saved; boxes are in pixels of
    the picture as it is stored.
    """
    from turret_ai.see import draw, images, locator, scores

    picture = images.open_upright(image)
    rgb = picture.rgb
    found = locator.load(_settings(overrides, templates)).locate_all(rgb, caption)
    stored = [picture.stored(location) for location in found]
    for text, location in zip(caption, stored, strict=True):
        answer = {
            "caption": text,
            "bbox": [round(v, 2) for v in location.box.as_list()] if location.box else None,
            "status": location.status.name,
            "detection_score": round(location.detection_score, 4),
            "match_score": round(location.match_score, 4),
            "margin": round(location.margin, 4),
            "reason": location.reason,
            "candidates": [
                {
                    "bbox": [round(v, 2) for v in box.as_list()],
                    "detection_score": round(detected, 4),
                    "match_score": round(matched, 4),
                }
                for box, detected, matched in location.candidates
            ],
        }
        print(json.dumps(answer, ensure_ascii=False))
    if save is not None:
        one = len(found) == 1
        drawn = (
            draw.annotate(rgb, found[0], caption[0])
            if one
            else draw.annotate_all(rgb, found, caption)
        )
        images.save(save, drawn)
    if save_scores is not None:
        rows = [
            scores.of_location(image.name, text, location)
            for text, location in zip(caption, stored, strict=True)
        ]
        _write(save_scores, rows)


def classify(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures, or one picture.")],
    classes: Annotated[str, typer.Option(help="Their names, with commas between.")],
    drop: Annotated[
        float, typer.Option(min=0, max=1, help="Probabilities up to this count as none.")
    ] = 0.002,
    save_scores: SaveScores = None,
    templates: Templates = None,
    overrides: Set = None,
) -> None:
    """Tell which class each picture shows, without training: one JSON object a picture."""
    from turret_ai.see import images
    from turret_ai.see.classify import Classifier

    settings = _settings(overrides, templates)
    if folder.is_dir():
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES)
    else:
        files = [folder]
    if not files:
        raise InputError(f"there are no pictures in {folder}")
    names = [c.strip() for c in classes.split(",") if c.strip()]
    classifier = Classifier(names, settings.matching, settings.execution, drop)
    rows, console = [], Console(stderr=True)
    for file in track(files, "classifying", console=console, disable=len(files) < 10):
        try:
            chances = classifier(images.open_upright(file).rgb)
        except InputError as error:  # one bad picture must not lose the others
            console.print(f"[yellow]{error}[/yellow]")
            continue
        order = sorted(range(len(names)), key=lambda i: -chances[i])
        told = {names[i]: round(float(chances[i]), 5) for i in order if chances[i] > 0}
        name = str(file.relative_to(folder)) if folder.is_dir() else file.name
        best = next(iter(told), "")
        rows.append({"image": name, "class": best, "probabilities": told})
        print(json.dumps(rows[-1], ensure_ascii=False))
    if save_scores is not None:
        _write(save_scores, rows)


def ensemble(
    files: Annotated[list[Path], typer.Argument(help="Files of --save-scores.")],
    weights: Annotated[
        str, typer.Option(help="As many numbers as files, with commas; default: equal.")
    ] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here.")] = None,
) -> None:
    """Weigh several predictions of the same things by their saved scores."""
    from turret_ai.see import scores

    try:
        numbers = [float(w) for w in weights.split(",")] if weights else [1.0] * len(files)
    except ValueError as error:
        raise InputError(f"weights are numbers with commas between: got {weights!r}") from error
    rows = scores.ensemble([scores.read(f) for f in files], numbers)
    if output is not None:
        _write(output, rows)
    else:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
