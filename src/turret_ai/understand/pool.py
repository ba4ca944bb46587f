# SPDX-License-Identifier: Apache-2.0
"""Posteriors of several readings of one utterance, joined field by field."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from turret_ai.normalise import plain
from turret_ai.understand.decode import Posterior
from turret_ai.vocabulary import Vocabulary

Shares = dict[str, float]
"""value -> posterior probability; "" is "not said"."""

CANDIDATES = 12
"""Targets that are weighed for the highest expected score; the rest have little to give."""


FIT = 0.25
"""Weight of a reading's fit in the log-linear mixture: the least of 0, 0.25, 0.5, 1 that is best on
the pairs of tiny.en and asr_small over voices that nothing was tested on."""
COUNTS = 0.1
"""Share of a reading from which it is enough that it alone says a field."""
MUTE = 0.75
"""Share of "not said" from which a reading has no say in a field's value."""
FLOOR = 0.01
"""What a reading gives a value that it does not know: it may have misheard."""
AGREEMENT = 0.5
"""How far readings count as independent witnesses, 1 for wholly: several of one recording are not,
and by 1 their joint confidence is too high."""


def weights(scores: Sequence[float], scale: float, fits: Sequence[float] = ()) -> list[float]:
    """Shares of the readings, log-linear in the recogniser's scores and in their fits; sum 1.

    Args:
        scores: natural-log probabilities.
        scale: the weight of these.
        fits: how well each reading fits a command, mean log-likelihood of its phones, nats.
    """
    usable = [score if math.isfinite(score) else -1e3 for score in scores]
    logs = [scale * score for score in usable]
    if fits:
        logs = [log + FIT * fit for log, fit in zip(logs, fits, strict=True)]
    best = max(logs)
    raw = [math.exp(max(-50.0, log - best)) for log in logs]
    return [w / sum(raw) for w in raw]


def fields(posterior: Posterior, words: Vocabulary) -> tuple[Shares, Shares, Shares]:
    """Heading, tool and target of one text, each as shares of its values."""
    heading: Shares = defaultdict(float)
    tool: Shares = defaultdict(float)
    target: Shares = defaultdict(float)
    for draw in posterior.draws:
        heading[draw.heading] += draw.share
        tool[draw.tool] += draw.share
        said = words.target(draw.colours, draw.kind, draw.pattern) if draw.kind else ""
        target[said] += draw.share
    return dict(heading), dict(tool), dict(target)


def mix(masses: Sequence[Mapping[str, float]], shares: Sequence[float]) -> Shares:
    """The shares of a field's values, from all readings together.

    What one reading lost another may hold: a field counts as said as far as any reading of weight
    says it. Its value is the one that fits all readings that say something, so the values' shares
    are multiplied, with the readings' weights as exponents (a logarithmic opinion pool).
    """
    if len(masses) == 1:
        return dict(masses[0])
    pairs = [(mass, w) for mass, w in zip(masses, shares, strict=True) if mass]
    telling = [(mass, w) for mass, w in pairs if mass.get("", 0.0) < MUTE] or pairs
    values = dict.fromkeys(v for mass, _ in telling for v in mass if v)
    if not values:
        return {"": 1.0} if pairs else {}
    count = max(1.0, AGREEMENT * len(telling)) / sum(w for _, w in telling)
    said = {
        value: math.prod((mass.get(value, 0.0) + FLOOR) ** (count * w) for mass, w in telling)
        for value in values
    }
    total = sum(said.values())
    open_ = [1.0 if not mass else mass.get("", 0.0) for mass in masses]
    mean = sum(weight * share for weight, share in zip(shares, open_, strict=True))
    unsaid = min([mean, *(o for o, weight in zip(open_, shares, strict=True) if weight >= COUNTS)])
    out = {value: (1.0 - unsaid) * share / total for value, share in said.items()}
    return {**out, "": unsaid} if unsaid > 0.0 else out


def likeliest(shares: Mapping[str, float]) -> tuple[str, float]:
    """(value, probability) of the likeliest; ("", 0) of none."""
    return max(shares.items(), key=lambda item: (item[1], item[0]), default=("", 0.0))


def best_expected(shares: Mapping[str, float]) -> tuple[str, float]:
    """The value of highest expected ROUGE-L over the posterior, and its own probability."""
    ranked = sorted(shares.items(), key=lambda item: -item[1])[:CANDIDATES]
    if not ranked:
        return "", 0.0
    if ranked[0][1] > 0.5:
        return ranked[0]
    split = {value: plain(value).split() for value, _ in ranked}
    return max(
        ranked,
        key=lambda item: (
            sum(share * rouge_l(split[item[0]], split[other]) for other, share in ranked),
            item[1],
        ),
    )


def rouge_l(a: Sequence[str], b: Sequence[str]) -> float:
    """F1 of the longest common subsequence (Lin 2004), of words without stemming."""
    if not a or not b:
        return float(not a and not b)
    row = [0] * (len(b) + 1)
    for x in a:
        corner = 0
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], corner + 1 if x == y else max(row[j], row[j - 1])
    common = row[-1]
    return 2.0 * common / (len(a) + len(b))
