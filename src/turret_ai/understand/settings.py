# SPDX-License-Identifier: Apache-2.0
"""The settings of the understand stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class UnderstandSettings(BaseModel):
    """What the stage can be told; the commander node has the same as parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocabulary: str = Field("", description="A vocabulary file; empty for the shipped one.")
    context: str = Field(
        "", description="Counts of neighbours in clean sentences; empty for the shipped ones."
    )
    repair: bool = Field(True, description="Decode misheard text; without it, only exact rules.")
    headings: Literal["grid", "free"] = Field(
        "grid",
        description="Headings that may be ordered: the vocabulary's grid (the competition's), or "
        "every degree.",
    )
    fill: bool = Field(
        False,
        description="Play for points: fill an open field with its likeliest value, however unsure.",
    )
    max_words: int = Field(
        70, ge=5, le=500, description="Words after which a transcript is cut: a looping one."
    )
    max_hypotheses: int = Field(
        4, ge=1, le=20, description="Readings of the recogniser that are weighed together."
    )
    score_scale: float = Field(
        0.05,
        ge=0.0,
        le=10.0,
        description="Weight of the recogniser's log-probabilities beside how well each reading "
        "fits a command; 0 takes its readings as equally likely.",
    )
    samples: int = Field(
        48, ge=8, le=1000, description="Commands drawn from the posterior of a misheard text."
    )
    min_confidence: float = Field(
        0.15,
        ge=0.0,
        le=1.0,
        description="Confidence below which a field is left empty instead of guessed.",
    )
    llm_backend: Literal["", "exllamav2", "llama_cpp", "transformers"] = Field(
        "", description="Language model for what rules and repair leave open; empty for none."
    )
    llm_model: str = Field("", description="Its folder, or its GGUF file for llama_cpp.")
    llm_below: float = Field(
        0.5, ge=0.0, le=1.0, description="Confidence below which a field is asked of the model."
    )
    llm_context: int = Field(512, ge=128, le=32768, description="Its context, tokens.")
    llm_max_tokens: int = Field(96, ge=8, le=1024, description="Longest reply, tokens.")
    llm_timeout: float = Field(
        5.0, gt=0.0, le=120.0, description="Seconds after which its reply is given up."
    )
