# SPDX-License-Identifier: Apache-2.0
"""How long, how fast and on what a model is trained, and how far a run is on that way."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from turret_ai.errors import ConfigError
from turret_ai.learn.budget import Budget
from turret_ai.learn.config import Section

_SETTLING = (4, 24)
"""Fewest and most steps that are looked at before the time of a step is known."""
_ALIKE = 1.5
"""A run has settled when the longest of its last three steps took so many times the shortest."""
_FEWEST = 8
"""Fewest steps that are worth a training."""
_JUDGING = 9.0
"""Time of training between two validations over the time of a validation, under a budget."""


class Schedule(Section):
    """How long, how fast and on what a model is trained."""

    steps: int = Field(
        gt=0, description="optimizer steps; under a budget the clock decides how many there are"
    )
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


def learning_rate(step: float, schedule: Schedule) -> float:
    """Linear warm-up, then cosine down to `final_lr` (Loshchilov and Hutter, 2017)."""
    warm = max(1, round(schedule.warmup * schedule.steps))
    if step < warm:
        return schedule.lr * min(1.0, (step + 1) / warm)
    along = min(1.0, (step - warm) / max(1, schedule.steps - warm))
    share = schedule.final_lr + (1 - schedule.final_lr) * 0.5 * (1 + math.cos(math.pi * along))
    return schedule.lr * share


class Steps:
    """The way of a run whose steps are counted."""

    def __init__(self, schedule: Schedule, step: int) -> None:
        self.schedule, self.step = schedule, step

    @property
    def along(self) -> float:
        """Share of the way, 0 to 1."""
        return min(1.0, self.step / self.schedule.steps)

    @property
    def position(self) -> float:
        """Where the run is among the schedule's steps, for the learning rate."""
        return self.step

    @property
    def planned(self) -> int:
        """Steps until the end, all together."""
        return self.schedule.steps

    @property
    def is_over(self) -> bool:
        """Whether the last step is done."""
        return self.step >= self.schedule.steps

    def judges(self) -> bool:
        """Whether a validation is due, as far as steps tell."""
        return self.is_over or (self.step > 0 and self.step % self.schedule.validate_every == 0)

    def stepped(self, _seconds: float) -> None:
        """One more step is done."""
        self.step += 1

    def judged(self, _seconds: float) -> None:
        """A validation is done."""


class Clocked(Steps):
    """The way of a run that the clock ends.

    The schedule is stretched over the time that there is: the first steps, which are slow where
    networks are compiled and caches filled, run at the schedule's first rate and don't count; after
    them a validation shows how long the last one will take; from then on the rate follows the
    clock. Whatever slows the run down shortens it, and the rate has come down at the end.
    """

    def __init__(self, schedule: Schedule, step: int, begun: float, budget: Budget) -> None:
        """begun: share of the way that a run before this one went."""
        super().__init__(schedule, step)
        self._budget, self._now, self._begun = budget, budget.now, begun
        self._first: list[float] = []
        self._origin: float | None = None
        self._rest = self._judging = 0.0
        self._origin_step = step
        self._judged_at = -math.inf

    @property
    def settled(self) -> bool:
        """Whether the time of a step is known."""
        count, recent = len(self._first), self._first[-3:]
        if count < _SETTLING[0]:
            return False
        return count >= _SETTLING[1] or max(recent) < _ALIKE * min(recent)

    @property
    def along(self) -> float:
        """As of `Steps`, by the clock."""
        if self._origin is None:
            return self._begun
        gone = (self._now() - self._origin) / max(1e-9, self._rest)
        return min(1.0, self._begun + (1 - self._begun) * gone)

    @property
    def position(self) -> float:
        """As of `Steps`: the share of the way in the schedule's own steps."""
        return self.along * self.schedule.steps

    @property
    def planned(self) -> int:
        """As of `Steps`, as far as it can be told."""
        share = (self.along - self._begun) / max(1e-9, 1 - self._begun)
        if share < 0.02:
            return self.step + max(1, round(self._rest / self._typical))
        return self.step + round((self.step - self._origin_step) * (1 - share) / share)

    @property
    def is_over(self) -> bool:
        """Whether another step would end too late."""
        if self._begun >= 1:
            return True
        if self._origin is None:
            return False
        return self._now() - self._origin + self._typical / 2 > self._rest

    @property
    def _typical(self) -> float:
        recent = sorted(self._first[-3:])
        return recent[len(recent) // 2] if recent else 1.0

    def judges(self) -> bool:
        """As of `Steps`; no oftener than takes a tenth of the time."""
        if self._origin is None:
            return self.settled
        now, pause = self._now(), _JUDGING * self._judging
        apart = now - self._judged_at > pause and self._rest - (now - self._origin) > pause / 3
        return self.is_over or (apart and self.step % self.schedule.validate_every == 0)

    def stepped(self, seconds: float) -> None:
        """As of `Steps`.

        Raises:
            ConfigError: the time was up before the first steps were done.
        """
        super().stepped(seconds)
        if self._origin is not None:
            return
        self._first.append(seconds)
        left = self._budget.left_for_training
        known = len(self._first) >= _SETTLING[0]  # the first steps may be slow
        if left < (_FEWEST * min(self._first) if known else 0):
            raise ConfigError(
                f"{self._budget.minutes:g} minutes are too few: after {len(self._first)} steps, "
                f"the last of {seconds:.2f} s, {max(0.0, left):.0f} s are left for training"
            )

    def judged(self, seconds: float) -> None:
        """As of `Steps`; the first one begins the way.

        Raises:
            ConfigError: there is no time for both training and the last validation.
        """
        self._judging = max(self._judging, seconds)
        self._judged_at = self._now()
        if self._origin is not None:
            return
        self._origin, self._origin_step = self._now(), self.step
        left = self._budget.left_for_training
        self._rest = left - 1.1 * seconds
        if self._rest < _FEWEST * self._typical:
            raise ConfigError(
                f"{self._budget.minutes:g} minutes are too few: {left:.0f} s are left for training,"
                f" a step takes {self._typical:.2f} s and a validation {seconds:.0f} s"
            )
        slow = f", the first {self._first[0]:.1f} s" if self._first[0] > 2 * self._typical else ""
        self._budget.say(
            f"a step takes {self._typical:.2f} s{slow}, a validation {seconds:.1f} s: about "
            f"{round(self._rest / self._typical)} steps until {Budget.clock(self._rest)}, the last "
            f"validation, and {max(0.0, self._budget.left - left):.0f} s for what follows"
        )
