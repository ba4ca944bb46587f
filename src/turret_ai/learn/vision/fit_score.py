# SPDX-License-Identifier: Apache-2.0
"""Fits the weights of the evidence, so that the score is the log-odds of "this is it".

First the weights between the evidence, from choices: among a picture's candidates, which is the one
that the caption means (conditional logit: McFadden, 1974). Then scale and bias of the whole, from
best candidates of captions whose craft is there, and of others (Platt, 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from turret_ai.errors import InputError
from turret_ai.see.description import Terms
from turret_ai.see.evidence import Table

_PULL = 0.002
"""Of the squares of the weights, in units of each feature's spread: keeps useless ones small."""


@dataclass(frozen=True, slots=True)
class Question:
    """One caption in one picture. found: features (n, 5) of the candidates; right: (n,) bool, which
    of them are the craft that is meant, none where it isn't there."""

    found: Table
    right: NDArray[np.bool_]


def weights(questions: Sequence[Question], steps: int = 300) -> Table:
    """(5,) non-negative, for the scores that make the right candidates win.

    Raises:
        InputError: no question has a right and a wrong candidate.
    """
    asked = [q for q in questions if q.right.any() and not q.right.all()]
    if not asked:
        raise InputError("the score can't be fitted: no described craft is among the candidates")
    most = max(len(q.found) for q in asked)
    x = torch.zeros(len(asked), most, 5, dtype=torch.float64)
    right = torch.zeros(len(asked), most, dtype=torch.bool)
    there = torch.zeros(len(asked), most, dtype=torch.bool)
    for i, q in enumerate(asked):
        n = len(q.found)
        x[i, :n], right[i, :n], there[i, :n] = (
            torch.from_numpy(q.found),
            torch.from_numpy(q.right),
            True,
        )
    spread = x[there].std(dim=0)
    useful = spread > 1e-6
    x = torch.where(useful, x / spread.clamp(min=1e-6), 0.0)
    raw = torch.full((5,), 0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=0.05)
    for _ in range(steps):
        weight = F.softplus(raw)
        score = (x @ weight).masked_fill(~there, -torch.inf)
        own = score.masked_fill(~right, -torch.inf).logsumexp(1)
        loss = (score.logsumexp(1) - own).mean() + _PULL * weight.square().sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found = F.softplus(raw).detach() / spread.clamp(min=1e-6)
    return np.asarray(torch.where(useful, found, 0.0).numpy(), np.float64)


def calibrated(questions: Sequence[Question], weight: Table, steps: int = 400) -> Terms:
    """Terms with the scale and bias that make the best candidate's score the log-odds that it is
    right."""
    best, right = [], []
    for q in questions:
        if len(q.found):
            score = q.found @ weight
            best.append(float(score.max()))
            right.append(float(q.right[int(score.argmax())]))
    x, y = torch.tensor(best, dtype=torch.float64), torch.tensor(right, dtype=torch.float64)
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=steps)
    middle, spread = x.mean(), x.std().clamp(min=1e-6)

    def closure() -> Tensor:
        optimizer.zero_grad()
        z = (x - middle) / spread * torch.exp(scale) + bias
        loss = F.binary_cross_entropy_with_logits(z, y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    factor = float(torch.exp(scale.detach()) / spread)
    shift = float(bias.detach()) - factor * float(middle)
    names = ("cosine", "detection", "craft", "types", "colours")
    parts = {n: round(float(w) * factor, 4) for n, w in zip(names, weight, strict=True)}
    return Terms(**parts, bias=round(shift, 4))
