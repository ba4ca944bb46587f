# SPDX-License-Identifier: Apache-2.0
"""`turret-ai train`: every model of the package, by a YAML configuration and overrides."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from turret_ai.learn.budget import Budget

app = typer.Typer(
    no_args_is_help=True,
    help="Train a model: `turret-ai train KIND CONFIG [key=value ...]` (extra `train`).",
)

Config = Annotated[str, typer.Argument(help="A YAML file, or a shipped name of config/train.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Dotted overrides, such as optimizer.lr=1e-4.")
]
Minutes = Annotated[
    float,
    typer.Option(
        "--budget",
        min=0,
        help="Minutes for all of it, export included: the schedule is stretched over them, its "
        "steps don't count. 0: no clock.",
    ),
]
Kept = Annotated[
    float,
    typer.Option(
        "--kept", min=0, max=0.9, help="Share of the budget for export, score and figures."
    ),
]
Exported = Annotated[
    Path | None, typer.Option("--export", help="The folder of the exported model, at the end.")
]


def _trains(module: str) -> Callable[..., None]:
    """A command that trains by `run` of a module, whose imports are heavy, and exports."""

    def train(
        config: Config,
        overrides: Overrides = None,
        budget: Minutes = 0.0,
        kept: Kept = 0.2,
        export: Exported = None,
    ) -> None:
        clock = None
        if budget:  # from now on: the imports take their time as well
            clock = Budget(budget, kept, say=lambda line: typer.echo(line, err=True))
        importlib.import_module(f"turret_ai.learn.{module}").run(
            config, overrides or [], clock, export
        )

    return train


for _name, _module, _help in (
    ("asr", "asr.task", "Train a speech recogniser: our small Whisper, or tune a public one."),
    (
        "detector",
        "vision.train_detector",
        "Train a craft detector: our small one, or a DETR of transformers.",
    ),
    (
        "matcher",
        "vision.train_matcher",
        "Train a dual encoder for crops and captions: our small one, or tune a SigLIP.",
    ),
):
    app.command(_name, help=_help)(_trains(_module))


@app.command()
def upscaler(config: Config, overrides: Overrides = None) -> None:
    """Train a Real-ESRGAN (SRVGGNetCompact) upscaler on crops of craft."""
    from turret_ai.learn.vision import train_upscaler

    train_upscaler.run(config, overrides or [])


@app.command()
def llm(config: Config, overrides: Overrides = None) -> None:
    """Tune the fallback language model on commands by rank-stabilised LoRA."""
    from turret_ai.learn import llm as tuning

    typer.echo(tuning.run(config, overrides or []))
