# SPDX-License-Identifier: Apache-2.0
"""`turret-ai evaluate`: score predictions by the official formulas, or a whole recording."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from turret_ai.errors import ConfigError
from turret_ai.prove.records import Pairs, canonical, match, read_jsonl, write_json

app = typer.Typer(no_args_is_help=True, help="Score predictions, or evaluate a whole recording.")

Predictions = Annotated[Path, typer.Argument(help="predictions, one JSON object a line")]
TruthFile = Annotated[Path, typer.Argument(help="truth, one JSON object a line")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="also write the result here")]


def read_pairs(predictions: Path, truth: Path, key: str = "key") -> Pairs:
    """Read both files and pair their records; what doesn't match is said on stderr.

    Raises:
        InputError: a file can't be read, or a record has no usable key.
    """
    pairs = match(read_jsonl(predictions), read_jsonl(truth), key)
    console = Console(stderr=True)
    for remark in pairs.remarks:
        console.print(f"[yellow]{remark}[/yellow]")
    return pairs


def give(result: Mapping[str, Any], output: Path | None) -> None:
    """Print a result as one JSON object on stdout, and write it to a file where wished."""
    print(json.dumps(canonical(result), ensure_ascii=False))
    if output is not None:
        write_json(output, result)


@app.command()
def turns(
    predictions: Predictions,
    truth: TruthFile,
    output: Output = None,
    details: Annotated[bool, typer.Option(help="also every turn's scores")] = False,
) -> None:
    """Finals turns: 0.45 NLP + 0.45 VLM + 0.1 (1 - min(30, t) / 30), t from `seconds`.

    Predictions hold key, heading, tool, target (or `nlp` with them), bbox (or `vlm`) and seconds;
    the truth key, heading, tool, target and bbox. A missing prediction scores 0.
    """
    from turret_ai.prove.turns import score_turn, summarise

    pairs = read_pairs(predictions, truth).pairs
    result = summarise(
        [score_turn(p.key, p.prediction, p.truth, f"{predictions}, key {p.key}") for p in pairs]
    )
    figures: dict[str, Any] = {
        "score": result.score,
        "nlp": result.nlp,
        "vlm": result.vlm,
        "seconds": result.seconds,
        "turns": len(result.turns),
    }
    if details:
        figures["details"] = [asdict(turn) for turn in result.turns]
    give(figures, output)


@app.command()
def asr(
    predictions: Predictions,
    truth: TruthFile,
    output: Output = None,
    details: Annotated[bool, typer.Option(help="also by engine, band, noise and level")] = False,
) -> None:
    """Transcripts: 1 - word error rate. Predictions are the output of `turret-ai transcribe`.

    A missing prediction counts as silence.
    """
    from turret_ai.prove.asr_score import Heard, score

    clips = []
    for pair in read_pairs(predictions, truth).pairs:
        heard = (pair.prediction or {}).get("transcript") or ""
        clips.append(Heard(str(pair.truth.get("transcript", "")), str(heard), pair.truth))
    give(score(clips, details), output)


@app.command()
def nlp(
    predictions: Predictions,
    truth: TruthFile,
    output: Output = None,
    details: Annotated[bool, typer.Option(help="also what was taken for what")] = False,
) -> None:
    """Commands: the mean of heading (exact), tool and target (ROUGE-L F1 with stemmer).

    A missing prediction, or a missing field of one, scores as an empty text.
    """
    from turret_ai.prove.nlp_score import score

    give(score(read_pairs(predictions, truth).pairs, details), output)


@app.command()
def bag(
    recording: Annotated[Path, typer.Argument(help="bag folder, .mcap or .db3 file")],
    truth: Annotated[
        Path | None,
        typer.Option(help="truth of the utterances, JSON lines in their order; else the bag's own"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the results (BAG-evaluation)")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="namespace of the recorded system, if there are several")
    ] = None,
    params_file: Annotated[
        list[Path] | None,
        typer.Option(help="YAML with parameters of the nodes, as for `launch` (repeatable)"),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="node:name:=value, on top of the files (repeatable)"),
    ] = None,
    compare: Annotated[
        list[Path] | None, typer.Option(help="an earlier result to show beside (repeatable)")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="figures that must be reached: YAML, JSON or a result")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="how much worse a figure of the baseline may be")
    ] = 0.01,
) -> None:
    """Hear, understand, see and aim over a recording, and write one report.

    Runs as fast as the machine can, in the recording's own time: the same bag gives the same
    result files. Exit code 0: passed, 1: something was missing or a figure is below the baseline.
    """
    from turret_ai.cli.evaluate_bag import Request, evaluate

    request = Request(
        recording,
        truth,
        output or Path(f"{recording.resolve().stem}-evaluation"),
        namespace,
        tuple(params_file or ()),
        tuple(parameter or ()),
        tuple(compare or ()),
        baseline,
        tolerance,
    )
    if not evaluate(request):
        raise typer.Exit(1)


@app.command()
def vlm(
    manifest: Annotated[
        Path, typer.Argument(help="predictions if a truth follows, else labelled images (JSONL)")
    ],
    truth: Annotated[
        Path | None, typer.Argument(help="truth of the predictions: boxes by image and caption")
    ] = None,
    output: Output = None,
    details: Annotated[bool, typer.Option(help="also by type, size and number of colours")] = False,
    limit: Annotated[int, typer.Option(min=0, help="only so many pictures; 0: all")] = 0,
    degrade: Annotated[
        str, typer.Option(help="spoil the pictures first: clean (not at all), mild or strong")
    ] = "clean",
    seed: Annotated[int, typer.Option(help="of the spoiling")] = 0,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="a setting, such as detection.flip=true")
    ] = None,
) -> None:
    """Boxes: share of captions with IoU > 0.5, of predictions or of the see stage itself.

    With PREDICTIONS TRUTH the files are compared. With one manifest of labelled images the models
    run on them, and recall, mAP, matcher and milliseconds are told as well. Boxes whose caption is
    null count for detection only.
    """
    if truth is not None:
        from turret_ai.prove import box_predictions

        scored = box_predictions.score(read_jsonl(manifest), read_jsonl(truth))
        for remark in scored.remarks:
            Console(stderr=True).print(f"[yellow]{remark}[/yellow]", highlight=False)
        told = {"score": scored.hit_rate, "iou": scored.iou, "captions": scored.captions}
        give(told, output)
        return

    from rich.progress import Progress

    from turret_ai.overrides import apply, check
    from turret_ai.prove import vlm_score
    from turret_ai.see import locator
    from turret_ai.see.settings import SeeSettings
    from turret_ai.simulate.sensor import LEVELS

    tree: dict[str, Any] = {}
    apply(tree, overrides or [])
    data = vlm_score.pictures(str(manifest))
    data = data[:limit] if limit else data
    if degrade not in LEVELS:
        raise ConfigError(f"--degrade is one of {', '.join(LEVELS)}, not {degrade!r}")
    if degrade != "clean":
        data = vlm_score.degraded(data, degrade, seed)
    model = locator.load(check(tree, SeeSettings, "--set"))
    model.warm_up()
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("locating", total=len(data))
        result = vlm_score.score(model, data, lambda done: progress.update(bar, completed=done))
    figures = result.figures()
    if details:
        figures["by_type"] = result.by(vlm_score.type_group)
        figures["by_size"] = result.by(vlm_score.size_group)
        figures["by_colours"] = result.by(vlm_score.colour_group)
    give(figures, output)


@app.command()
def sample(
    output: Annotated[Path, typer.Argument(help="folder of the new bag")],
    scene: Annotated[str, typer.Option(help="a shipped scene or a YAML file")] = "airfield",
    image_rate: Annotated[float, typer.Option(min=0.2, max=30.0, help="Hz")] = 1.0,
    jpeg_quality: Annotated[int, typer.Option(min=1, max=100)] = 88,
) -> None:
    """Make a small recording of a scene and its spoken commands, with the truth inside.

    Nothing runs for it: sound, joints and rendered pictures are written stamp by stamp.
    """
    from rich.progress import Progress

    from turret_ai.prove.sample import SampleSettings, make_sample

    settings = SampleSettings(scene, image_rate, jpeg_quality)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"making {output}", total=None)
        make_sample(
            output,
            settings,
            lambda made, total: progress.update(task, completed=made, total=total),
        )
