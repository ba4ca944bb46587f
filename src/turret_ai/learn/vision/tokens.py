# SPDX-License-Identifier: Apache-2.0
"""A byte-level BPE tokenizer made from captions: known words are one token, others are spelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from turret_ai.errors import ModelError
from turret_ai.extras import require


def train(captions: Iterable[str], size: int, length: int) -> Any:
    """A `tokenizers.Tokenizer` that lower-cases, drops commas and pads with id 0 to `length`."""
    tk = require("tokenizers", extra="train")
    tokenizer = tk.Tokenizer(tk.models.BPE(unk_token=None))
    tokenizer.normalizer = tk.normalizers.Sequence(
        [tk.normalizers.NFKC(), tk.normalizers.Lowercase(), tk.normalizers.Replace(",", "")]
    )
    tokenizer.pre_tokenizer = tk.pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = tk.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>"],
        initial_alphabet=sorted(tk.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=0, pad_token="<pad>")
    return tokenizer


def ids(tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Token ids (n, L), as long as the longest text: padding takes time and changes nothing."""
    found = torch.tensor([e.ids for e in tokenizer.encode_batch(list(texts))], dtype=torch.int64)
    return found[:, : max(1, int((found != 0).sum(1).max()))]


def load(path: Path, length: int) -> Any:
    """The tokenizer of an earlier run.

    Raises:
        ModelError: not a tokenizer.
    """
    try:
        tokenizer = require("tokenizers", extra="train").Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise ModelError(f"{path} is not a tokenizer: {error}") from error
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=0, pad_token="<pad>")
    return tokenizer
