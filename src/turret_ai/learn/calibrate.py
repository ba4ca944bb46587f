# SPDX-License-Identifier: Apache-2.0
"""Fits the confidences of the understand stage on misheard synthetic sentences.

`python -m turret_ai.learn.calibrate` writes `config/understand_calibration.yaml`. Isotonic
regression (pool adjacent violators, Ayer et al. 1955) of "right" on the posterior, thinned to few
knots. The sentences are the grammar's; the competition's sample takes no part.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from turret_ai import share
from turret_ai.learn import overheard, sentences
from turret_ai.learn.transcripts import Corrupter
from turret_ai.understand import Understander, UnderstandSettings
from turret_ai.understand.calibration import FIELDS, IDENTITY

RATES = (0.3, 0.6, 0.9)
SEED = 4242
MIN_BLOCK = 25
"""Sentences behind a knot, at least."""

SAME = 1e-3
"""Posteriors that differ by less are the same."""


def isotonic(x: Sequence[float], y: Sequence[bool]) -> tuple[list[float], list[float]]:
    """Rising steps through (x, y): the mean x and mean y of each step."""
    order = np.argsort(x, kind="stable")
    blocks: list[list[float]] = []
    for group in np.array_split(order, max(1, len(order) // MIN_BLOCK)):
        blocks.append(
            [float(sum(x[i] for i in group)), float(sum(y[i] for i in group)), len(group)]
        )
        # steps at the same posterior are one step, too
        while len(blocks) > 1 and (
            blocks[-2][1] / blocks[-2][2] >= blocks[-1][1] / blocks[-1][2]
            or blocks[-1][0] / blocks[-1][2] - blocks[-2][0] / blocks[-2][2] < SAME
        ):
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    return [b[0] / b[2] for b in blocks], [b[1] / b[2] for b in blocks]


def fit(number: int = 220, pairs: Sequence[dict[str, Any]] = ()) -> dict[str, object]:
    """The tree of the calibration file, from that many sentences at each rate.

    Args:
        pairs: rows of `turret-ai synth transcripts --from-audio`; with them, repaired fields are
            counted on these instead of on misheard synthetic sentences.
    """
    understander = Understander(UnderstandSettings(min_confidence=0.0))
    understander.calibrate(IDENTITY)
    seen: dict[str, tuple[list[float], list[bool]]] = {name: ([], []) for name in FIELDS}
    clean: dict[str, list[bool]] = {name: [] for name in FIELDS}
    for k, rate in enumerate(RATES):
        corrupter = Corrupter(rate, SEED + k)
        for made in sentences.draw(number, SEED + 10 + k):
            heard = corrupter.corrupt(made.transcript)
            command, by_rules = understander.parse(heard), understander.is_clean(heard)
            for name in FIELDS:
                field = getattr(command, name)
                right = field.value == getattr(made, name)
                if by_rules:
                    clean[name].append(right)
                elif field.value and not pairs:
                    seen[name][0].append(field.confidence)
                    seen[name][1].append(right)
    for row in pairs:
        command = understander.parse(str(row["transcript"]))
        for name in FIELDS:
            field = getattr(command, name)
            if field.value and not understander.is_clean(str(row["transcript"])):
                seen[name][0].append(field.confidence)
                seen[name][1].append(field.value == row[name])
    knots = {}
    for name in FIELDS:
        xs, ys = isotonic(*seen[name])
        knots[name] = [[round(x, 4), round(y, 4)] for x, y in zip(xs, ys, strict=True)]
    rules = {name: round((sum(v) + 1) / (len(v) + 2), 4) for name, v in clean.items()}
    return {"rules": rules, "repair": knots}


def main() -> None:
    """Write the calibration into the source tree's config folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", type=Path)
    pairs = overheard.read(parser.parse_args().pairs)
    out = Path(share.root()) / "config" / "understand_calibration.yaml"
    head = (
        "# Confidence of a field: how often it is right, by the posterior of the decoder. Made by\n"
        "# `python -m turret_ai.learn.calibrate` from misheard synthetic sentences.\n"
    )
    out.write_text(
        head + yaml.safe_dump(fit(pairs=pairs), default_flow_style=None), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
