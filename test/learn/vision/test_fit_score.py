# SPDX-License-Identifier: Apache-2.0
"""The weights of the evidence: found again where they are known, and calibrated."""

from __future__ import annotations

import numpy as np
import pytest

from turret_ai.learn.vision import fit_score
from turret_ai.learn.vision.fit_score import Question
from turret_ai.see import evidence

TRUE = np.array([4.0, 0.0, 1.0, 2.0, 0.0])


def _questions(count: int, there: float = 1.0) -> list[Question]:
    """Candidates of which one is meant, drawn with the odds of the true weights; column 1 is noise,
    column 4 is missing."""
    rng = np.random.default_rng(1)
    made = []
    for _ in range(count):
        found = rng.normal(size=(6, 5))
        found[:, 4] = 0.0
        odds = found @ TRUE
        chance = np.exp(odds - odds.max())
        right = np.zeros(6, bool)
        if rng.random() < there:
            right[rng.choice(6, p=chance / chance.sum())] = True
        made.append(Question(found, right))
    return made


def test_weights_are_found_again_and_useless_evidence_gets_little():
    found = fit_score.weights(_questions(800))
    assert found[[0, 2, 3]] == pytest.approx(TRUE[[0, 2, 3]], rel=0.3)
    assert abs(found[1]) < 0.4 and found[4] == 0.0


def test_the_score_of_the_best_is_the_log_odds_that_it_is_right():
    asked = _questions(1500, there=0.7)
    terms = fit_score.calibrated(asked, TRUE)
    best = [(evidence.log_odds(q.found, terms), q.right) for q in asked]
    chance = np.array([evidence.probability(o.max()) for o, _ in best])
    right = np.array([r[o.argmax()] for o, r in best])
    assert chance.mean() == pytest.approx(right.mean(), abs=0.02)
    upper = chance > np.median(chance)
    assert chance[upper].mean() == pytest.approx(right[upper].mean(), abs=0.06)
