# SPDX-License-Identifier: Apache-2.0
"""Two engines, one answer: a fast one while the operator speaks, the better one at the end.

What the fast engine makes of the whole utterance goes into the readings as well, so that the
understand stage can weigh the one against the other.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

from turret_ai.hear import phone_evidence
from turret_ai.hear.recogniser import Reading, Recogniser
from turret_ai.hear.settings import RecogniserSettings
from turret_ai.normalise import plain
from turret_ai.types import FloatArray, Hypothesis, Transcription

_SURE = 0.97
"""Confidence of the better engine from which a second opinion changes nothing."""
_TRUSTED = 0.5
"""Confidence of the fast engine that counts where the better one understands nothing."""
_LEAST = 1e-4
"""Probability of a reading that an engine doubts altogether."""


class PairRecogniser(Recogniser):
    """`best` answers, `fast` tells what is being said and gives second readings."""

    def __init__(self, settings: RecogniserSettings, best: Recogniser, fast: Recogniser) -> None:
        super().__init__(settings)
        self.best, self.fast = best, fast
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="second reading")

    def describe(self) -> dict[str, str]:
        """engine, model and device, of both."""
        best, fast = self.best.describe(), self.fast.describe()
        return best | {name: f"{best[name]} + {fast[name]}" for name in ("engine", "model")}

    def warm_up(self) -> None:
        """See `Recogniser.warm_up`."""
        self.fast.warm_up()
        self.best.warm_up()

    def glance(self, samples: FloatArray) -> Transcription:
        """See `Recogniser.glance`: by the fast engine alone."""
        return self.fast.glance(samples)

    def phone_times(self, samples: FloatArray) -> FloatArray | None:
        """See `Recogniser.phone_times`: by the fast engine."""
        return self.fast.phone_times(samples)

    def hears_speech(self, samples: FloatArray) -> bool:
        """See `Recogniser.hears_speech`: whether the fast engine hears phones in a row."""
        times = self.fast.phone_times(samples)
        return times is not None and phone_evidence.speaks(times)

    def read(self, samples: FloatArray) -> Reading:
        """The better engine's answer, or a sure one of the fast engine where it has none; the
        readings of both, with the logarithm of the probability that each is right."""
        beside = self._beside.submit(self.fast.read, samples)
        first = self.best.read(samples)
        second = beside.result()
        if not first.alternatives:
            return second if second.confidence >= _TRUSTED else first
        return Reading(merged(first, second), first.confidence, first.reason)


def shares(reading: Reading) -> list[float]:
    """The probability of each reading that it is right: the first has the engine's confidence, the
    others share what is left by their scores."""
    if not reading.alternatives:
        return []
    first = min(max(reading.confidence, _LEAST), 1.0 - _LEAST)
    rest = reading.alternatives[1:]
    top = max((r.score for r in rest), default=0.0)
    raw = [math.exp(max(-50.0, r.score - top)) for r in rest]
    return [first, *((1.0 - first) * share / (sum(raw) + 1.0) for share in raw)]


def merged(first: Reading, second: Reading) -> tuple[Hypothesis, ...]:
    """The readings of both engines, the first one's best on top.

    The second engine has a say as far as the first one is unsure.
    """
    found: dict[str, tuple[str, float]] = {}
    left = 1.0 - shares(first)[0]
    for reading, weight in ((first, 1.0), (second, left)):
        if reading is second and first.confidence >= _SURE:
            break
        for hypothesis, share in zip(reading.alternatives, shares(reading), strict=True):
            key = plain(hypothesis.text)
            text, before = found.get(key, (hypothesis.text, 0.0))
            found[key] = (text, before + weight * share)
    best, *others = found.values()
    others.sort(key=lambda item: -item[1])
    # The answer stays on top, however little its engine believes in it.
    best = (best[0], max(best[1], others[0][1] if others else 0.0))
    total = best[1] + sum(share for _, share in others)
    return tuple(
        Hypothesis(text, math.log(max(share, _LEAST) / max(total, 1.0)))
        for text, share in (best, *others)
    )
