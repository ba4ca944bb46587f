# SPDX-License-Identifier: Apache-2.0
"""Heard words beside spoken ones: the alignment that the word error rate counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jiwer

from turret_ai.prove.asr_score import normalise


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of an alignment. kind: "equal", "substitute", "delete" or "insert"."""

    kind: str
    spoken: str
    heard: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """A sentence's word errors, in the normalised words of the ASR score."""

    steps: tuple[Step, ...]
    substitutions: int
    deletions: int
    insertions: int
    reference_words: int

    @property
    def errors(self) -> int:
        """Words wrong, lost or added."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """Errors by spoken words; every heard word counts as one error where none was spoken."""
        return self.errors / max(1, self.reference_words)


def align(spoken: str, heard: str) -> Alignment:
    """Align a transcript with the truth, both normalised as the ASR score does."""
    reference, hypothesis = normalise(spoken).split(), normalise(heard).split()
    if not reference:
        steps = (Step("insert", "", " ".join(hypothesis)),) if hypothesis else ()
        return Alignment(steps, 0, 0, len(hypothesis), 0)
    result = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return Alignment(
        tuple(_steps(result, reference, hypothesis)),
        result.substitutions,
        result.deletions,
        result.insertions,
        len(reference),
    )


def _steps(result: jiwer.WordOutput, spoken: list[str], heard: list[str]) -> Iterator[Step]:
    for chunk in result.alignments[0]:
        yield Step(
            chunk.type,
            " ".join(spoken[chunk.ref_start_idx : chunk.ref_end_idx]),
            " ".join(heard[chunk.hyp_start_idx : chunk.hyp_end_idx]),
        )
