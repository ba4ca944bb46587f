# SPDX-License-Identifier: Apache-2.0
"""Recognisers that pairs are collected from: each by itself."""

from __future__ import annotations

import pytest

from turret_ai.hear.recogniser import WindowedRecogniser
from turret_ai.learn import overheard


@pytest.mark.parametrize("model", ["asr_small", "asr_whisper_tiny"])
def test_a_model_is_listened_to_without_a_second_one(model: str) -> None:
    loaded = overheard.load(overheard.Listening((model,)))
    assert set(loaded) == {model}
    assert isinstance(loaded[model], WindowedRecogniser)
    assert not loaded[model].settings.suppress_digits
