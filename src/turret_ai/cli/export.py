# SPDX-License-Identifier: Apache-2.0
"""`turret-ai export`: trained and public checkpoints to the formats that run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Export a checkpoint, with a check that both compute the same (extra `train`).",
)

Checkpoint = Annotated[str, typer.Argument(help="A checkpoint of ours, or a public one.")]
Out = Annotated[Path, typer.Argument(help="The folder to make: model files and model.yaml.")]

Tuned = Annotated[
    Path | None, typer.Option(help="best.pt of our tuning of the public model named before.")
]


def _tell(out: Path, parity: float) -> None:
    typer.echo(f"{out}: largest relative difference to the trained model {parity:.2g}", err=True)


@app.command()
def asr(
    checkpoint: Checkpoint,
    out: Out,
    quantization: Annotated[
        str, typer.Option(help="int8, int8_float16, float16 or float32.")
    ] = "int8",
    calibrate: Annotated[
        Path | None, typer.Option(help="A folder of labelled clips: fits the confidence to them.")
    ] = None,
) -> None:
    """Our best.pt to ONNX; a Whisper (best.pt, folder or hub name) to CTranslate2."""
    from turret_ai.learn.asr import calibration, export

    _tell(out, export.run(checkpoint, out, quantization))
    if calibrate is not None:
        calibration.fit(out, calibrate)


@app.command()
def grammar(
    out: Annotated[Path, typer.Argument(help="The text file to write.")],
    count: Annotated[int, typer.Option(min=100, help="Sentences without their fields.")] = 12_000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """The phrasings that the engines ctc and sphinx expect, from the grammar of sentences."""
    from turret_ai.learn.speech import templates

    templates.write(out, count, seed)


@app.command()
def detector(
    checkpoint: Checkpoint,
    out: Out,
    confidence: Annotated[float, typer.Option(help="Least score, written to model.yaml.")] = 0.25,
    tuned: Tuned = None,
    int8: Annotated[
        Path | None, typer.Option(help="Quantise for CPUs, calibrated on this manifest's pictures.")
    ] = None,
    blend: Annotated[
        str,
        typer.Option(help="Ours: take the mean with this exported one, which it was tuned from."),
    ] = "",
    share: Annotated[float, typer.Option(min=0, max=1, help="With --blend: of best.pt.")] = 0.5,
) -> None:
    """Our detector's best.pt, or a DETR of transformers (folder or hub name), to ONNX."""
    from turret_ai.learn.vision import export

    if Path(checkpoint).suffix == ".pt":
        _tell(out, export.detector(Path(checkpoint), out, confidence, blend, share))
    else:
        from turret_ai.learn.vision import export_public

        _tell(out, export_public.detr(checkpoint, out, confidence, tuned=tuned))
    if int8 is not None:
        from turret_ai.learn.vision import quantise

        typer.echo(f"{quantise.detector(out, int8)}: quantised to int8", err=True)


@app.command()
def matcher(
    checkpoint: Checkpoint,
    out: Out,
    tuned: Tuned = None,
    calibrate: Annotated[
        Path | None, typer.Option(help="A manifest to fit the score and its thresholds on.")
    ] = None,
    blend: Annotated[
        Path | None,
        typer.Option(help="Ours: take the mean with this checkpoint, which it went on from."),
    ] = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="With --blend: of its own.")] = 0.5,
) -> None:
    """Our matcher's best.pt, or a SigLIP of transformers (folder or hub name), to ONNX."""
    from turret_ai.learn.vision import export

    if Path(checkpoint).suffix == ".pt":
        _tell(out, export.matcher(Path(checkpoint), out, blend, share))
    else:
        from turret_ai.learn.vision import export_public

        _tell(out, export_public.siglip(checkpoint, out, tuned))
    if calibrate is not None:
        from turret_ai.learn.vision import calibrate as thresholds

        found = thresholds.matcher(out, thresholds.marked(calibrate)).calibration
        typer.echo(
            f"not found below {found.not_found_below:.3f}, ambiguous within "
            f"{found.ambiguous_margin:.3f} of log-odds",
            err=True,
        )


@app.command()
def heads(
    model: Annotated[str, typer.Argument(help="An exported matcher without heads: name, folder.")],
    out: Out,
    config: Annotated[
        str, typer.Option(help="Of a matcher of the kind lite: its crops are learned from.")
    ] = "matcher_lite",
    crops: Annotated[int, typer.Option(min=64, help="How many of them.")] = 4000,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="A key of the configuration, as key=value.")
    ] = None,
) -> None:
    """Give a matcher heads for type, colours and "no craft": linear probes on its features."""
    from turret_ai.learn.vision import train_probe

    told = train_probe.run(config, overrides or [], model, out, crops)
    typer.echo(
        f"{out}: on held crops the type is right in {told.type_share:.3f}, craft or none in "
        f"{told.craft_share:.3f}",
        err=True,
    )


@app.command()
def score(
    model: Annotated[Path, typer.Argument(help="An exported matcher's folder.")],
    pictures: Annotated[list[Path], typer.Argument(help="Manifests to fit it on.")],
    most: Annotated[int, typer.Option(min=1, help="Pictures of each.")] = 100,
    detector: Annotated[
        str, typer.Option(help="Whose candidates: a name or folder; as shipped if not said.")
    ] = "",
    context: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Of its crops from now on; as it is if not said."),
    ] = None,
) -> None:
    """Fit a matcher's score, so that it is the probability that a box is what is described."""
    from turret_ai.execution import ExecutionSettings
    from turret_ai.learn.vision import calibrate
    from turret_ai.see.detection import Detection
    from turret_ai.see.settings import DetectionSettings

    marked = [m for manifest in pictures for m in calibrate.marked(manifest, most)]
    asked = DetectionSettings(models=[detector]) if detector else DetectionSettings()
    found = calibrate.matcher(model, marked, Detection(asked, ExecutionSettings()), context)
    typer.echo(f"{model}: {found.score}; {found.calibration}", err=True)


@app.command()
def boxes(
    model: Annotated[Path, typer.Argument(help="An exported detector's folder.")],
    pictures: Annotated[list[Path], typer.Argument(help="Manifests to fit them on.")],
    most: Annotated[int, typer.Option(min=1, help="Pictures of each.")] = 100,
) -> None:
    """Find by how much a detector's boxes are too wide or too flat, and have it put right."""
    from turret_ai.learn.vision import calibrate, fit_boxes

    marked = [m for manifest in pictures for m in calibrate.marked(manifest, most)]
    found = fit_boxes.detector(model, marked)
    typer.echo(
        f"{model}: width x {found.shape.width:g}, rise {found.shape.rise:g}; mean overlap of found "
        f"craft {found.before:.3f}, so shaped {found.after:.3f}",
        err=True,
    )


@app.command()
def halve(
    model: Annotated[Path, typer.Argument(help="An exported model's folder.")],
) -> None:
    """Keep a model's weights as 16-bit floats: half the files, computed in 32 bits as before."""
    from turret_ai.learn.vision import halve as halves

    typer.echo(f"{model}: weights rounded by {halves.folder(model):.2g} at most", err=True)


@app.command()
def upscaler(checkpoint: Checkpoint, out: Out) -> None:
    """Our upscaler's best.pt, or public Real-ESRGAN weights (.pth, .safetensors), to ONNX."""
    from turret_ai.learn.vision import export

    _tell(out, export.upscaler(Path(checkpoint), out))
