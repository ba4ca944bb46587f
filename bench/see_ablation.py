# SPDX-License-Identifier: Apache-2.0
"""What each part of the see stage brings: hit rate and time, one setting changed at a time"""

from __future__ import annotations

from bench.common import Row, Skip

TIMEOUT_S = 1200
SETTINGS: dict[str, list[str]] = {
    "mirror view of the picture as well": ["detection.flip=true"],
    "mirror view of the crops as well": ["matching.flip=true"],
    "detector_lite alone": ["detection.models=[detector_lite]"],
    "detector_photos alone": ["detection.models=[detector_photos]"],
    "3x2 slices, x2": ["detection.slice_columns=3", "detection.slice_rows=2"],
    "3x2 slices, x1": [
        "detection.slice_columns=3", "detection.slice_rows=2", "detection.slice_zoom=1",
    ],
    "no context round the crop": ["matching.context=0"],
    "context of 30%": ["matching.context=0.3"],
    "+7 px of context": ["matching.margin=7"],
    "four templates": [
        "matching.templates=['{caption}', 'a {caption}', 'photo of a {caption}', "
        "'this is a photo of {caption}.']",
    ],
    "sharpening, factor 2": ["matching.sharpen=2"],
    "detection score ignored": ["matching.detection_weight=0"],
    "optimal assignment": ["matching.assignment=optimal"],
}  # fmt: skip


def run(quick: bool) -> list[Row]:
    try:
        from turret_ai.learn.images import Settings, generate
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    from turret_ai.overrides import apply, check
    from turret_ai.prove import vlm_score
    from turret_ai.see import locator
    from turret_ai.see.settings import SeeSettings

    pictures = []
    for index in range(4 if quick else 24):
        rgb, labels = generate(index, seed=2026, split="test", settings=Settings())
        pictures.append(
            vlm_score.Picture(
                str(index),
                lambda rgb=rgb: rgb,
                tuple(caption for caption, _, _, _ in labels),
                tuple(box for _, _, _, box in labels),
            )
        )
    rows = []
    base: tuple[float, float] | None = None
    for name, overrides in {"as shipped": [], **SETTINGS}.items():
        tree: dict[str, object] = {}
        apply(tree, overrides)
        model = locator.load(check(tree, SeeSettings, name))
        model.warm_up()
        result = vlm_score.score(model, pictures)
        figures = result.figures()
        took = figures["milliseconds"]["picture"]
        base = base or (result.hit_rate, took)
        note = f"{figures['captions']} captions, recall {result.recall:.3f}"
        rows.append(
            Row(f"{name}: hit rate", result.hit_rate, "share", "as shipped", base[0], True, note)
        )
        rows.append(Row(f"{name}: a picture", took, "ms", "as shipped", base[1]))
    return rows
