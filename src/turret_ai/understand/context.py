# SPDX-License-Identifier: Apache-2.0
"""What comes after what in clean commands: the decoder's prior on words beside the fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from turret_ai import documents, share
from turret_ai.errors import ConfigError

HEADING, TOOL, TARGET = "<heading>", "<tool>", "<target>"
FIELDS = (HEADING, TOOL, TARGET)
BEGIN, END, OTHER = "<begin>", "<end>", "<other>"


@dataclass(frozen=True, slots=True)
class Context:
    """Counts of neighbours in clean sentences.

    cues: the words that stand beside fields; every other word is OTHER.
    following: what -> what follows -> count, over BEGIN, END, OTHER, FIELDS and the cues.
    known: words of clean sentences, the fields' own words left out.
    """

    cues: tuple[str, ...]
    following: Mapping[str, Mapping[str, float]]
    known: frozenset[str]

    def probability(self, before: str, trust: float) -> dict[str, float]:
        """P(next | before): the counts of that neighbour, mixed with those of all.

        Args:
            trust: the share of the neighbour's own counts, 0..1.
        """
        every: Counter[str] = Counter()
        for row in self.following.values():
            every.update(row)  # type: ignore[arg-type]
        total = sum(every.values())
        own = self.following.get(before, {})
        size = sum(own.values())
        share_own = trust * size / (size + 20.0)
        return {
            what: share_own * (own.get(what, 0.0) / size if size else 0.0)
            + (1.0 - share_own) * count / total
            for what, count in every.items()
        }


@lru_cache(maxsize=4)
def _load(path: str, _changed_ns: int) -> Context:
    tree = documents.read_yaml(path, documents.TEXT_LOADER)
    try:
        following = {
            before: {what: float(n) for what, n in row.items()}
            for before, row in tree["following"].items()
        }
        return Context(tuple(tree["cues"]), following, frozenset(tree["known"].split()))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is no context of clean sentences: {error!r}") from error


def load(path: str | Path | None = None) -> Context:
    """Read the counts, the shipped ones (`config/understand_context.yaml`) by default.

    Raises:
        ConfigError: the file does not hold such counts.
        InputError: there is no such file.
    """
    found = (
        share.resolve(str(path), "config", ".yaml")
        if path
        else share.path("config/understand_context.yaml")
    )
    return _load(str(found), found.stat().st_mtime_ns)
