# SPDX-License-Identifier: Apache-2.0
"""Phrasings for the recogniser that works with a grammar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from turret_ai.errors import InputError
from turret_ai.learn.sentences import Sentence, SentenceMaker

_HEAD = "# Sentences without their fields, made by: turret-ai export grammar {name} --seed {seed}\n"


_ORDERS_TO_OTHERS = 15
"""Templates of orders to one of what calls off, asks, or depends on a condition."""


def write(path: Path, count: int, seed: int) -> None:
    """Write that many different templates of orders, one a line, and some of what is no order.

    Raises:
        InputError: the file can't be written.
    """
    orders = _different(SentenceMaker(seed).draw, count)
    others = _different(SentenceMaker(seed).draw_no_order, count // _ORDERS_TO_OTHERS)
    lines = "".join(f"{line}\n" for line in (*orders, *others))
    text = _HEAD.format(name=path.name, seed=seed) + lines
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error


def _different(draw: Callable[[], Sentence], count: int) -> list[str]:
    found: dict[str, None] = {}
    for _ in range(50 * count):
        if len(found) >= count:
            break
        found[draw().template] = None
    return list(found)
