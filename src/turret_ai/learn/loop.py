"""One training loop for every model of ours: deterministic by step, resumable, any number of GPUs.

Batch number i is a pure function of i (and the task's seed), so that a resumed run sees what an
uninterrupted one would have seen, and gives the same weights.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from pydantic import Field
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.learn.config import Section

Batch = dict[str, Tensor]


class Schedule(Section):
    """How long, how fast and on what a model is trained."""

    steps: int = Field(gt=0, description="optimizer steps")
    lr: float = Field(gt=0, description="peak learning rate")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps with rising rate")
    final_lr: float = Field(0.01, ge=0, le=1, description="last rate as a share of the peak")
    weight_decay: float = Field(1e-4, ge=0)
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = Field(5.0, gt=0, description="largest norm of the gradient")
    accumulate: int = Field(1, ge=1, description="batches for one optimizer step")
    ema: float = Field(0.998, ge=0, lt=1, description="decay of the averaged weights; 0: none")
    precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="of the forward pass")
    compile: bool = Field(False, description="torch.compile the model")
    workers: int = Field(0, ge=0, description="processes that prepare batches")
    threads: int = Field(1, ge=1, description="CPU threads of torch")
    validate_every: int = Field(250, ge=1, description="steps")
    save_every: int = Field(100, ge=1, description="steps")
    logger: Literal["tensorboard", "wandb", "none"] = "tensorboard"


class Task(Protocol):
    """What is trained: the model, its batches, its loss and its measure."""

    kind: str
    """Written into checkpoints, so that one of another model is refused."""
    model: nn.Module

    def batch(self, index: int) -> Batch:
        """Batch number `index`, the same whenever it is asked for."""

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Mapping[str, float]]:
        """The scalar loss and figures for the log."""

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Figures on the fixed validation set; the highest "score" is the best checkpoint."""


class _Batches(Dataset[Batch]):
    def __init__(self, task: Task) -> None:
        self.task = task

    def __getitem__(self, index: int) -> Batch:
        return self.task.batch(index)


def _groups(task: Task) -> list[dict[str, Any]]:
    """Parameters for the optimizer: biases and gains don't decay, and a task may have a `rate`, the
    share of the learning rate that a parameter learns at, by its name."""
    rate: Callable[[str], float] = getattr(task, "rate", lambda _: 1.0)
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in task.model.named_parameters():
        groups.setdefault((parameter.ndim > 1, rate(name)), []).append(parameter)
    found: list[dict[str, Any]] = []
    for (decays, share), parameters in sorted(groups.items(), key=lambda g: (-g[0][0], -g[0][1])):
        group: dict[str, Any] = {"params": parameters, "share": share}
        found.append(group if decays else {**group, "weight_decay": 0.0})
    return found


def learning_rate(step: int, schedule: Schedule) -> float:
    """Linear warm-up, then cosine down to `final_lr` (Loshchilov and Hutter, 2017)."""
    warm = max(1, round(schedule.warmup * schedule.steps))
    if step < warm:
        return schedule.lr * (step + 1) / warm
    along = min(1.0, (step - warm) / max(1, schedule.steps - warm))
    share = schedule.final_lr + (1 - schedule.final_lr) * 0.5 * (1 + math.cos(math.pi * along))
    return schedule.lr * share


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint so that an interruption or a full disk leaves the old one whole.

    Raises:
        InputError: it can't be written.
    """
    partial = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(content), partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        partial.unlink(missing_ok=True)
        raise InputError(f"the checkpoint {path} can't be written: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"there is no checkpoint {path}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"{path} is not a checkpoint that can be read: {error}") from error
    return dict(content) if isinstance(content, dict) else {}


def kind_of(path: Path) -> str:
    """Which model a checkpoint of `save` is of; "" where it does not tell.

    Raises:
        InputError: there is none.
        ModelError: it is broken.
    """
    return str(_read(path).get("kind", ""))


def load(path: Path, kind: str) -> dict[str, Any]:
    """Read a checkpoint of `save`.

    Raises:
        InputError: there is none.
        ModelError: it is broken, or of another kind of model.
    """
    content = _read(path)
    found = content.get("kind")
    if found != kind:
        raise ModelError(f"{path} is a checkpoint of {found!r}, not of {kind!r}")
    return content


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put weights into a model.

    Raises:
        ModelError: they are of a model of another size.
    """
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        first = str(error).splitlines()[:2]
        raise ModelError(f"{path} is of a model of another size: {' '.join(first)}") from error


class _Average:
    """Exponential moving average of the weights; buffers are copied."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        # Young averages would remember the random start for too long.
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value.detach(), 1 - decay)
            else:
                self.state[key].copy_(value)


def _order(first: int, last: int, rank: int, world: int) -> Iterator[int]:
    return iter(range(first + rank, last, world))


def fit(task: Task, schedule: Schedule, out: Path, resume: bool, config: Mapping[str, Any]) -> Path:
    """Train; returns the path of the best checkpoint, `out`/best.pt.

    Args:
        resume: continue from `out`/last.pt where there is one; else that file must not exist.
        config: stored in the checkpoints, for the export.

    Raises:
        ConfigError: `out` holds a run and `resume` is off.
        ModelError: the run in `out` is of another model.
        InputError: a checkpoint can't be written.
    """
    from accelerate import Accelerator

    torch.set_num_threads(schedule.threads)
    last, best = out / "last.pt", out / "best.pt"
    if last.exists() and not resume:
        raise ConfigError(f"{out} holds a run already: pass resume=true, or choose another `out`")
    gpu = torch.cuda.is_available()
    accelerator = Accelerator(
        mixed_precision="no" if schedule.precision == "fp32" else schedule.precision,
        cpu=not gpu,
    )
    bare = task.model
    optimizer = torch.optim.AdamW(
        _groups(task),
        lr=schedule.lr,
        betas=schedule.betas,
        weight_decay=schedule.weight_decay,
    )
    step, top = 0, -math.inf
    average: _Average | None = None
    restored: dict[str, Any] | None = None
    if last.exists():
        restored = load(last, task.kind)
        load_weights(bare, restored["model"], last)
        step, top = int(restored["step"]), float(restored["top"])
    bare.to(accelerator.device)
    if schedule.ema:
        average = _Average(bare, schedule.ema)
    if restored is not None:
        optimizer.load_state_dict(restored["optimizer"])
        if average is not None and restored["average"]:
            average.state = {k: v.to(accelerator.device) for k, v in restored["average"].items()}
            average.updates = int(restored["updates"])
    model = torch.compile(bare) if schedule.compile else bare
    model, optimizer = accelerator.prepare(model, optimizer)
    world, rank = accelerator.num_processes, accelerator.process_index
    loader: DataLoader[Batch] = DataLoader(
        _Batches(task),
        batch_size=None,
        num_workers=schedule.workers,
        sampler=list(
            _order(
                step * schedule.accumulate * world,
                schedule.steps * schedule.accumulate * world,
                rank,
                world,
            )
        ),
    )
    log = _Log(out, schedule.logger, accelerator.is_main_process, config)

    def checkpoint() -> None:
        if accelerator.is_main_process:
            save(
                last,
                {
                    "kind": task.kind,
                    "step": step,
                    "top": top,
                    "model": bare.state_dict(),
                    "average": average.state if average else {},
                    "updates": average.updates if average else 0,
                    "optimizer": optimizer.state_dict(),
                    "config": dict(config),
                },
            )

    def measure() -> None:
        nonlocal top
        if not accelerator.is_main_process:
            return
        trained = {k: v.detach().clone() for k, v in bare.state_dict().items()}
        if average is not None:
            bare.load_state_dict(average.state)
        bare.eval()
        with torch.no_grad():
            figures = dict(task.validate(bare))
        log.write(step, {f"validation/{k}": v for k, v in figures.items()})
        if figures["score"] > top:
            top = figures["score"]
            save(
                best,
                {
                    "kind": task.kind,
                    "step": step,
                    "figures": figures,
                    "model": bare.state_dict(),
                    "config": dict(config),
                },
            )
        bare.load_state_dict(trained)
        bare.train()

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    bare.train()
    with Progress(*columns, disable=not accelerator.is_main_process) as progress:
        bar = progress.add_task(task.kind, total=schedule.steps, completed=step, figures="")
        batches = iter(loader)
        terminate = _as_interrupt()
        try:
            while step < schedule.steps:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step, schedule) * group.get("share", 1.0)
                torch.manual_seed(step * world + rank)  # dropout, too, is a function of the step
                started = time.perf_counter()
                figures: dict[str, float] = {}
                for _ in range(schedule.accumulate):
                    batch = {k: v.to(accelerator.device) for k, v in next(batches).items()}
                    with accelerator.autocast():
                        loss, parts = task.loss(model, batch)
                    if not torch.isfinite(loss):
                        raise ModelError(
                            f"the loss is {float(loss)} at step {step}: lower the learning rate"
                        )
                    accelerator.backward(loss / schedule.accumulate)
                    for key, value in parts.items():
                        figures[key] = figures.get(key, 0.0) + value / schedule.accumulate
                accelerator.clip_grad_norm_(bare.parameters(), schedule.clip)
                optimizer.step()
                optimizer.zero_grad()
                step += 1
                if average is not None:
                    average.update(bare)
                figures["seconds"] = time.perf_counter() - started
                shown = " ".join(f"{k} {v:.3g}" for k, v in figures.items())
                progress.update(bar, completed=step, figures=shown)
                if step % 10 == 0:
                    log.write(step, {f"train/{k}": v for k, v in figures.items()})
                if step % schedule.validate_every == 0 or step == schedule.steps:
                    measure()
                if step % schedule.save_every == 0 or step == schedule.steps:
                    checkpoint()
        except KeyboardInterrupt:
            # Half a step may have been added to the gradient only, so the state is that of `step`.
            checkpoint()
            raise
        finally:
            terminate()
    log.close()
    accelerator.end_training()
    return best


def _as_interrupt() -> Callable[[], None]:
    """Let SIGTERM stop a run as Ctrl-C does; returns what restores the old handler."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, stop)

    def restore() -> None:
        signal.signal(signal.SIGTERM, old)

    return restore


class _Log:
    """Figures to a text file, and to tensorboard or wandb."""

    def __init__(self, out: Path, logger: str, main: bool, config: Mapping[str, Any]) -> None:
        self.writer: Any = None
        self.wandb: Any = None
        self.file = None
        if not main:
            return
        try:
            out.mkdir(parents=True, exist_ok=True)
            self.file = (out / "log.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{out} can't be written: {error}") from error
        if logger == "tensorboard":
            from turret_ai.extras import require

            self.writer = require("torch.utils.tensorboard", extra="train").SummaryWriter(out)
        elif logger == "wandb":
            from turret_ai.extras import require

            self.wandb = require("wandb", extra="train").init(dir=os.fspath(out), config=config)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        import json

        if self.file is not None:
            rounded = {k: round(float(v), 5) for k, v in figures.items()}
            self.file.write(json.dumps({"step": step, **rounded}) + "\n")
            self.file.flush()
        if self.writer is not None:
            for key, value in figures.items():
                self.writer.add_scalar(key, value, step)
        if self.wandb is not None:
            self.wandb.log(dict(figures), step=step)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        if self.writer is not None:
            self.writer.close()
        if self.wandb is not None:
            self.wandb.finish()
