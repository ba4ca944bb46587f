# SPDX-License-Identifier: Apache-2.0
"""How recognisers mishear phones: the chances that the decoder reckons with.

`config/understand_channel.yaml` is counted on what untuned recognisers made of spoken sentences
(`python -m turret_ai.learn.channel`), drawn towards the articulatory model of `phones` where there
is little to count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turret_ai import documents, share
from turret_ai.errors import ConfigError
from turret_ai.phonetics import phones as ph
from turret_ai.phonetics.phones import INDEX, PHONES

FloatArray = NDArray[np.float64]

MOST_WRONG = 0.5
"""Share of a phone's chances that goes to others, at most; and that it is lost."""


@dataclass(frozen=True, slots=True)
class Channel:
    """The chances of one phone.

    substitution: P(heard | meant, not lost), shape (39, 39), [meant, heard]; rows sum to 1.
    deletion: P(lost | meant), shape (39,).
    insertion: P(this phone is heard after any, though not said), shape (39,).
    variants: word -> what is heard for it as a whole -> its share of all ways to hear the word.
    """

    substitution: FloatArray
    deletion: FloatArray
    insertion: FloatArray
    variants: Mapping[str, Mapping[tuple[str, ...], float]]


def articulatory(
    same: float = 0.90, sharpness: float = 1.6, lost: float = 0.05, added: float = 0.03
) -> Channel:
    """The chances by articulation alone; the parameters are those of `phones`."""
    return Channel(
        ph.substitution(same, sharpness),
        ph.deletion(lost),
        np.full(len(PHONES), added / len(PHONES)),
        {},
    )


def worse(channel: Channel, times: float) -> Channel:
    """The same confusions, so many times as often."""
    wrong = channel.substitution * (1.0 - np.eye(len(PHONES))) * times
    wrong /= np.maximum(1.0, wrong.sum(axis=1, keepdims=True) / MOST_WRONG)
    return Channel(
        wrong + np.diag(1.0 - wrong.sum(axis=1)),
        np.minimum(MOST_WRONG, channel.deletion * times),
        channel.insertion * times,
        channel.variants,
    )


def as_tree(channel: Channel, least: float = 5e-4) -> dict[str, Any]:
    """The tree of the file; confusions below `least` are left to the articulatory model."""
    rows = {}
    for i, meant in enumerate(PHONES):
        row = channel.substitution[i]
        rows[meant] = {
            PHONES[j]: round(float(row[j]), 5) for j in np.argsort(-row) if row[j] >= least
        }
    return {
        "heard": rows,
        "lost": {p: round(float(channel.deletion[i]), 5) for i, p in enumerate(PHONES)},
        "added": {p: round(float(channel.insertion[i]), 6) for i, p in enumerate(PHONES)},
        "variants": {
            word: {" ".join(way): round(share, 4) for way, share in ways.items()}
            for word, ways in channel.variants.items()
        },
    }


@lru_cache(maxsize=2)
def _load(path: str, _changed_ns: int) -> Channel:
    prior = articulatory()
    try:
        tree = documents.read_yaml(path, documents.TEXT_LOADER)
        table = np.zeros_like(prior.substitution)
        for meant, row in tree["heard"].items():
            i = INDEX[meant]
            for heard, chance in row.items():
                table[i, INDEX[heard]] = float(chance)
            rest = table[i] == 0.0
            room = max(1e-4, 1.0 - table[i].sum())
            table[i, rest] = room * prior.substitution[i, rest] / prior.substitution[i, rest].sum()
        table /= table.sum(axis=1, keepdims=True)
        lost = np.array([float(tree["lost"][p]) for p in PHONES])
        added = np.array([float(tree["added"][p]) for p in PHONES])
        variants = {
            word: {tuple(way.split()): float(share) for way, share in ways.items()}
            for word, ways in (tree["variants"] or {}).items()
        }
        unknown = {p for ways in variants.values() for way in ways for p in way} - set(PHONES)
        if unknown:
            raise ValueError(f"no phones: {sorted(unknown)}")
        return Channel(table, lost, added, variants)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is no table of misheard phones: {error!r}") from error


def load() -> Channel:
    """The shipped chances.

    Raises:
        ConfigError: the file is no such table.
        InputError: there is no such file.
    """
    path = share.path("config/understand_channel.yaml")
    return _load(str(path), path.stat().st_mtime_ns)
