# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from turret_ai.learn.vision.calibrate import LOST, ambiguous_margin, not_found_threshold


def test_the_threshold_lies_between_present_and_absent():
    rng = np.random.default_rng(0)
    present, absent = rng.normal(0.8, 0.05, 400), rng.normal(0.2, 0.05, 400)
    threshold = not_found_threshold(present, absent)
    assert (absent >= threshold).mean() < 0.01
    assert (present < threshold).mean() <= LOST + 1e-9


def test_when_both_look_alike_few_present_ones_are_lost():
    rng = np.random.default_rng(1)
    present, absent = rng.normal(0.5, 0.2, 500), rng.normal(0.5, 0.2, 500)
    assert (present < not_found_threshold(present, absent)).mean() <= LOST + 1e-9


def test_answers_are_ambiguous_while_they_are_guesses():
    margins = np.linspace(0, 1, 200)
    right = margins > 0.3
    found = ambiguous_margin(margins, right)
    assert found == pytest.approx(0.3, abs=0.03)
    assert ambiguous_margin(margins[:0], right[:0]) == 0.0
    assert ambiguous_margin(margins, np.ones(200, bool)) == 0.0
