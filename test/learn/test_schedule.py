# SPDX-License-Identifier: Apache-2.0
"""A run under a budget: the rate has come down when the time is up, whatever slows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from test_loop import Line

from turret_ai.errors import ConfigError
from turret_ai.learn import loop
from turret_ai.learn.budget import Budget
from turret_ai.learn.schedule import Clocked, Schedule, learning_rate

SCHEDULE = Schedule(steps=6000, lr=1.0, warmup=0.1, final_lr=0.02, validate_every=50, logger="none")


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def drive(
    clock: Clock, budget: Budget, pace: Clocked, seconds: object, judging: float
) -> tuple[list[float], int]:
    """Steps of those durations, validations when they are due; the rates, and how many of these."""
    rates, count, judged = [], 0, pace.step
    while True:
        over = pace.is_over
        if (over or pace.judges()) and judged < pace.step:
            clock.time += judging
            pace.judged(judging)
            count, judged = count + 1, pace.step
        if over:
            return rates, count
        rates.append(learning_rate(pace.position, SCHEDULE))
        took = seconds(len(rates))  # type: ignore[operator]
        clock.time += took
        pace.stepped(took)


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    step=st.floats(0.05, 2.0),
    first=st.floats(0.0, 60.0),
    judging=st.floats(0.1, 15.0),
    wobble=st.floats(0.0, 0.3),
)
def test_training_ends_in_time_with_a_low_rate(
    step: float, first: float, judging: float, wobble: float
) -> None:
    clock = Clock()
    budget = Budget(6, kept=0.2, say=lambda _: None, now=clock)
    pace = Clocked(SCHEDULE, 0, 0.0, budget)

    def seconds(number: int) -> float:
        return step * (1 + wobble * (number % 3 - 1)) + (first if number == 1 else 0.0)

    rates, validations = drive(clock, budget, pace, seconds, judging)
    assert budget.left_for_training > -2 * step - 0.2 * judging
    assert budget.left_for_training < 2 * step + 0.2 * judging + 1
    assert rates[-1] < 0.05 + 60 * step / budget.minutes / 60  # one step's worth above the end
    assert max(rates) == pytest.approx(1.0, abs=0.1)
    warm = rates.index(max(rates))
    assert rates[warm:] == sorted(rates[warm:], reverse=True)
    assert validations * judging < 0.25 * 60 * budget.minutes + 2 * judging
    assert len(rates) == pytest.approx((288 - first - validations * judging) / step, rel=0.1, abs=5)


def test_a_run_that_slows_down_is_shorter_but_still_ends_low_and_in_time() -> None:
    clock = Clock()
    lines: list[str] = []
    budget = Budget(3, kept=0.2, say=lines.append, now=clock)
    pace = Clocked(SCHEDULE, 0, 0.0, budget)
    rates, _ = drive(clock, budget, pace, lambda n: 20.0 if n == 1 else 0.1 * (1 + n / 300), 2.0)
    assert rates[-1] < 0.03 and -1 < budget.left_for_training < 1
    (line,) = lines
    assert "0.10 s, the first 20.0 s, a validation 2.0 s" in line and "36 s for what" in line


def test_a_resumed_run_goes_on_along_the_way() -> None:
    clock = Clock()
    budget = Budget(1, kept=0.0, say=lambda _: None, now=clock)
    pace = Clocked(SCHEDULE, 700, 0.5, budget)
    rates, _ = drive(clock, budget, pace, lambda _: 0.1, 1.0)
    assert rates[0] == pytest.approx(learning_rate(3000, SCHEDULE)) and max(rates) == rates[0]
    assert pace.step > 1000 and pace.along > 0.95
    done = Clocked(SCHEDULE, 900, 1.0, budget)
    assert done.is_over


def test_too_small_a_budget_is_an_error_that_tells_what_takes_the_time() -> None:
    clock = Clock()
    budget = Budget(1, say=lambda _: None, now=clock)
    pace = Clocked(SCHEDULE, 0, 0.0, budget)
    clock.time += 47.5
    with pytest.raises(ConfigError, match=r"1 minutes are too few: after 2 steps"):
        drive(clock, budget, pace, lambda _: 0.3, 1.0)
    budget = Budget(1, say=lambda _: None, now=clock)
    pace = Clocked(SCHEDULE, 0, 0.0, budget)
    with pytest.raises(ConfigError, match="a validation 50 s"):
        drive(clock, budget, pace, lambda _: 0.3, 50.0)
    for minutes, kept in ((0, 0.2), (-1, 0.2), (float("nan"), 0.2), (3, 1.0)):
        with pytest.raises(ConfigError):
            Budget(minutes, kept)


def test_what_follows_stops_when_the_time_is_up() -> None:
    clock = Clock()
    lines: list[str] = []
    budget = Budget(1, say=lines.append, now=clock)
    taken = []
    for item in budget.within(range(100), "pictures"):
        taken.append(item)
        clock.time += 7.0
    assert taken == list(range(8)) and lines == [
        "pictures: 8 are done and the time is up: the others are left out"
    ]
    clock.time += 100
    assert list(budget.within("ab", "letters")) == ["a"]


class Slow(Line):
    """Fits a line to noise; the first step takes longer, as a compilation would make it."""

    kind = "slow"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.prepared = 0

    def batch(self, index: int) -> loop.Batch:
        self.clock.time += 4.0 if index == 0 else 0.2
        return {"x": torch.randn(4, 3, generator=torch.Generator().manual_seed(index))}

    def prepare(self, batch: loop.Batch) -> loop.Batch:
        self.prepared += 1
        return {**batch, "y": batch["x"].sum(1, keepdim=True)}

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        self.clock.time += 1.0
        return {"score": -float(self.loss(model, self.prepare(self.batch(10_000)))[0])}


def test_the_loop_is_ended_by_the_clock_and_can_be_taken_up_again(tmp_path: Path) -> None:
    lines: list[str] = []
    clock = Clock()
    began, task = clock.time, Slow(clock)
    budget = Budget(1, kept=0.1, say=lines.append, now=clock)
    best = loop.fit(task, SCHEDULE, tmp_path, False, {}, budget)
    assert 60 * 0.9 - 1.5 < clock.time - began < 60 * 0.9 + 0.5
    last = torch.load(tmp_path / "last.pt", weights_only=True)
    assert best.is_file() and last["step"] == last["judged"] > 200 and len(lines) == 1
    assert last["along"] > 0.98 and task.prepared > last["step"]
    # Interrupted half way, it has as much of the schedule left, for whatever time it is given.
    torch.save({**last, "along": 0.5}, tmp_path / "last.pt")
    budget = Budget(1, kept=0.1, say=lines.append, now=clock)
    loop.fit(Slow(clock), SCHEDULE, tmp_path, True, {}, budget)
    more = torch.load(tmp_path / "last.pt", weights_only=True)
    assert last["step"] + 200 < more["step"] and more["along"] > 0.98
