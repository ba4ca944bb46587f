# SPDX-License-Identifier: Apache-2.0
"""A run that is stopped, whenever that is, goes on as if it had not been."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from turret_ai.learn import loop
from turret_ai.learn.schedule import Schedule


class Line:
    """Fits a line to noise."""

    kind = "line"

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Linear(8, 1))
        self.validations = 0
        self.on_validation: Callable[[], None] = lambda: None

    def batch(self, index: int) -> loop.Batch:
        rng = torch.Generator().manual_seed(index)
        x = torch.randn(16, 3, generator=rng)
        return {"x": x, "y": x.sum(1, keepdim=True)}

    def loss(
        self, model: torch.nn.Module, batch: loop.Batch
    ) -> tuple[torch.Tensor, Mapping[str, float]]:
        loss = torch.nn.functional.mse_loss(model(batch["x"]), batch["y"])
        return loss, {"loss": float(loss.detach())}

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        self.validations += 1
        self.on_validation()
        batch = self.batch(10_000)
        return {"score": -float(self.loss(model, batch)[0])}


SCHEDULE = Schedule(steps=12, lr=0.05, ema=0.9, validate_every=4, save_every=100, logger="none")


def fit(task: Line, out: Path, resume: bool = False) -> Path:
    return loop.fit(task, SCHEDULE, out, resume, {})


def content(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_a_validation_keeps_the_trained_weights_and_judges_them_later(
    tmp_path: Path,
) -> None:
    fit(Line(), tmp_path / "whole")
    task = Line()
    task.on_validation = lambda: interrupt() if task.validations == 2 else None
    with pytest.raises(KeyboardInterrupt):
        fit(task, tmp_path / "cut")
    last = content(tmp_path / "cut" / "last.pt")
    assert (last["step"], last["judged"]) == (8, 4)
    assert not all(torch.equal(last["model"][k], last["average"][k]) for k in last["model"])
    fit(Line(), tmp_path / "cut", resume=True)
    for name in ("last.pt", "best.pt"):
        whole, cut = content(tmp_path / "whole" / name), content(tmp_path / "cut" / name)
        assert whole["step"] == cut["step"]
        for key, value in whole["model"].items():
            assert torch.equal(value, cut["model"][key]), (name, key)
    lines = [json.loads(t) for t in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "validation/score" in line] == [4, 8, 12]


def test_ctrl_c_in_the_last_validation_leaves_it_to_the_resumed_run(tmp_path: Path) -> None:
    task = Line()
    task.on_validation = lambda: interrupt() if task.validations == 3 else None
    with pytest.raises(KeyboardInterrupt):
        fit(task, tmp_path)
    again = Line()
    fit(again, tmp_path, resume=True)
    assert again.validations == 1


def test_a_second_ctrl_c_ends_a_step_at_once_and_leaves_the_checkpoint_before(
    tmp_path: Path,
) -> None:
    class Twice(Line):
        def batch(self, index: int) -> loop.Batch:
            if index == 6:
                interrupt()
                interrupt()
            return super().batch(index)

    with pytest.raises(KeyboardInterrupt):
        fit(Twice(), tmp_path)
    assert not (tmp_path / "last.pt").exists() and (tmp_path / "best.pt").exists()


def test_the_handlers_of_signals_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    fit(Line(), tmp_path)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_is_not_emulated(able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(loop.platform, "machine", lambda: "x86_64")
    assert loop.usable_precision("bf16") == ("bf16" if able else "fp32")
    assert loop.usable_precision("fp32") == "fp32"
    monkeypatch.setattr(loop.platform, "machine", lambda: "aarch64")
    assert loop.usable_precision("bf16") == "bf16"
