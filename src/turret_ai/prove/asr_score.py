# SPDX-License-Identifier: Apache-2.0
"""The competition's speech score: 1 - word error rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jiwer

from turret_ai.normalise import plain, spell_digits

_NORMALISE = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({"-": " "}),
        jiwer.RemovePunctuation(),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
    ]
)


def normalise(text: str) -> str:
    """Lower case, "-" to space, punctuation removed: what the score compares."""
    return str(_NORMALISE(text)) if text else ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip: what was said, what was heard, and the truth's line with its conditions."""

    said: str
    heard: str
    truth: Mapping[str, Any]


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Word errors of all (said, heard) together over the words said; nan without words."""
    kept = [(normalise(said), normalise(heard)) for said, heard in pairs]
    kept = [(said, heard) for said, heard in kept if said]
    if not kept:
        return float("nan")
    return float(jiwer.wer([said for said, _ in kept], [heard for _, heard in kept]))


def _figures(clips: Sequence[Heard]) -> dict[str, float]:
    wer = word_error_rate((c.said, c.heard) for c in clips)
    read = [(spell_digits(plain(c.said)), spell_digits(plain(c.heard))) for c in clips]
    return {
        "score": 1.0 - wer,
        "wer": wer,
        "wer_normalised": word_error_rate(read),
        "sentences_right": sum(said == heard for said, heard in read) / max(1, len(read)),
        "empty": sum(not c.heard for c in clips) / max(1, len(clips)),
        "clips": float(len(clips)),
    }


def _tens(name: str, unit: str, step: int) -> Callable[[Mapping[str, Any]], str | None]:
    def group(truth: Mapping[str, Any]) -> str | None:
        value = truth.get(name)
        if not isinstance(value, (int, float)):
            return None
        low = int(value // step) * step
        return f"{low}..{low + step} {unit}"

    return group


GROUPS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    # What `turret-ai synth audio` writes into its manifests.
    "engine": lambda truth: truth.get("engine"),
    "voice": lambda truth: truth.get("voice") if truth.get("engine") != "espeak" else None,
    "band": lambda truth: truth.get("band"),
    "noise": lambda truth: truth.get("noise"),
    "codec": lambda truth: truth.get("codec"),
    "snr": _tens("snr_db", "dB", 10),
    "level": _tens("level_dbfs", "dBFS", 4),
    "seconds": _tens("seconds", "s", 4),
}


def score(clips: Sequence[Heard], details: bool = False) -> dict[str, Any]:
    """Figures of a set of clips.

    Returns:
        score (1 - word error rate, as the competition counts), wer, wer_normalised (numerals and
        spellings made alike first), sentences_right, empty, clips; with `details` also `by`, the
        same by condition, as far as the truth tells them.
    """
    result: dict[str, Any] = _figures(clips)
    if details:
        by: dict[str, dict[str, dict[str, float]]] = {}
        for name, group in GROUPS.items():
            groups: dict[str, list[Heard]] = defaultdict(list)
            for clip in clips:
                key = group(clip.truth)
                if key:
                    groups[str(key)].append(clip)
            if groups:
                by[name] = {key: _figures(groups[key]) for key in sorted(groups)}
        result["by"] = by
    return result
