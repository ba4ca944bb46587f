# SPDX-License-Identifier: Apache-2.0
"""One training loop for every model of ours: deterministic by step, resumable, any number of GPUs.

Batch number i is a pure function of i (and the task's seed), so that a resumed run sees what an
uninterrupted one would have seen, and gives the same weights. A run under a budget is ended by the
clock, and so is none that could be repeated.
"""

from __future__ import annotations

import itertools
import json
import math
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset

from turret_ai.errors import ConfigError, InputError, ModelError
from turret_ai.extras import require
from turret_ai.learn.budget import Budget
from turret_ai.learn.schedule import Clocked, Schedule, Steps, learning_rate

Batch = dict[str, Tensor]


class Task(Protocol):
    """What is trained: the model, its batches, its loss and its measure.

    A task may also have `rate` (see `_groups`), and `prepare`, which turns a batch that is on the
    model's device already into what `loss` wants, there.
    """

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


def last_figures(out: Path) -> dict[str, float]:
    """Of the last validation that a run's log tells of; `step` among them. Empty without one."""
    found: dict[str, float] = {}
    log = out / "log.jsonl"
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else []:
        row = json.loads(line)
        told = {k.partition("/")[2]: v for k, v in row.items() if k.startswith("validation/")}
        found = {"step": row["step"], **told} if told else found
    return found


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


class _Order:
    """The numbers of this process's batches, from one on: up to a last one, or without end."""

    def __init__(self, first: int, last: int | None, step: int) -> None:
        self.first, self.last, self.step = first, last, step

    def __iter__(self) -> Iterator[int]:
        endless = itertools.count(self.first, self.step)
        return endless if self.last is None else iter(range(self.first, self.last, self.step))


def fit(
    task: Task,
    schedule: Schedule,
    out: Path,
    resume: bool,
    config: Mapping[str, Any],
    budget: Budget | None = None,
) -> Path:
    """Train; returns the path of the best checkpoint, `out`/best.pt.

    Ctrl-C and SIGTERM end the run after the step that is under way, in a validation at once, with a
    checkpoint. A second one doesn't wait for the step, and the checkpoint before it stands.

    Args:
        resume: continue from `out`/last.pt where there is one; else that file must not exist.
        config: stored in the checkpoints, for the export.
        budget: the clock ends the training, not the number of steps.

    Raises:
        ConfigError: `out` holds a run and `resume` is off; the budget is too small, or several
            processes were to share it.
        ModelError: the run in `out` is of another model, or the loss is not finite.
        InputError: a checkpoint can't be written.
    """
    with _StopFlag() as stop:
        return _Training(task, schedule, out, resume, config, budget).run(stop)


class _StopFlag:
    """SIGINT and SIGTERM set a flag; who works asks for it where stopping leaves nothing half done.

    In other threads than the main one nothing can be caught, and the flag is never set.
    """

    def __init__(self) -> None:
        self.is_set = False
        self.at_once = False
        """Raise KeyboardInterrupt where the signal comes: nothing is half done there."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _StopFlag:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: object) -> None:
        second, self.is_set = self.is_set, True
        if second or self.at_once:
            raise KeyboardInterrupt


def _averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of the weights and of what batches measured."""

    def blend(average: Tensor, present: Tensor, updates: Tensor) -> Tensor:
        if not present.is_floating_point():
            return present
        # Young averages would remember the random start for too long.
        count = float(updates)
        return average.lerp(present, 1 - min(decay, (1 + count) / (10 + count)))

    return AveragedModel(model, avg_fn=blend, use_buffers=True)


def usable_precision(asked: str) -> str:
    """fp32 instead of bf16 on a CPU without instructions for it, where bf16 is emulated: tuning a
    Whisper took ten times as long there."""
    able = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    if asked != "bf16" or able or platform.machine() not in ("x86_64", "AMD64"):
        return asked
    return "fp32"


class _Training:
    """One run: the model, its optimizer and its average, and how far they are.

    Everything that a checkpoint holds changes within `_step` and `_measure` only, and is whole
    between them.
    """

    def __init__(
        self,
        task: Task,
        schedule: Schedule,
        out: Path,
        resume: bool,
        config: Mapping[str, Any],
        budget: Budget | None,
    ) -> None:
        from accelerate import Accelerator

        torch.set_num_threads(schedule.threads)
        self.task, self.schedule, self.config = task, schedule, dict(config)
        self.last, self.best = out / "last.pt", out / "best.pt"
        if self.last.exists() and not resume:
            raise ConfigError(
                f"{out} holds a run already: pass resume=true, or choose another `out`"
            )
        precision = usable_precision(schedule.precision)
        if precision != schedule.precision:
            print(f"this CPU only emulates {schedule.precision}: fp32 is taken, which is faster")
        self.accelerator = Accelerator(
            mixed_precision="no" if precision == "fp32" else precision,
            cpu=not torch.cuda.is_available(),
            log_with=None if schedule.logger == "none" else schedule.logger,
            project_dir=out,
        )
        if budget is not None and self.accelerator.num_processes > 1:
            raise ConfigError("a budget is for one process: each would stop at a step of its own")
        self.judged = 0
        self.top = -math.inf
        self.bare = task.model
        optimizer = torch.optim.AdamW(
            _groups(task),
            lr=schedule.lr,
            betas=schedule.betas,
            weight_decay=schedule.weight_decay,
        )
        self.average: AveragedModel | None = None
        step, along = self._restore(optimizer)
        self.pace = (
            Steps(schedule, step) if budget is None else Clocked(schedule, step, along, budget)
        )
        self.now = time.perf_counter if budget is None else budget.now
        model = torch.compile(self.bare) if schedule.compile else self.bare
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.prepare: Callable[[Batch], Batch] = getattr(task, "prepare", lambda batch: batch)
        self.log = out / "log.jsonl"
        self._open_log(out)

    def _open_log(self, out: Path) -> None:
        """Make the folder and begin tensorboard's or wandb's record."""
        try:
            out.mkdir(parents=True, exist_ok=True)
            self.log.touch()
        except OSError as error:
            raise InputError(f"{out} can't be written: {error}") from error
        logger = self.schedule.logger
        if logger != "none":
            require(logger, extra="train")
            self.accelerator.init_trackers(
                "turret_ai" if logger == "wandb" else "",
                init_kwargs={"wandb": {"dir": str(out), "config": self.config}},
            )

    def _write(self, figures: Mapping[str, float]) -> None:
        plain = {name: float(value) for name, value in figures.items()}
        if self.accelerator.is_main_process:
            rounded = {name: round(value, 5) for name, value in plain.items()}
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.step, **rounded}) + "\n")
        self.accelerator.log(plain, step=self.step)

    @property
    def step(self) -> int:
        """Steps of the optimizer so far."""
        return self.pace.step

    def _restore(self, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Go on where the last checkpoint was, if there is one: at which step, and how far along
        the way of a budget."""
        restored = load(self.last, self.task.kind) if self.last.exists() else None
        if restored is not None:
            load_weights(self.bare, restored["model"], self.last)
            self.top = float(restored["top"])
            self.judged = int(restored.get("judged", restored["step"]))
        self.bare.to(self.accelerator.device)
        if self.schedule.ema:
            self.average = _averaged(self.bare, self.schedule.ema)
        if restored is None:
            return 0, 0.0
        optimizer.load_state_dict(restored["optimizer"])
        if self.average is not None and restored["average"]:
            self.average.module.load_state_dict(restored["average"])
            self.average.n_averaged.fill_(int(restored["updates"]))
        if self.accelerator.scaler is not None and restored.get("scaler"):
            self.accelerator.scaler.load_state_dict(restored["scaler"])
        return int(restored["step"]), float(restored.get("along", 0.0))

    def run(self, stop: _StopFlag) -> Path:
        """Train to the end of the schedule.

        Raises:
            KeyboardInterrupt: `stop` was set; the state is in `last`.
        """
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        pace, batches = self.pace, iter(self._loader())
        self.bare.train()
        with Progress(*columns, disable=not self.accelerator.is_main_process) as progress:
            bar = progress.add_task(
                self.task.kind, total=pace.planned, completed=self.step, figures=""
            )
            while True:
                over = pace.is_over
                if (over or pace.judges()) and self.judged < self.step:
                    self._validate(stop)
                if over or self._saves() or stop.is_set:
                    self._checkpoint()
                if stop.is_set:
                    raise KeyboardInterrupt
                if over:
                    break
                figures = self._step(batches)
                shown = " ".join(f"{k} {v:.3g}" for k, v in figures.items())
                progress.update(bar, total=pace.planned, completed=self.step, figures=shown)
                if self.step % 10 == 0:
                    self._write({f"train/{k}": v for k, v in figures.items()})
        self.accelerator.end_training()
        return self.best

    def _saves(self) -> bool:
        return self.step > 0 and self.step % self.schedule.save_every == 0

    def _loader(self) -> DataLoader[Batch]:
        """The batches from the present step on, of this process."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        share = self.schedule.accumulate * world
        counted = not isinstance(self.pace, Clocked)
        last = self.schedule.steps * share if counted else None
        order = _Order(self.step * share + rank, last, world)
        return DataLoader(
            _Batches(self.task),
            batch_size=None,
            num_workers=self.schedule.workers,
            sampler=order,  # type: ignore[arg-type]
        )

    def _step(self, batches: Iterator[Batch]) -> dict[str, float]:
        """One step of the optimizer; its figures.

        Raises:
            ModelError: the loss is not finite.
        """
        accelerator, count = self.accelerator, self.schedule.accumulate
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.pace.position, self.schedule) * group.get("share", 1.0)
        # Dropout, too, is a function of the step.
        torch.manual_seed(self.step * accelerator.num_processes + accelerator.process_index)
        started = self.now()
        figures: dict[str, float] = {}
        for _ in range(count):
            batch = {k: v.to(accelerator.device) for k, v in next(batches).items()}
            batch = self.prepare(batch)
            with accelerator.autocast():
                loss, parts = self.task.loss(self.model, batch)
            if not torch.isfinite(loss):
                raise ModelError(
                    f"the loss is {float(loss)} at step {self.step}: lower the learning rate"
                )
            accelerator.backward(loss / count)
            for key, value in parts.items():
                figures[key] = figures.get(key, 0.0) + value / count
        accelerator.clip_grad_norm_(self.bare.parameters(), self.schedule.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.bare)
        figures["seconds"] = self.now() - started
        self.pace.stepped(figures["seconds"])
        return figures

    def _validate(self, stop: _StopFlag) -> None:
        """Measure, unless a signal has come or comes; a resumed run does it then."""
        if stop.is_set:
            return
        try:
            stop.at_once = True
            started = self.now()
            self._measure()
            self.judged = self.step
            self.pace.judged(self.now() - started)
        except KeyboardInterrupt:
            if not stop.is_set:
                raise
        finally:
            stop.at_once = False

    def _measure(self) -> None:
        """Validate the averaged weights; the best ones so far are stored."""
        if not self.accelerator.is_main_process:
            return
        judged = self.bare if self.average is None else self.average.module
        judged.eval()
        with torch.no_grad():
            figures = dict(self.task.validate(judged))
        self.bare.train()
        self._write({f"validation/{k}": v for k, v in figures.items()})
        if figures["score"] > self.top:
            save(
                self.best,
                {
                    "kind": self.task.kind,
                    "step": self.step,
                    "figures": figures,
                    "model": judged.state_dict(),
                    "config": self.config,
                },
            )
            self.top = figures["score"]

    def _checkpoint(self) -> None:
        """All that a resumed run needs to give the same weights."""
        if not self.accelerator.is_main_process:
            return
        scaler, average = self.accelerator.scaler, self.average
        save(
            self.last,
            {
                "kind": self.task.kind,
                "step": self.step,
                "along": self.pace.along,
                "judged": self.judged,
                "top": self.top,
                "model": self.bare.state_dict(),
                "average": average.module.state_dict() if average else {},
                "updates": int(average.n_averaged) if average else 0,
                "optimizer": self.optimizer.state_dict(),
                "scaler": scaler.state_dict() if scaler is not None else {},
                "config": self.config,
            },
        )
