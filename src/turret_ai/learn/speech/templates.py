# SPDX-License-Identifier: Apache-2.0
"""Phrasings for the recogniser that works with a grammar."""

from __future__ import annotations

from pathlib import Path

from turret_ai.errors import InputError
from turret_ai.learn.sentences import SentenceMaker

_HEAD = "# Sentences without their fields, made by: turret-ai export grammar {name} --seed {seed}\n"


def write(path: Path, count: int, seed: int) -> None:
    """Write that many different templates of `turret_ai.learn.sentences`, one a line.

    Raises:
        InputError: the file can't be written.
    """
    maker = SentenceMaker(seed)
    found: dict[str, None] = {}
    for _ in range(50 * count):
        found[maker.draw().template] = None
        if len(found) >= count:
            break
    text = _HEAD.format(name=path.name, seed=seed) + "".join(f"{line}\n" for line in found)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} can't be written: {error}") from error
